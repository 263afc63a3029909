// SPDX-License-Identifier: Apache-2.0
//! What Ansible sent: the table of options and the structs that it fills. No thinking here.

use ansible_module::{Element, Kind, OptionSpec};
use serde::Deserialize;

/// What comes before TLS; the words of `tls_probe::StartTls`, and two more.
const STARTTLS: &[&str] = &[
    "auto", "none", "imap", "ldap", "mysql", "pop3", "postgres", "smtp", "vnc", "xmpp",
];

const ENDPOINT: &[OptionSpec] = &[
    OptionSpec::new("service", Kind::Str).aliases(&["name"]),
    OptionSpec::new("host", Kind::Str).required(),
    OptionSpec::new("address", Kind::Str),
    OptionSpec::new("port", Kind::Int).default("443"),
    OptionSpec::new("sni", Kind::Str),
    OptionSpec::new("starttls", Kind::Str)
        .choices(STARTTLS)
        .default(r#""auto""#),
    OptionSpec::new("names", Kind::List(Element::Str)),
    OptionSpec::new("certificate", Kind::Path),
    OptionSpec::new("warn", Kind::Str),
    OptionSpec::new("fail", Kind::Str),
    OptionSpec::new("allow_shared", Kind::Bool).default("false"),
];

const FILE: &[OptionSpec] = &[
    OptionSpec::new("service", Kind::Str).aliases(&["name"]),
    OptionSpec::new("path", Kind::Path).required(),
    OptionSpec::new("private_key", Kind::Path),
    OptionSpec::new("names", Kind::List(Element::Str)),
    OptionSpec::new("warn", Kind::Str),
    OptionSpec::new("fail", Kind::Str),
    OptionSpec::new("allow_shared", Kind::Bool).default("false"),
    OptionSpec::new("served", Kind::Bool).default("true"),
];

const TRUST: &[OptionSpec] = &[
    OptionSpec::new("ca_path", Kind::List(Element::Path)).default("[]"),
    OptionSpec::new("system", Kind::Bool).default("true"),
];

const REVOCATION: &[OptionSpec] = &[
    OptionSpec::new("crl", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("fetch", Kind::Bool).default("false"),
    OptionSpec::new("stapled", Kind::Bool).default("true"),
];

const REPORT: &[OptionSpec] = &[
    OptionSpec::new("host", Kind::Str),
    OptionSpec::new("html", Kind::Path),
    OptionSpec::new("prometheus", Kind::Path),
    OptionSpec::new("json", Kind::Path),
    OptionSpec::new("include", Kind::List(Element::Path)).default("[]"),
];

/// The one table of options of `cert_check`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("endpoints", Kind::List(Element::Dict))
        .options(ENDPOINT)
        .default("[]"),
    OptionSpec::new("domains", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("files", Kind::List(Element::Dict))
        .options(FILE)
        .default("[]"),
    OptionSpec::new("warn", Kind::Str),
    OptionSpec::new("fail", Kind::Str),
    OptionSpec::new("trust", Kind::Dict)
        .options(TRUST)
        .default(r#"{"ca_path": [], "system": true}"#),
    OptionSpec::new("revocation", Kind::Dict)
        .options(REVOCATION)
        .default(r#"{"crl": [], "fetch": false, "stapled": true}"#),
    OptionSpec::new("timeout", Kind::Int).default("10"),
    OptionSpec::new("deadline", Kind::Int).default("120"),
    OptionSpec::new("parallel", Kind::Int).default("512"),
    OptionSpec::new("attribution", Kind::Str)
        .choices(&["auto", "never"])
        .default(r#""auto""#),
    OptionSpec::new("engine_socket", Kind::Path),
    OptionSpec::new("fail_on", Kind::Str)
        .choices(&["none", "fail", "warn"])
        .default(r#""fail""#),
    OptionSpec::new("report", Kind::Dict)
        .options(REPORT)
        .default(r#"{"include": []}"#),
];

/// All options of one task.
#[derive(Debug, Deserialize)]
pub struct Params {
    /// Where to look.
    pub endpoints: Vec<EndpointParams>,
    /// Where to look, as `host`, `host:port` or `host port`.
    pub domains: Vec<String>,
    /// Certificates in files.
    pub files: Vec<FileParams>,
    /// When an end is near.
    pub warn: Option<String>,
    /// When it is too near.
    pub fail: Option<String>,
    /// Whose certificates count.
    pub trust: TrustParams,
    /// How to find out that a certificate was revoked.
    pub revocation: RevocationParams,
    /// Seconds for one endpoint.
    pub timeout: i64,
    /// Seconds for all of them.
    pub deadline: i64,
    /// Endpoints at once.
    pub parallel: i64,
    /// auto or never.
    pub attribution: String,
    /// Path of the engine's socket.
    pub engine_socket: Option<String>,
    /// none, fail or warn.
    pub fail_on: String,
    /// What to write.
    pub report: ReportParams,
}

/// One endpoint.
#[derive(Debug, Deserialize)]
pub struct EndpointParams {
    /// What the service is called.
    pub service: Option<String>,
    /// Name or address.
    pub host: String,
    /// The address to connect to, instead of looking the host up.
    pub address: Option<String>,
    /// The port.
    pub port: i64,
    /// The server name to send.
    pub sni: Option<String>,
    /// What comes before TLS.
    pub starttls: String,
    /// Names that the certificate must be good for.
    pub names: Option<Vec<String>>,
    /// The file that it must serve.
    pub certificate: Option<String>,
    /// As of the task.
    pub warn: Option<String>,
    /// As of the task.
    pub fail: Option<String>,
    /// Others may have the same key.
    pub allow_shared: bool,
}

/// One file.
#[derive(Debug, Deserialize)]
pub struct FileParams {
    /// What the service is called.
    pub service: Option<String>,
    /// Where the certificates are.
    pub path: String,
    /// Where the key is.
    pub private_key: Option<String>,
    /// Names that the certificate must be good for.
    pub names: Option<Vec<String>>,
    /// As of the task.
    pub warn: Option<String>,
    /// As of the task.
    pub fail: Option<String>,
    /// Others may have the same key.
    pub allow_shared: bool,
    /// Some endpoint must serve it.
    pub served: bool,
}

/// Whose certificates count.
#[derive(Debug, Deserialize)]
pub struct TrustParams {
    /// Files and directories of roots.
    pub ca_path: Vec<String>,
    /// The system's too.
    pub system: bool,
}

/// How to find out that a certificate was revoked.
#[derive(Debug, Deserialize)]
pub struct RevocationParams {
    /// Files and URLs of lists.
    pub crl: Vec<String>,
    /// Fetch the lists that certificates name.
    pub fetch: bool,
    /// Look at the answer that servers hand out themselves.
    pub stapled: bool,
}

/// What to write.
#[derive(Debug, Deserialize)]
pub struct ReportParams {
    /// What this host is called.
    pub host: Option<String>,
    /// The page.
    pub html: Option<String>,
    /// The textfile of node_exporter.
    pub prometheus: Option<String>,
    /// The report itself.
    pub json: Option<String>,
    /// Reports of other hosts, for the page.
    pub include: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_defects() {
        assert_eq!(ansible_module::table_defects(OPTIONS), Vec::<String>::new());
    }

    #[test]
    fn every_protocol_that_can_be_probed_can_be_named() {
        for protocol in tls_probe::StartTls::ALL {
            assert!(STARTTLS.contains(&protocol.name()), "{protocol:?}");
        }
    }
}
