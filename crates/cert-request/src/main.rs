// SPDX-License-Identifier: Apache-2.0
//! Executable `cert_request`: the certificates of a host.

use std::process::ExitCode;

fn main() -> ExitCode {
    cert_request::main(std::env::args_os().skip(1).collect())
}
