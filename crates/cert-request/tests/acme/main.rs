// SPDX-License-Identifier: Apache-2.0
//! The issuer `acme` against real Pebbles that look at real BINDs and a real HAProxy; openssl is the witness.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests that start programs"
)]

mod bad_days;
mod dns;
mod http;
mod world;
