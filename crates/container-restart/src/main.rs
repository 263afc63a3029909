// SPDX-License-Identifier: Apache-2.0
//! Executable `container_restart`: exactly the container that uses a certificate.

use std::process::ExitCode;

fn main() -> ExitCode {
    container_restart::main(std::env::args_os().skip(1).collect())
}
