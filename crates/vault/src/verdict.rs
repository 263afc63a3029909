// SPDX-License-Identifier: Apache-2.0
//! What an answer means: is it final, will it pass, is it for somebody else. Pure.
//!
//! Most answers with status 500 are final: a mount without a default issuer, an unknown issuer, an issuer without a key.
//! Asking again would find the same, so those that pass are known by their words.

use std::time::Duration;

use serde_json::Value;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is what was asked for.
    Good,
    /// Nothing is there; what is said of that.
    Missing(String),
    /// The token, or its policies, do not allow it.
    Denied(String),
    /// Another server should be asked.
    Elsewhere(String),
    /// It will pass.
    Passing(Passing),
    /// A person must unseal the server, or the namespace.
    Sealed(String),
    /// There is no such namespace.
    NoNamespace,
    /// Nothing is mounted there.
    NoMount,
    /// The mount has no default issuer.
    NoDefaultIssuer(String),
    /// The mount does not have this issuer.
    NoIssuer(String),
    /// It is final.
    Refused(String),
    /// It is no answer of Vault's.
    Foreign(String),
}

/// What will pass, and whether it may have been done already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// The cluster elects a leader; nothing was done.
    Election(String),
    /// The leader changed while it wrote: it may have been done.
    Interrupted(String),
    /// A proxy got no answer: it may have been done.
    Gateway(String),
    /// Too many requests; the server says when to come again, if it says so.
    Quota(String, Option<Duration>),
}

/// Words of a cluster that has no leader at this moment.
const ELECTION: &[&str] = &[
    "local node not active but active cluster node not found",
    "no active Vault instance found",
    "no active OpenBao instance found",
    "node is not the leader",
    "is in standby mode",
];
/// Words of a node that lost its leadership at work.
const INTERRUPTED: &[&str] = &[
    "leadership lost while committing log",
    "leadership transfer in progress",
    "raft is already shutdown",
    "context canceled",
];
const SEALED: &[&str] = &[
    "Vault is sealed",
    "OpenBao is sealed",
    "namespace is sealed",
    "API access to this namespace has been locked",
];

/// Reads an answer.
pub(crate) fn verdict(response: &web::Response) -> Verdict {
    let errors = errors(response);
    let is_json = errors.is_some() || response.body.is_empty();
    let words = errors.as_deref().map(first_line).unwrap_or_default();
    let all = errors.unwrap_or_default().join("\n");
    let says = |known: &[&str]| known.iter().any(|text| all.contains(text));
    match response.status {
        200..=299 => Verdict::Good,
        300..=399 => match response.header("location") {
            Some(location) => Verdict::Elsewhere(location.to_owned()),
            None => Verdict::Foreign(shape(response)),
        },
        // A standby without leader, or one that just lost it.
        500 | 503 if says(ELECTION) => Verdict::Passing(Passing::Election(words)),
        500 if says(INTERRUPTED) => Verdict::Passing(Passing::Interrupted(words)),
        500 | 503 if says(SEALED) => Verdict::Sealed(words),
        412 | 429 => Verdict::Passing(Passing::Quota(words, pause(response))),
        502 | 504 => Verdict::Passing(Passing::Gateway(shape(response))),
        503 if !is_json || all.is_empty() => Verdict::Passing(Passing::Gateway(shape(response))),
        _ if !is_json => Verdict::Foreign(shape(response)),
        403 => Verdict::Denied(all),
        404 if all.contains("namespace not found") => Verdict::NoNamespace,
        404 if all.contains("no handler for route") => Verdict::NoMount,
        404 => Verdict::Missing(words),
        _ if all.contains("no default issuer currently configured") => {
            Verdict::NoDefaultIssuer(words)
        }
        _ if all.contains("unable to find PKI issuer for reference") => Verdict::NoIssuer(words),
        _ => Verdict::Refused(words),
    }
}

/// `{"errors": […]}`; none if it is something else.
fn errors(response: &web::Response) -> Option<Vec<String>> {
    let whole: Value = response.json().ok()?;
    let list = whole.get("errors")?.as_array()?;
    let texts = list.iter().filter_map(Value::as_str);
    Some(texts.map(str::to_owned).collect())
}

/// The first error, without the frame that Go puts around several, and without what is no line of words.
pub(crate) fn first_line(errors: &[String]) -> String {
    /// An answer may quote what was sent.
    const LONGEST: usize = 400;
    let text = errors.first().map_or("", String::as_str);
    let lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("* "));
    let is_frame = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        let is_count = words
            .first()
            .is_some_and(|word| word.parse::<u32>().is_ok());
        is_count && (line.ends_with("errors occurred:") || line.ends_with("error occurred:"))
    };
    let mut lines = lines.filter(|line| !line.is_empty() && !is_frame(line));
    let line = lines.next().unwrap_or("it gives no reason");
    // What it quotes of PEM is of no help in one line.
    let line = line.split("-----BEGIN").next().unwrap_or_default().trim();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    line.chars().take(LONGEST).map(plain).collect()
}

