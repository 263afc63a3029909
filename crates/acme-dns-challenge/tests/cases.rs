// SPDX-License-Identifier: Apache-2.0
//! Every folder below `cases/`: check, real, again.

#[test]
fn cases() {
    testbed::cases::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"),
        env!("CARGO_BIN_EXE_acme_dns_challenge"),
    );
}
