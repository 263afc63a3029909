// SPDX-License-Identifier: Apache-2.0
//! What the table of programs means in a container: the steps, and why these.

use std::path::Path;

use containers::processes::Signal;

use super::ladder::Step;
use crate::observe::{Doors, Evidence, Serving};
use crate::programs::{self, Files, Gentle, Known};
use crate::talk::qemu::Guest;

/// What helps one program.
pub(super) enum Helped {
    /// These steps, for this reason.
    By(Vec<Step>, String),
    /// Nothing gentle, for this reason.
    ByNothing(String),
    /// It is not in the table.
    Unknown,
}

/// The gentlest steps for one program; `listeners` are those of it that serve something old.
pub(super) fn gentle_steps(program: &str, evidence: &Evidence, listeners: &[&Serving]) -> Helped {
    let known = Known {
        processes: &evidence.processes,
        files: files(evidence),
        doors: &evidence.doors,
        has_cluster: has_cluster(program, evidence),
    };
    match programs::gentle(program, &known) {
        Gentle::Wait => Helped::By(
            vec![Step::Wait],
            format!("{program} looks at its files by itself"),
        ),
        Gentle::Signal(signal) => signalled(program, signal, evidence),
        Gentle::Execute(calls) => Helped::By(
            calls.into_iter().map(Step::Execute).collect(),
            format!("{program} reads its files again by a command"),
        ),
        Gentle::Exchange => exchange(evidence),
        Gentle::Display => display(evidence, listeners),
        Gentle::Say(line) => said(program, line, listeners),
        Gentle::Impossible(why) => Helped::ByNothing(reasoned(why.to_owned(), evidence, program)),
        Gentle::Unknown => Helped::Unknown,
    }
}

fn signalled(program: &str, signal: Signal, evidence: &Evidence) -> Helped {
    let Some(top) = programs::top(program, &evidence.processes) else {
        return Helped::ByNothing(format!("{program} has ended"));
    };
    let to = top.clone();
    let why = format!("{program} reads its files again on {}", signal.word());
    Helped::By(
        vec![Step::Signal { signal, to }],
        reasoned(why, evidence, program),
    )
}

fn said(program: &str, line: &'static str, listeners: &[&Serving]) -> Helped {
    let steps: Vec<Step> = listeners
        .iter()
        .map(|each| Step::Say { line, at: each.at })
        .collect();
    if steps.is_empty() {
        return Helped::ByNothing(format!("{program} has no listener that could be told"));
    }
    let word = line.trim_end();
    Helped::By(
        steps,
        format!("{program} reads its files again when it is told '{word}'"),
    )
}

/// With why HAProxy's runtime API is not what helps.
fn reasoned(why: String, evidence: &Evidence, program: &str) -> String {
    match &evidence.doors.haproxy {
        Some(Err(no)) if program == "haproxy" => format!("{why} ({no})"),
        _ => why,
    }
}

fn exchange(evidence: &Evidence) -> Helped {
    let Some(Ok(runtimes)) = &evidence.doors.haproxy else {
        return Helped::Unknown;
    };
    let without = Known {
        processes: &evidence.processes,
        files: files(evidence),
        doors: &Doors::default(),
        has_cluster: false,
    };
    let otherwise = match programs::gentle("haproxy", &without) {
        Gentle::Signal(signal) => {
            programs::top("haproxy", &evidence.processes).map(|process| (signal, process.clone()))
        }
        _ => None,
    };
    let step = Step::Exchange {
        runtimes: runtimes.clone(),
        otherwise,
    };
    Helped::By(
        vec![step],
        String::from("haproxy exchanges it in memory over its runtime API"),
    )
}

fn display(evidence: &Evidence, listeners: &[&Serving]) -> Helped {
    let doors = &evidence.doors;
    let is_meant = |guest: &&Guest| {
        listeners.is_empty() || listeners.iter().any(|each| each.pid == Some(guest.pid))
    };
    let mut steps = Vec::new();
    for guest in doors.guests.iter().filter(is_meant) {
        let has_virsh = doors.virsh.is_some() && guest.name.is_some();
        let is_open = !guest.is_libvirts && !guest.monitors.is_empty();
        if !is_open && !has_virsh {
            return Helped::ByNothing(format!(
                "the monitor of the guest with process {} cannot be reached",
                guest.pid
            ));
        }
        steps.push(Step::Display {
            guest: guest.clone(),
            virsh: doors.virsh.clone(),
        });
    }
    if steps.is_empty() {
        return Helped::ByNothing(String::from("the guest that serves it has ended"));
    }
    Helped::By(
        steps,
        String::from("a guest reads the certificate of its VNC server again on display-reload"),
    )
}

/// A database server that speaks TLS at once somewhere speaks it to the others of its Galera cluster.
fn has_cluster(program: &str, evidence: &Evidence) -> bool {
    matches!(program, "mariadbd" | "mysqld")
        && evidence.serving.iter().any(|each| {
            each.program == program && each.starttls.is_none() && each.fingerprint().is_some()
        })
}

/// Where the program reads the files: Kolla's copies if there are any, else where they are mounted.
fn files(evidence: &Evidence) -> Files<'_> {
    let copy = |is_key: bool| {
        let mut found = evidence
            .copies
            .iter()
            .filter(move |seen| seen.is_key == is_key);
        found.next().map(|seen| seen.copy.destination.as_path())
    };
    let certificate: Option<&Path> = copy(false).or_else(|| {
        evidence
            .places
            .first()
            .map(|seen| seen.place.path.as_path())
    });
    let key = copy(true).or_else(|| {
        evidence
            .key_places
            .first()
            .map(|seen| seen.place.path.as_path())
    });
    Files {
        certificate,
        private_key: key.or(certificate),
    }
}
