// SPDX-License-Identifier: Apache-2.0
//! The issuer `vault` against real OpenBaos; openssl is the witness.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests that start programs"
)]

mod bad_days;
mod renewal;
mod signing;
mod world;
