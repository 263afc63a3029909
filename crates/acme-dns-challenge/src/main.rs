// SPDX-License-Identifier: Apache-2.0
//! Executable `acme_dns_challenge`: certificates by ACME, names proved in the DNS.

use std::process::ExitCode;

fn main() -> ExitCode {
    acme_dns_challenge::main(std::env::args_os().skip(1).collect())
}
