// SPDX-License-Identifier: Apache-2.0
//! The textfile of Prometheus' node_exporter: what one host found, as its text format has it.
//!
//! Names follow Prometheus' conventions (base units, `_timestamp_seconds`, `_info`), with a prefix of their own:
//! `ssl_cert_not_after` and `x509_cert_not_after` belong to exporters that have other labels, and node_exporter refuses
//! a metric whose textfiles disagree about it.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

use crate::escape::{common_name, is_deceptive};
use crate::{Certificate, Endpoint, FileEntry, Fleet, Level, Report};

/// The textfile of one host's report.
pub fn metrics(report: &Report) -> String {
    Textfile(report).to_string()
}

struct Textfile<'a>(&'a Report);

/// A value of a label, as the text format escapes it. Controls would be legal, but no name needs one.
struct Value<'a>(&'a str);

/// The labels of an endpoint or a file.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Labels(String);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            c if is_deceptive(c) => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

impl Labels {
    fn of(pairs: &[(&str, &str)]) -> Self {
        let text: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", Value(value)))
            .collect();
        Self(text.join(","))
    }

    fn endpoint(endpoint: &Endpoint) -> Self {
        Self::of(&[
            ("service", &endpoint.service),
            ("endpoint", &endpoint.at()),
            ("server_name", endpoint.sni.as_deref().unwrap_or_default()),
            ("protocol", &endpoint.protocol),
        ])
    }

    fn file(file: &FileEntry) -> Self {
        Self::of(&[("service", &file.service), ("path", &file.path)])
    }

    fn and(&self, pairs: &[(&str, &str)]) -> Self {
        Self(format!("{},{}", self.0, Self::of(pairs).0))
    }
}

impl fmt::Display for Textfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = once(labelled(&self.0.endpoints));
        let files = once(self.0.files.iter().map(|file| (Labels::file(file), file)));
        endpoint_metrics(f, &endpoints)?;
        file_metrics(f, &files)?;
        whole_metrics(f, self.0)
    }
}

/// Endpoints with their labels. Those that nothing else tells apart have their addresses among them.
fn labelled(endpoints: &[Endpoint]) -> impl Iterator<Item = (Labels, &Endpoint)> {
    let mut addresses = HashMap::new();
    let mut several = HashSet::new();
    for endpoint in endpoints {
        let (labels, address) = (Labels::endpoint(endpoint), &endpoint.address);
        if *addresses.entry(labels.clone()).or_insert(address) != address {
            several.insert(labels);
        }
    }
    endpoints.iter().map(move |endpoint| {
        let labels = Labels::endpoint(endpoint);
        let address = endpoint.address.as_deref().unwrap_or_default();
        match several.contains(&labels) {
            true => (labels.and(&[("address", address)]), endpoint),
            false => (labels, endpoint),
        }
    })
}

/// A series may be there once: of two entries with the same labels the first holds.
fn once<T>(entries: impl Iterator<Item = (Labels, T)>) -> Vec<(Labels, T)> {
    let mut seen = HashSet::new();
    entries
        .filter(|(labels, _)| seen.insert(labels.clone()))
        .collect()
}

fn family(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (Labels, f64)>,
) -> fmt::Result {
    let mut series = series.peekable();
    if series.peek().is_none() {
        return Ok(());
    }
    writeln!(f, "# HELP {name} {help}\n# TYPE {name} gauge")?;
    for (Labels(labels), value) in series {
        if labels.is_empty() {
            writeln!(f, "{name} {value}")?;
        } else {
            writeln!(f, "{name}{{{labels}}} {value}")?;
        }
    }
    Ok(())
}

