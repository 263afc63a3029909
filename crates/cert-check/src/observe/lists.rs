// SPDX-License-Identifier: Apache-2.0
//! Lists of revoked certificates: those that the task names, and those that certificates name where the task allows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
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
/// Certificates come from strangers. Real ones name a list or two.
const MOST_OF_ONE: usize = 4;
/// Lists that certificates name and that are fetched: more than the authorities of any cloud.
const MOST: usize = 200;
/// Bytes of fetched lists that are kept.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(super) fn read(
    request: &Request,
    endpoints: &[EndpointSeen],
    files: &BTreeMap<PathBuf, Contents>,
    started: Instant,
) -> Vec<ListSeen> {
    let mut sources: Vec<ListSource> = request.revocation.lists.clone();
    sources.sort();
    sources.dedup();
    let mut too_many = Vec::new();
    if request.revocation.fetch {
        let wanted = most_wanted(certificates(endpoints, files));
        let wanted = wanted
            .into_iter()
            .map(|url| ListSource::Url(url.to_owned()));
        let mut further: Vec<ListSource> = wanted.filter(|each| !sources.contains(each)).collect();
        too_many = further.split_off(MOST.min(further.len()));
        sources.extend(further);
    }
    let bounds = Bounds::new(request.deadline, started);
    // Without a URL there is nothing to prepare: a client of HTTPS reads the system's roots.
    let asks = sources
        .iter()
        .any(|each| matches!(each, ListSource::Url(_)));
    let client = asks.then(|| client(request.timeout.min(bounds.left())));
    let lists = crowd::each(&sources, AT_ONCE, |source| {
        one(source, client.as_ref(), &bounds)
    });
    let read = sources.into_iter().zip(lists);
    let left_out = too_many.into_iter().map(|source| {
        let why = format!("it was not fetched: the certificates name more than {MOST} lists");
        (source, Err(why))
    });
    read.chain(left_out)
        .map(|(source, list)| ListSeen { source, list })
        .collect()
}

/// All that were seen.
fn certificates<'a>(
    endpoints: &'a [EndpointSeen],
    files: &'a BTreeMap<PathBuf, Contents>,
) -> impl Iterator<Item = &'a [String]> {
    let served = endpoints
        .iter()
        .filter_map(|each| each.result.as_ref().ok());
    let served = served.flat_map(|served| &served.chain).map(AsRef::as_ref);
    let kept = files
        .values()
        .filter_map(|each| each.as_ref().ok())
        .flatten();
    let all = served.chain(kept);
    all.map(|certificate: &pki::Certificate| certificate.facts().crl_urls.as_slice())
}

/// The lists that certificates name, a few of each certificate; those of LDAP directories are passed over. The list that
/// most certificates name is first: one certificate with names of its own does not crowd out the others.
fn most_wanted<'a>(certificates: impl Iterator<Item = &'a [String]>) -> Vec<&'a str> {
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for urls in certificates {
        let urls = urls
            .iter()
            .filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        for url in urls.take(MOST_OF_ONE) {
            *wanted.entry(url).or_default() += 1;
        }
    }
    let mut wanted: Vec<(&str, usize)> = wanted.into_iter().collect();
    wanted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    wanted.into_iter().map(|(url, _)| url).collect()
}

/// What may be spent on lists.
struct Bounds {
    deadline: Duration,
    started: Instant,
    kept: AtomicUsize,
}

impl Bounds {
    fn new(deadline: Duration, started: Instant) -> Self {
        Self {
            deadline,
            started,
            kept: AtomicUsize::new(0),
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.started.elapsed())
    }

    /// Before a list is fetched.
    fn in_time(&self) -> Result<(), String> {
        if self.left().is_zero() {
            let seconds = self.deadline.as_secs();
            return Err(format!(
                "it was not fetched: the time for all, {seconds} s, was over; give a longer 'deadline'"
            ));
        }
        self.keep(0)
    }

    /// Before a list of so many bytes is kept.
    fn keep(&self, bytes: usize) -> Result<(), String> {
        let before = self.kept.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > MOST_BYTES {
            let most = MOST_BYTES / 1024 / 1024;
            return Err(format!(
                "it is not kept: the lists have more than {most} MiB together"
            ));
        }
        Ok(())
    }
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
    bounds: &Bounds,
) -> Result<RevocationList, String> {
    match source {
        ListSource::File(path) => parse(&bytes_of(path)?),
        ListSource::Url(url) => {
            let client = match client {
                Some(Ok(client)) => client,
                Some(Err(why)) => return Err(why.clone()),
                None => return Err("no client was prepared".to_owned()),
            };
            bounds.in_time()?;
            let request = web::Request::new(Method::Get, url.as_str());
            let answer = client
                .send(&request)
                .map_err(|error| ansible_module::flatten(&error))?;
            if !answer.is_success() {
                return Err(format!("the server answers with status {}", answer.status));
            }
            bounds.keep(answer.body.len())?;
            parse(&answer.body)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_certificate_with_many_lists_crowds_out_nobody() {
        let greedy: Vec<String> = (0..1000).map(|n| format!("http://a.test/{n}")).collect();
        let usual = urls(&["ldap://z.test/", "https://z.test/"]);
        let all = [&greedy, &usual, &usual].map(Vec::as_slice);
        let wanted = most_wanted(all.into_iter());
        let first = ["https://z.test/", "http://a.test/0"];
        assert_eq!((&wanted[..2], wanted.len()), (&first[..], 1 + MOST_OF_ONE));
    }

    #[test]
    fn nothing_is_fetched_after_the_deadline_and_nothing_kept_beyond_the_bound() {
        let bounds = Bounds::new(Duration::from_secs(3600), Instant::now());
        assert_eq!(bounds.in_time(), Ok(()));
        assert_eq!(bounds.keep(MOST_BYTES), Ok(()));
        assert!(bounds.keep(1).is_err_and(|why| why.contains("64 MiB")));
        assert!(bounds.in_time().is_err());
        let late = Bounds::new(Duration::ZERO, Instant::now());
        assert!(late.in_time().is_err_and(|why| why.contains("deadline")));
    }
}
