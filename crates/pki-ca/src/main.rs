// SPDX-License-Identifier: Apache-2.0
//! Executable `pki_ca`: certificate authorities.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == "--commit")
    {
        return tls_files::committer_main();
    }
    ansible_module::main::<pki_ca::PkiCa>()
}