fn endpoint_metrics(f: &mut fmt::Formatter<'_>, all: &[(Labels, &Endpoint)]) -> fmt::Result {
    let leaves = || {
        all.iter()
            .filter_map(|(labels, e)| Some((labels, e.chain.first()?)))
    };
    family(
        f,
        "certcheck_endpoint_up",
        "Whether a certificate came from the endpoint.",
        all.iter()
            .map(|(labels, e)| (labels.clone(), f64::from(u8::from(!e.chain.is_empty())))),
    )?;
    family(
        f,
        "certcheck_endpoint_status",
        "The worst that was found: 0 is ok, 1 warn, 2 fail.",
        all.iter()
            .map(|(labels, e)| (labels.clone(), number(e.status))),
    )?;
    family(
        f,
        "certcheck_endpoint_probe_duration_seconds",
        "How long it took until the endpoint was known.",
        all.iter().map(|(labels, e)| (labels.clone(), e.seconds)),
    )?;
    family(
        f,
        "certcheck_endpoint_not_before_timestamp_seconds",
        "When the certificate that the endpoint serves begins.",
        leaves().map(|(labels, leaf)| (labels.clone(), seconds(leaf.not_before.0))),
    )?;
    family(
        f,
        "certcheck_endpoint_not_after_timestamp_seconds",
        "When the certificate that the endpoint serves ends.",
        leaves().map(|(labels, leaf)| (labels.clone(), seconds(leaf.not_after.0))),
    )?;
    family(
        f,
        "certcheck_endpoint_chain_not_after_timestamp_seconds",
        "When the first certificate ends that a client needs: of the endpoint, of the root, or between.",
        all.iter().filter_map(|(labels, e)| {
            // A report of a former version does not say which of the chain are needed.
            let served = || e.chain.iter().map(|c| c.not_after).min();
            let first = e.chain_not_after.or_else(served)?;
            Some((labels.clone(), seconds(first.0)))
        }),
    )?;
    family(
        f,
        "certcheck_endpoint_certificate_info",
        "What the endpoint serves, and which process and container serve it.",
        all.iter()
            .filter_map(|(labels, e)| Some((info(labels, e, e.chain.first()?), 1.0))),
    )?;
    family(
        f,
        "certcheck_endpoint_finding",
        "Something that was found at the endpoint.",
        all.iter()
            .flat_map(|(labels, e)| findings(labels, &e.findings)),
    )
}

fn info(labels: &Labels, endpoint: &Endpoint, leaf: &Certificate) -> Labels {
    let by = endpoint.served_by.as_ref();
    labels.and(&[
        ("subject_cn", &common_name(&leaf.subject)),
        ("issuer_cn", &common_name(&leaf.issuer)),
        ("serial", &leaf.serial),
        ("fingerprint_sha256", &leaf.fingerprint_sha256),
        ("key_algorithm", &leaf.key.algorithm),
        (
            "process",
            by.and_then(|by| by.process.as_deref()).unwrap_or_default(),
        ),
        (
            "container",
            by.and_then(|by| by.container.as_deref())
                .unwrap_or_default(),
        ),
    ])
}

fn findings(labels: &Labels, found: &[crate::Finding]) -> Vec<(Labels, f64)> {
    once(found.iter().map(|finding| {
        let more = [
            ("kind", finding.kind.as_str()),
            ("level", finding.level.word()),
        ];
        (labels.and(&more), 1.0)
    }))
}

fn file_metrics(f: &mut fmt::Formatter<'_>, all: &[(Labels, &FileEntry)]) -> fmt::Result {
    family(
        f,
        "certcheck_file_status",
        "The worst that was found in the file: 0 is ok, 1 warn, 2 fail.",
        all.iter()
            .map(|(labels, file)| (labels.clone(), number(file.status))),
    )?;
    family(
        f,
        "certcheck_file_not_after_timestamp_seconds",
        "When the first certificate of the file ends.",
        all.iter().filter_map(|(labels, file)| {
            Some((labels.clone(), seconds(file.chain.first()?.not_after.0)))
        }),
    )?;
    family(
        f,
        "certcheck_file_served_endpoints",
        "How many endpoints serve the certificate of the file.",
        all.iter()
            .map(|(labels, file)| (labels.clone(), count(file.served_at.len()))),
    )?;
    family(
        f,
        "certcheck_file_finding",
        "Something that was found in the file.",
        all.iter()
            .flat_map(|(labels, file)| findings(labels, &file.findings)),
    )
}

fn whole_metrics(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let shared = Fleet::of([report.clone()]).shared_keys().len();
    for (name, help, value) in [
        (
            "certcheck_shared_keys",
            "Keys that more than one service uses.",
            count(shared),
        ),
        (
            "certcheck_unserved_certificates",
            "Certificates of files that no endpoint serves.",
            count(report.unserved.len()),
        ),
        (
            "certcheck_last_run_timestamp_seconds",
            "When the check ended.",
            seconds(report.generated_at.0),
        ),
    ] {
        family(
            f,
            name,
            help,
            std::iter::once((Labels(String::new()), value)),
        )?;
    }
    Ok(())
}

fn number(level: Level) -> f64 {
    match level {
        Level::Ok => 0.0,
        Level::Warn => 1.0,
        Level::Fail => 2.0,
    }
}

/// Exact: instants and counts are far below 2^53.
#[expect(
    clippy::as_conversions,
    reason = "there is no lossless conversion, and none is needed"
)]
fn seconds(at: i64) -> f64 {
    at as f64
}

fn count(number: usize) -> f64 {
    seconds(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
