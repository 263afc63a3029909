// SPDX-License-Identifier: Apache-2.0
//! Executable `file_set`: files that other parts of a play made, replaced as sets.

use std::process::ExitCode;

fn main() -> ExitCode {
    file_set::main(std::env::args_os().skip(1).collect())
}
