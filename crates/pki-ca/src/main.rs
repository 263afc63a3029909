// SPDX-License-Identifier: Apache-2.0
//! Executable `pki_ca`: certificate authorities.

use std::process::ExitCode;

fn main() -> ExitCode {
    pki_ca::main(std::env::args_os().skip(1).collect())
}
