// SPDX-License-Identifier: Apache-2.0
//! Signed requests of Amazon's services, version 4.

use std::fmt;

use pki::{MacHash, MacKey, sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::{Error, Result};

/// Who asks. `Debug` shows no secret.
#[derive(Clone)]
pub struct Credentials {
    /// The access key's identifier.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// What comes with it if it is temporary.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            access_key,
            secret_key: _,
            session_token: _,
        } = self;
        f.debug_struct("Credentials")
            .field("access_key", access_key)
            .finish_non_exhaustive()
    }
}

/// What is signed.
pub(super) struct Signable<'a> {
    pub(super) method: &'a str,
    /// Host and port, as the `Host` header has them.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// Escaped, and in the order of the names.
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// Where a signature holds.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The headers that make a signed request of it, at a time in seconds since 1970.
pub(super) fn headers(
    credentials: &Credentials,
    scope: &Scope<'_>,
    request: &Signable<'_>,
    now: u64,
) -> Result<Vec<(&'static str, String)>> {
    let stamp = stamp(now)?;
    let day = stamp.get(..8).unwrap_or_default();
    let mut headers = vec![("x-amz-date", stamp.clone())];
    if let Some(token) = &credentials.session_token {
        headers.push(("x-amz-security-token", token.clone()));
    }
    let signed = std::iter::once(("host", request.host))
        .chain(headers.iter().map(|(name, value)| (*name, value.as_str())));
    let signed: Vec<(&str, &str)> = signed.collect();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let Signable {
        method,
        path,
        query,
        body,
        ..
    } = request;
    let canonical = format!(
        "{method}\n{path}\n{query}\n{lines}\n{names}\n{}",
        hex(&sha256(body))
    );
    let Scope { region, service } = scope;
    let place = format!("{day}/{region}/{service}/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{place}\n{}",
        hex(&sha256(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for part in [day, region, service, "aws4_request"] {
        key = code(key, part)?;
    }
    let signature = hex(&code(key, &text)?);
    headers.push((
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{place}, SignedHeaders={names}, Signature={signature}",
            credentials.access_key
        ),
    ));
    Ok(headers)
}

fn code(key: Vec<u8>, text: &str) -> Result<Vec<u8>> {
    MacKey::new(MacHash::Sha256, key)
        .and_then(|key| key.code(&[text.as_bytes()]))
        .map_err(|error| unusable(error.to_string()))
}

fn stamp(now: u64) -> Result<String> {
    let time = i64::try_from(now).ok();
    let time = time.and_then(|now| OffsetDateTime::from_unix_timestamp(now).ok());
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    time.and_then(|time| time.format(form).ok())
        .ok_or_else(|| unusable(format!("the time {now} is no date")))
}

fn unusable(why: String) -> Error {
    Error::Configuration {
        what: "signature for Route 53".into(),
        why,
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// `get-vanilla` and `get-vanilla-query-order-key` of Amazon's test suite for signatures.
    #[test]
    fn the_signatures_of_amazons_test_suite_come_out() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        let scope = Scope {
            region: "us-east-1",
            service: "service",
        };
        for (query, signature) in [
            (
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "Param1=value1&Param2=value2",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            let request = Signable {
                method: "GET",
                host: "example.amazonaws.com",
                path: "/",
                query,
                body: b"",
            };
            let headers = headers(&credentials, &scope, &request, 1_440_938_160).unwrap();
            assert_eq!(headers[0], ("x-amz-date", "20150830T123600Z".to_owned()));
            assert_eq!(
                headers[1],
                (
                    "authorization",
                    format!(
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
                    )
                )
            );
        }
        assert_eq!(
            format!("{credentials:?}"),
            "Credentials { access_key: \"AKIDEXAMPLE\", .. }"
        );
    }
}
