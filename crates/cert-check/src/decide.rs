// SPDX-License-Identifier: Apache-2.0
//! What is wrong with what was seen. Pure: a function of the request, of what was seen and of the instant.

mod chain;
mod facts;
mod file;
mod names;
mod own;
mod revoked;
mod sharing;
mod stapled;
mod strength;

use std::path::Path;

use cert_report::{Endpoint as Shown, FileEntry, Finding, Level, Moment, Report, ServedBy};
use pki::{Certificate, Timestamp};
use tls_probe::Ending;

use crate::observe::{EndpointSeen, Observed, Served};
use crate::request::{Endpoint, Limits, Name, Request};
use chain::Judged;
use revoked::Lists;

/// What is wrong, and how bad it is.
pub(crate) fn finding(kind: &str, level: Level, detail: impl Into<String>) -> Finding {
    Finding {
        kind: kind.to_owned(),
        level,
        detail: detail.into(),
    }
}

/// Judges everything.
pub fn decide(request: &Request, observed: &Observed, host: &str, now: Timestamp) -> Report {
    let judge = Judge {
        request,
        observed,
        lists: Lists::new(request, observed),
        now,
    };
    let mut report = Report::new(host, Moment(now.0));
    let pairs: Vec<_> = request.endpoints.iter().zip(&observed.endpoints).collect();
    // Signatures are verified again here: the work of all cores.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    report.endpoints =
        ansible_module::each(&pairs, cores, |(wish, seen)| judge.endpoint(wish, seen));
    let files = request.files.iter().zip(&observed.keys);
    report.files = files
        .map(|(wish, key)| file::judge(&judge, wish, key))
        .collect();
    report.shared_keys = sharing::mark(request, &mut report);
    report.unserved = file::mark_unserved(request, observed, &mut report);
    for endpoint in &mut report.endpoints {
        endpoint.status = worst(&endpoint.findings);
    }
    for file in &mut report.files {
        file.status = worst(&file.findings);
    }
    report
}

fn worst(findings: &[Finding]) -> Level {
    let levels = findings.iter().map(|each| each.level);
    levels.max().unwrap_or_default()
}

/// What every judgement looks at.
struct Judge<'a> {
    request: &'a Request,
    observed: &'a Observed,
    lists: Lists<'a>,
    now: Timestamp,
}

/// What a certificate, with its chain, must be.
struct Expected<'a> {
    names: &'a [Name],
    limits: &'a Limits,
}

