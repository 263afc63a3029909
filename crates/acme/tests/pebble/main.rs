// SPDX-License-Identifier: Apache-2.0
//! The protocol against both Pebbles and OpenBao: one program, so that one is linked.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod accounts;
mod faults;
mod hostile;
mod imports;
mod issue;
mod jobs;
mod kills;
mod openbao;
mod world;