/// Status, size and type: what can be said of a page that nobody should see in a log.
pub(crate) fn shape(response: &web::Response) -> String {
    let kind = match response.media_type() {
        kind if kind.is_empty() => "no content type".to_owned(),
        kind => kind,
    };
    format!(
        "status {}, {} bytes, {kind}",
        response.status,
        response.body.len()
    )
}

/// Only in seconds: a date would need a clock, and Vault sends none.
fn pause(response: &web::Response) -> Option<Duration> {
    let seconds = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> web::Response {
        let named = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        web::Response {
            url: "https://vault.example/v1/pki/sign/web".to_owned(),
            status,
            headers: headers.iter().map(named).collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn said(status: u16, error: &str) -> Verdict {
        let body = serde_json::json!({"errors": [error]}).to_string();
        verdict(&answer(
            status,
            &[("content-type", "application/json")],
            &body,
        ))
    }

    /// The texts are those of OpenBao 2.7.2 and 2.6.2.
    #[test]
    fn each_answer_has_its_class() {
        let text = String::from;
        for (status, error, class) in [
            (
                400,
                "unknown role: web",
                Verdict::Refused(text("unknown role: web")),
            ),
            (
                403,
                "permission denied",
                Verdict::Denied(text("permission denied")),
            ),
            (404, "namespace not found", Verdict::NoNamespace),
            (
                404,
                "no handler for route \"pki/x\". route entry not found.",
                Verdict::NoMount,
            ),
            (404, "x", Verdict::Missing(text("x"))),
            (
                405,
                "unsupported operation",
                Verdict::Refused(text("unsupported operation")),
            ),
            (
                415,
                "PATCH requires Content-Type",
                Verdict::Refused(text("PATCH requires Content-Type")),
            ),
            (
                500,
                "no default issuer currently configured",
                Verdict::NoDefaultIssuer(text("no default issuer currently configured")),
            ),
            (
                400,
                "no default issuer currently configured",
                Verdict::NoDefaultIssuer(text("no default issuer currently configured")),
            ),
            (
                500,
                "unable to find PKI issuer for reference: x",
                Verdict::NoIssuer(text("unable to find PKI issuer for reference: x")),
            ),
            (
                500,
                "unable to fetch corresponding key for issuer x",
                Verdict::Refused(text("unable to fetch corresponding key for issuer x")),
            ),
            (
                503,
                "Vault is sealed",
                Verdict::Sealed(text("Vault is sealed")),
            ),
            (
                503,
                "namespace is sealed",
                Verdict::Sealed(text("namespace is sealed")),
            ),
            (
                500,
                "local node not active but active cluster node not found",
                Verdict::Passing(Passing::Election(text(
                    "local node not active but active cluster node not found",
                ))),
            ),
            (
                503,
                "no active Vault instance found",
                Verdict::Passing(Passing::Election(text("no active Vault instance found"))),
            ),
            (
                500,
                "1 error occurred:\n\t* leadership lost while committing log\n\n",
                Verdict::Passing(Passing::Interrupted(text(
                    "leadership lost while committing log",
                ))),
            ),
            (
                429,
                "request path \"pki/sign/web\": rate limit quota exceeded",
                Verdict::Passing(Passing::Quota(
                    text("request path \"pki/sign/web\": rate limit quota exceeded"),
                    None,
                )),
            ),
        ] {
            assert_eq!(said(status, error), class, "{status} {error}");
        }
    }

    #[test]
    fn a_page_of_a_proxy_is_never_quoted() {
        let html = [("content-type", "text/html")];
        let page = "<html>secret of the proxy</html>";
        for (status, passes) in [
            (502, true),
            (503, true),
            (504, true),
            (403, false),
            (404, false),
            (500, false),
        ] {
            let found = verdict(&answer(status, &html, page));
            let shape = format!("status {status}, 32 bytes, text/html");
            let wanted = match passes {
                true => Verdict::Passing(Passing::Gateway(shape)),
                false => Verdict::Foreign(shape),
            };
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn redirects_and_pauses_are_in_headers() {
        let redirect = answer(307, &[("location", "https://b.example/v1/x")], "");
        assert_eq!(
            verdict(&redirect),
            Verdict::Elsewhere("https://b.example/v1/x".into())
        );
        assert!(matches!(
            verdict(&answer(307, &[], "")),
            Verdict::Foreign(_)
        ));
        let body = "{\"errors\":[\"rate limit quota exceeded\"]}";
        let late = answer(
            429,
            &[("content-type", "application/json"), ("retry-after", "7")],
            body,
        );
        let words = "rate limit quota exceeded".to_owned();
        let quota = Passing::Quota(words, Some(Duration::from_secs(7)));
        assert_eq!(verdict(&late), Verdict::Passing(quota));
    }

    #[test]
    fn the_first_line_has_no_frame_and_no_pem() {
        let line = |text: &str| first_line(&[text.to_owned()]);
        assert_eq!(
            line("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"),
            "permission denied"
        );
        assert_eq!(line("bad: -----BEGIN CERTIFICATE-----\nMII"), "bad:");
        assert_eq!(line(&"x".repeat(900)).len(), 400);
        assert_eq!(first_line(&[]), "it gives no reason");
        assert_eq!(line("10 names are too many"), "10 names are too many");
    }
}
