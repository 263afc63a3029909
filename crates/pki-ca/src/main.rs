// SPDX-License-Identifier: Apache-2.0
//! Executable `pki_ca`: certificate authorities.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    match first.as_ref().and_then(|word| word.to_str()) {
        Some("--commit") => tls_files::committer_main(),
        Some("--certmonger") => pki_ca::certmonger::main(arguments.next()),
        _ => ansible_module::main::<pki_ca::PkiCa>(),
    }
}