impl Judge<'_> {
    fn endpoint(&self, wish: &Endpoint, seen: &EndpointSeen) -> Shown {
        let mut shown = Shown {
            service: wish.service.clone(),
            host: wish.host.clone(),
            address: seen.address.map(|address| address.to_string()),
            port: wish.port,
            sni: wish.server_name.as_ref().map(ToString::to_string),
            protocol: wish.starttls.map_or("tls", |it| it.name()).to_owned(),
            seconds: (seen.took.as_secs_f64() * 1000.0).round() / 1000.0,
            ..Shown::default()
        };
        match &seen.result {
            Err(trouble) => {
                let detail = trouble.words.clone();
                shown
                    .findings
                    .push(finding(trouble.kind, Level::Fail, detail));
            }
            Ok(served) => self.served(wish, served, &mut shown),
        }
        shown
    }

    fn served(&self, wish: &Endpoint, served: &Served, shown: &mut Shown) {
        shown.chain = served.chain.iter().map(|each| facts::of(each)).collect();
        shown.served_by = served.by.as_ref().map(|by| ServedBy {
            process: Some(by.program.clone()),
            pid: Some(by.pid),
            container: by.container.clone(),
        });
        let findings = &mut shown.findings;
        findings.extend(served.damaged.as_ref().map(|why| {
            let detail = format!("a certificate that is served cannot be read: {why}; replace it");
            finding("certificate_damaged", Level::Fail, detail)
        }));
        let chain: Vec<&Certificate> = served.chain.iter().map(AsRef::as_ref).collect();
        let expected = Expected {
            names: &wish.names,
            limits: &wish.limits,
        };
        let judged = self.chain(&chain, &expected, findings);
        shown.trusted_by = judged.root.as_ref().map(facts::anchor);
        let ends = judged.path.iter().map(|each| each.facts().not_after);
        shown.chain_not_after = ends.min().map(|first| Moment(first.0));
        let is_asked = self.request.revocation.stapled && served.ending == Ending::Finished;
        if is_asked {
            findings.extend(stapled::judge(
                &judged.path,
                served.stapled.as_deref(),
                self.now,
            ));
        }
        if let (Some(leaf), Some(path)) = (chain.first(), &wish.certificate) {
            findings.extend(self.is_of_file(leaf, path));
        }
        findings.extend(unfinished(&served.ending));
    }

    /// What holds for a chain wherever it was found; gives the way that it takes.
    fn chain(
        &self,
        chain: &[&Certificate],
        expected: &Expected<'_>,
        findings: &mut Vec<Finding>,
    ) -> Judged {
        let Some(leaf) = chain.first() else {
            return Judged::default();
        };
        let dates = own::dates(leaf, expected.limits, self.now);
        let is_out_of_time = !own::is_in_time(leaf, self.now);
        findings.extend(dates);
        findings.extend(names::uncovered(leaf, expected.names));
        findings.extend(own::purpose(leaf));
        let mut judged = chain::judge(chain, &self.observed.roots, self.now);
        let weak = strength::weak(chain, &judged.path);
        let is_weakly_signed = weak
            .iter()
            .any(|each| each.kind == strength::SIGNATURE && each.level == Level::Fail);
        findings.extend(weak);
        // A weak signature counts as none, and an authority may be younger than a leaf that is out of its time: the
        // chain would be told as broken for the same reason.
        let is_told = |kind: &str| {
            (is_weakly_signed && kind == chain::SIGNATURE)
                || (is_out_of_time && kind == chain::EXPIRED)
        };
        let told = std::mem::take(&mut judged.findings).into_iter();
        findings.extend(told.filter(|each| !is_told(&each.kind)));
        findings.extend(own::purpose_above(&judged.path));
        findings.extend(own::ends_above(
            &judged.path,
            leaf,
            expected.limits,
            self.now,
        ));
        findings.extend(self.lists.judge(&judged.path, self.now));
        judged
    }

    /// Whether what is served is what is in the file.
    fn is_of_file(&self, leaf: &Certificate, path: &Path) -> Option<Finding> {
        let kept = match self.observed.files.get(path)? {
            Ok(certificates) => certificates.first()?,
            Err(why) => {
                let detail = format!("the file '{}' that it must serve: {why}", path.display());
                return Some(finding("file_unreadable", Level::Fail, detail));
            }
        };
        if kept == leaf {
            return None;
        }
        let (ours, theirs) = (kept.facts(), leaf.facts());
        let is_older = theirs.not_before < ours.not_before
            && theirs.names.same_set(&ours.names)
            && theirs.subject.matches(&ours.subject);
        let (kind, words) = match is_older {
            true => (
                "stale",
                "the certificate before that is still served; reload the service",
            ),
            false => (
                "other_certificate",
                "another is served; look which file the service reads",
            ),
        };
        let detail = format!(
            "'{}' has the certificate {} (until {}), and {words}: {} (until {})",
            path.display(),
            kept.fingerprint_sha256_text(),
            ours.not_after,
            leaf.fingerprint_sha256_text(),
            theirs.not_after,
        );
        Some(finding(kind, Level::Fail, detail))
    }
}

fn unfinished(ending: &Ending) -> Option<Finding> {
    match ending {
        Ending::Finished | Ending::Refused { .. } => None,
        Ending::Broken { why } => Some(finding(
            "handshake_broken",
            Level::Fail,
            format!(
                "it shows its certificate and then breaks off ({why}): clients do not get in; look into the server's log"
            ),
        )),
        _ => None,
    }
}

/// Entries of one kind, endpoints and files, as one list.
pub(crate) fn all_findings(report: &Report) -> impl Iterator<Item = (String, &Finding)> {
    let several = report.at_several_addresses();
    let endpoints = report.endpoints.iter().flat_map(move |each| {
        let mut at = place(&each.host, each.port);
        if let (Some(address), true) = (&each.address, several.contains(&each.place())) {
            at = format!("{at}, {address}");
        }
        let at = format!("{} ({at})", each.service);
        each.findings.iter().map(move |found| (at.clone(), found))
    });
    let files = report.files.iter().flat_map(|each: &FileEntry| {
        each.findings
            .iter()
            .map(move |found| (each.path.clone(), found))
    });
    endpoints.chain(files)
}

pub(crate) fn place(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}
