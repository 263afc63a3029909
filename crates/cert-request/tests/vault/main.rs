// SPDX-License-Identifier: Apache-2.0
//! The issuer `vault` against real OpenBaos; openssl is the witness.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that start programs"
)]

mod bad_days;
mod cluster;
mod old_vault_stand_in;
mod renewal;
mod signing;
mod world;
