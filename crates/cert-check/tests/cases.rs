// SPDX-License-Identifier: Apache-2.0
//! One folder per case: check, real, again. What needs a server is tested on real ones, in the files beside.

#[test]
fn every_case_is_predicted_done_and_then_left_alone() {
    testbed::cases::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"),
        env!("CARGO_BIN_EXE_cert_check"),
    );
}
