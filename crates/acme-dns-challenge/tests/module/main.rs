// SPDX-License-Identifier: Apache-2.0
//! The module against a real Pebble that looks at real BINDs; openssl and dig are the witnesses.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests that start programs"
)]

mod accounts;
mod bad_days;
mod disks;
mod issue;
mod lab;
mod options;
mod phases;
mod renewal;
mod spoilt;
