// SPDX-License-Identifier: Apache-2.0
#![warn(clippy::disallowed_methods)]
//! Executable `tls_everywhere`: all modules of the collection in the one file that is shipped.
//!
//! Each module is a library with a `main` of its own and a thin executable for its tests; here they share one copy of
//! OpenSSL. Which module is meant is told by the name of the call, or by its first argument: see [`call`].

mod call;

use std::process::ExitCode;

use call::{Call, Entry};

/// The modules, in the order in which they are named to who calls none of them.
static MODULES: [Entry; 6] = [
    Entry::new("acme_dns_challenge", acme_dns_challenge::main),
    Entry::new("cert_check", cert_check::main),
    Entry::new("cert_request", cert_request::main),
    Entry::new("container_restart", container_restart::main),
    Entry::new("file_set", file_set::main),
    Entry::new("pki_ca", pki_ca::main),
];

fn main() -> ExitCode {
    match call::read(&MODULES, std::env::args_os()) {
        Call::Module(entry, arguments) => (entry.main)(arguments),
        Call::Committer => tls_files::committer_main(),
        Call::Version => ansible_module::print_version("tls_everywhere"),
        Call::Nothing(wrong) => ansible_module::refuse(&wrong),
    }
}
