// SPDX-License-Identifier: Apache-2.0
//! Lists of revoked certificates: those that the task names, and those that certificates name where the task allows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pki::crl::RevocationList;
use web::{Client, Method, Settings};

use super::files::bytes_of;
use super::{Contents, EndpointSeen, crowd};
use crate::request::{ListSource, Request};

/// A list, or why there is none.
#[derive(Debug)]
pub struct ListSeen {
    /// Where it is.
    pub source: ListSource,
    /// What is in it.
    pub list: Result<RevocationList, String>,
}

/// Lists of big authorities have some megabytes; a cloud's own have a few kilobytes.
const LIMIT: usize = 4 * 1024 * 1024;
/// Servers of lists that are asked at once.
const AT_ONCE: usize = 64;

pub(super) fn read(
    request: &Request,
    endpoints: &[EndpointSeen],
    files: &BTreeMap<PathBuf, Contents>,
    started: Instant,
) -> Vec<ListSeen> {
    let mut sources: BTreeSet<ListSource> = request.revocation.lists.iter().cloned().collect();
    if request.revocation.fetch {
        sources.extend(named(endpoints, files).map(ListSource::Url));
    }
    let sources: Vec<ListSource> = sources.into_iter().collect();
    let left = request.deadline.saturating_sub(started.elapsed());
    let limit = request.timeout.min(left);
    // Without a URL there is nothing to prepare: a client of HTTPS reads the system's roots.
    let asks = sources
        .iter()
        .any(|each| matches!(each, ListSource::Url(_)));
    let client = asks.then(|| client(limit));
    let lists = crowd::each(&sources, AT_ONCE, |source| one(source, client.as_ref()));
    let pairs = sources.into_iter().zip(lists);
    pairs
        .map(|(source, list)| ListSeen { source, list })
        .collect()
}

/// The lists that certificates name; those of LDAP directories are passed over.
fn named<'a>(
    endpoints: &'a [EndpointSeen],
    files: &'a BTreeMap<PathBuf, Contents>,
) -> impl Iterator<Item = String> + 'a {
    let served = endpoints
        .iter()
        .filter_map(|each| each.result.as_ref().ok());
    let served = served.flat_map(|served| &served.chain).map(AsRef::as_ref);
    let kept = files
        .values()
        .filter_map(|each| each.as_ref().ok())
        .flatten();
    let urls = served
        .chain(kept)
        .flat_map(|certificate: &pki::Certificate| &certificate.facts().crl_urls);
    urls.filter(|url| url.starts_with("http://") || url.starts_with("https://"))
        .cloned()
}

/// A list is signed: whoever brings it, and over what, does not matter.
fn client(limit: Duration) -> Result<Client, String> {
    let limit = limit.max(Duration::from_millis(100));
    let settings = Settings {
        connect_timeout: limit,
        timeout: limit,
        body_limit: LIMIT,
        allow_http: true,
        ..Settings::default()
    };
    Client::new(&settings).map_err(|error| error.to_string())
}

fn one(
    source: &ListSource,
    client: Option<&Result<Client, String>>,
) -> Result<RevocationList, String> {
    match source {
        ListSource::File(path) => parse(&bytes_of(path)?),
        ListSource::Url(url) => {
            let client = match client {
                Some(Ok(client)) => client,
                Some(Err(why)) => return Err(why.clone()),
                None => return Err("no client was prepared".to_owned()),
            };
            let request = web::Request::new(Method::Get, url.as_str());
            let answer = client
                .send(&request)
                .map_err(|error| ansible_module::flatten(&error))?;
            match answer.is_success() {
                true => parse(&answer.body),
                false => Err(format!("the server answers with status {}", answer.status)),
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Result<RevocationList, String> {
    let parsed = match bytes.starts_with(&[0x30]) {
        true => RevocationList::from_der(bytes),
        false => RevocationList::from_pem(bytes),
    };
    parsed.map_err(|error| ansible_module::flatten(&error))
}
