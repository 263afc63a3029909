// SPDX-License-Identifier: Apache-2.0
//! Executable `file_set`: files that other parts of a play made, replaced as sets.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == "--commit")
    {
        return tls_files::committer_main();
    }
    ansible_module::main::<file_set::FileSetModule>()
}
