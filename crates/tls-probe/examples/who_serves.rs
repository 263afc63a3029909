// SPDX-License-Identifier: Apache-2.0
//! Says what a container serves, from the PID of its first process:
//!
//! ```text
//! # cargo run -p tls-probe --example who_serves -- PID [STARTTLS]
//! members PidNamespaceAndCgroup 4711 4720
//! listener 0.0.0.0:8443 held 4711 4720
//! served 127.0.0.1:8443 AB:CD:… by 4720
//! ```
//!
//! tests/containers runs it on real containers.
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::process::ExitCode;
use std::time::Duration;

use rustix::process::Pid;
use tls_probe::{
    AcceptedBy, Ask, Error, Listener, Place, Prober, Processes, StartTls, accepted_by, listeners,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let pid = arguments
        .next()
        .and_then(|text| Pid::from_raw(text.parse().ok()?));
    let starttls = arguments.next().and_then(|name| StartTls::named(&name));
    let Some(pid) = pid else {
        println!("usage: who_serves PID [STARTTLS]");
        return ExitCode::from(2);
    };
    match report(pid, starttls) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed {}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}

fn report(init: Pid, starttls: Option<StartTls>) -> Result<(), Error> {
    let members = Processes::snapshot()?.members(init)?;
    println!("members {:?} {}", members.by, numbers(&members.pids));
    let prober = Prober::new()?;
    for listener in listeners(&members.pids)? {
        println!(
            "listener {} held {}",
            listener.address,
            numbers(&listener.holders)
        );
        if let Err(error) = probe(&prober, &listener, &members.pids, starttls) {
            println!("silent {} {}: {error}", listener.address, error.kind());
        }
    }
    Ok(())
}

fn probe(
    prober: &Prober,
    listener: &Listener,
    members: &[Pid],
    starttls: Option<StartTls>,
) -> Result<(), Error> {
    let ask = Ask {
        starttls,
        ..Ask::default()
    };
    for address in listener.addresses() {
        let place = Place::inside(address, &listener.network);
        let held = prober.probe(&place, &ask, Duration::from_secs(10))?;
        let by = match accepted_by(held.link(), &listener.network, members)? {
            AcceptedBy::Candidates(pids) => numbers(&pids),
            AcceptedBy::SomebodyElse => "somebody-else".to_owned(),
            AcceptedBy::Unknown => "unknown".to_owned(),
        };
        println!(
            "served {address} {} by {by}",
            held.presented().fingerprint_sha256_text()
        );
        held.finish(Duration::from_secs(5));
    }
    Ok(())
}

fn numbers(pids: &[Pid]) -> String {
    let texts: Vec<String> = pids
        .iter()
        .map(|pid| pid.as_raw_nonzero().to_string())
        .collect();
    texts.join(" ")
}
