// SPDX-License-Identifier: Apache-2.0
//! Certificates: downloading, choosing among chains (RFC 8555 §7.4.2).

use std::str::FromStr;

use pki::{CLOCK_TOLERANCE, Certificate, CertificateRequest, Timestamp, chain};
use web::Response;

use crate::{Account, Error, Result};

/// What a chain is sent as (RFC 8555 §9.1).
const CHAIN: &str = "application/pem-certificate-chain";
/// More alternatives are not looked at.
const ALTERNATE_LIMIT: usize = 10;

/// A certificate with what the server sends to vouch for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Where it came from.
    pub url: String,
    /// The certificate, its issuer, and so on; usually without the root.
    pub certificates: Vec<Certificate>,
}

impl Chain {
    /// All of it in PEM.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }

    /// The name of the root that it leads to: the issuer of its last certificate.
    pub fn root_name(&self) -> String {
        self.certificates.last().map_or_else(String::new, |last| {
            let issuer = &last.facts().issuer;
            let name = issuer.common_name().map(str::to_owned);
            name.unwrap_or_else(|| issuer.to_string())
        })
    }
}

/// Which of the chains that a server offers is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreferredChain {
    /// The one to the root with this common name.
    CommonName(String),
    /// The one to the root with this key identifier.
    KeyIdentifier(Vec<u8>),
    /// The one to the root with this subject, as `CN=a, O=b`.
    Subject(String),
}

/// `CN=a, O=b` is a subject, 40 hexadecimal digits (with or without colons) are a key identifier, and anything else is
/// a common name.
impl FromStr for PreferredChain {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.replace(':', "").to_ascii_uppercase();
        let is_hex = hex.len() == 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(match data_encoding::HEXUPPER.decode(hex.as_bytes()) {
            Ok(bytes) if is_hex => Self::KeyIdentifier(bytes),
            _ if text.contains('=') => Self::Subject(text.to_owned()),
            _ => Self::CommonName(text.to_owned()),
        })
    }
}

impl PreferredChain {
    /// Whether a chain leads there. Only its last certificate counts: a cross-signed root stands in many chains.
    pub fn is_met_by(&self, chain: &Chain) -> bool {
        let Some(last) = chain.certificates.last() else {
            return false;
        };
        let facts = last.facts();
        match self {
            Self::CommonName(name) => facts.issuer.common_name() == Some(name.as_str()),
            Self::KeyIdentifier(bytes) => facts.authority_key_identifier.as_ref() == Some(bytes),
            Self::Subject(text) => facts.issuer.to_string() == *text,
        }
    }
}

/// What was downloaded, and what else there was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The chain that was chosen, the server's own if no other was asked for or none fits.
    pub chain: Chain,
    /// The roots of all chains that were looked at.
    pub roots: Vec<String>,
    /// Whether the preferred chain was found; true if none was asked for.
    pub is_preferred: bool,
}

impl Account {
    /// Downloads the certificate of an order, and its alternatives until one leads where it shall. An alternative that
    /// is wrong or gone, or on another host, is passed over: the certificate is good without it.
    ///
    /// # Errors
    /// [`Error::CertificateWrong`] if it is not for the key or the names of the request, or not valid now.
    pub fn download(
        &self,
        url: &str,
        request: &CertificateRequest,
        preferred: Option<&PreferredChain>,
    ) -> Result<Issued> {
        let (chain, alternates) = self.chain(url, request)?;
        let mut roots = vec![chain.root_name()];
        let fits = |chain: &Chain| preferred.is_none_or(|wish| wish.is_met_by(chain));
        if fits(&chain) {
            return Ok(Issued {
                chain,
                roots,
                is_preferred: true,
            });
        }
        for url in alternates.iter().take(ALTERNATE_LIMIT) {
            let (other, _) = match self.chain(url, request) {
                Ok(chain) => chain,
                Err(
                    Error::BadAnswer { .. }
                    | Error::CertificateWrong { .. }
                    | Error::Problem { .. }
                    | Error::Web(web::Error::Content { .. } | web::Error::TooLarge { .. }),
                ) => continue,
                Err(other) => return Err(other),
            };
            roots.push(other.root_name());
            if fits(&other) {
                return Ok(Issued {
                    chain: other,
                    roots,
                    is_preferred: true,
                });
            }
        }
        Ok(Issued {
            chain,
            roots,
            is_preferred: false,
        })
    }

