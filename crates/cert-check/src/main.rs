// SPDX-License-Identifier: Apache-2.0
//! Executable `cert_check`: what every service really serves, by whom, and when it ends.

use std::process::ExitCode;

fn main() -> ExitCode {
    cert_check::main(std::env::args_os().skip(1).collect())
}