    fn chain(&self, url: &str, request: &CertificateRequest) -> Result<(Chain, Vec<String>)> {
        let answer = self.post_for(url, None, CHAIN)?;
        let media_type = answer.media_type();
        if media_type != CHAIN {
            let what = format!("status {}, {media_type}", answer.status);
            return Err(answer.content("a certificate chain in PEM", what).into());
        }
        let wrong = |error: chain::Error| Error::CertificateWrong {
            url: web::shown(url),
            reason: error.to_string(),
        };
        let certificates = chain::parse_bundle(&answer.body).map_err(wrong)?;
        let expectation = chain::Expectation {
            public_key: &request.public_key(),
            names: Some(&request.template()?.names),
            trust: chain::Trust::Partial,
            now: self.instant_for(&answer, &certificates)?,
        };
        chain::verify(certificates.clone(), &expectation).map_err(wrong)?;
        let alternates = links(&answer, "alternate")
            .filter_map(|to| web::join(url, to))
            .filter(|to| self.server().own(url, to).is_ok())
            .collect();
        let url = url.to_owned();
        Ok((Chain { url, certificates }, alternates))
    }

    /// When a chain is judged: now, or when its first certificate begins, if a clock that is a little behind that of
    /// the server makes this later. What the server has just issued is not of the future, and one that has ended here
    /// but not at the server, by the date of its answer, is good: the clock here is not, and ordering anew would only
    /// cost another certificate.
    fn instant_for(&self, answer: &Response, certificates: &[Certificate]) -> Result<Timestamp> {
        let now = self.server().clock().now();
        let Some(leaf) = certificates.first().map(Certificate::facts) else {
            return Ok(now);
        };
        let there = answer.header("date").and_then(web::parse_http_date);
        match there.map(Timestamp) {
            _ if leaf.not_before > now + CLOCK_TOLERANCE => Err(Error::ClockBehind {
                url: answer.url.clone(),
                begins: leaf.not_before,
                now,
            }),
            Some(there) if there < leaf.not_after && leaf.not_after <= now => {
                Err(Error::ClockAhead {
                    url: answer.url.clone(),
                    ends: leaf.not_after,
                    now,
                    there,
                })
            }
            _ => Ok(now.max(leaf.not_before)),
        }
    }
}

/// The targets of all links of a relation (RFC 8288), several of which may stand in one header.
pub(crate) fn links<'a>(answer: &'a Response, relation: &'a str) -> impl Iterator<Item = &'a str> {
    answer
        .headers_named("link")
        .flat_map(separated)
        .filter_map(move |link| {
            let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let is_wanted = parameters.split(';').any(|parameter| {
                let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
                let mut words = value.trim_matches('"').split_ascii_whitespace();
                name.eq_ignore_ascii_case("rel") && words.any(|word| word == relation)
            });
            is_wanted.then_some(target)
        })
}

/// The parts between commas, but for those in a URL or a quoted text.
fn separated(value: &str) -> impl Iterator<Item = &str> {
    let (mut in_url, mut in_quotes) = (false, false);
    value.split(move |c| {
        match c {
            '<' if !in_quotes => in_url = true,
            '>' if !in_quotes => in_url = false,
            '"' if !in_url => in_quotes = !in_quotes,
            _ => {}
        }
        c == ',' && !in_url && !in_quotes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_relation() {
        let found = |values: &[&str]| {
            let headers = values
                .iter()
                .map(|value| ("link".to_owned(), (*value).to_owned()));
            let answer = Response {
                url: String::new(),
                status: 200,
                headers: headers.collect(),
                body: Vec::new(),
            };
            links(&answer, "alternate")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            found(&[
                "<https://a/1>;rel=\"index\"",
                "<https://a/2>; title=\"x, y\"; rel=alternate"
            ]),
            ["https://a/2"]
        );
        assert_eq!(
            found(&["<https://a/1?x=1,2>;rel=\"alternate up\", </3>;REL=\"alternate\",<4>;rel=up"]),
            ["https://a/1?x=1,2", "/3"]
        );
        for hostile in [
            "",
            ",,,",
            "<",
            ">;rel=alternate",
            "<a;rel=alternate",
            "\"<a>;rel=alternate",
        ] {
            assert!(found(&[hostile]).is_empty(), "{hostile}");
        }
    }
}
