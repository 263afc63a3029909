// SPDX-License-Identifier: Apache-2.0
//! Looking at one's own proof the way the certificate authority will, before it does: its failures count.

use std::sync::Arc;
use std::time::{Duration, Instant};

use web::{Client, Method, Request, Resolver};

use crate::problem::clean;
use crate::{Identifier, Result};

/// How long a name may be out of reach before that is taken for a property of the network.
const UNREACHED: Duration = Duration::from_secs(10);
/// The pause between two looks; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What is demanded of the look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The proof must be seen.
    Seen,
    /// Nothing wrong must be seen; a name that cannot be reached from here may be reached from outside.
    NotWrong,
}

/// How it is looked.
#[derive(Debug)]
pub struct SelfCheck {
    client: Client,
    port: u16,
    within: Duration,
    demand: Demand,
}

/// What one look showed.
enum Look {
    Right,
    /// It goes elsewhere, where we cannot follow: what counts there is not known here.
    Elsewhere(String),
    Unreached(String),
    Wrong(String),
}

impl SelfCheck {
    /// At `port`: that is 80 for all authorities but those of tests.
    ///
    /// # Errors
    /// [`Error::Web`](crate::Error::Web) if TLS cannot be set up.
    pub fn new(
        resolver: Arc<dyn Resolver>,
        port: u16,
        within: Duration,
        demand: Demand,
    ) -> Result<Self> {
        let client = Client::new(&web::Settings {
            connect_timeout: Duration::from_secs(4).min(within),
            timeout: Duration::from_secs(5).min(within),
            body_limit: 8 << 10,
            allow_http: true,
            resolver,
            ..web::Settings::default()
        })?;
        Ok(Self {
            client,
            port,
            within,
            demand,
        })
    }

    /// Looks until the proof is there. What it gives is a warning: the authority may see what could not be seen here.
    ///
    /// # Errors
    /// What is seen instead, when the time is over.
    pub fn wait(
        &self,
        identifier: &Identifier,
        path: &str,
        content: &str,
    ) -> Result<Option<String>, String> {
        self.wait_since(Instant::now(), identifier, path, content)
    }

    /// The same for one of several names, whose time runs since then.
    pub(super) fn wait_since(
        &self,
        begun: Instant,
        identifier: &Identifier,
        path: &str,
        content: &str,
    ) -> Result<Option<String>, String> {
        let url = self.url(identifier, path);
        let mut pause = FIRST_PAUSE;
        loop {
            let seen = self.look(&url, content);
            let is_over = begun.elapsed() + pause > self.within;
            let is_elsewhere = begun.elapsed() + pause > self.within.min(UNREACHED);
            let may_pass = self.demand == Demand::NotWrong;
            match seen {
                Look::Right => return Ok(None),
                Look::Unreached(why) | Look::Elsewhere(why) if may_pass && is_elsewhere => {
                    return Ok(Some(format!(
                        "the proof for {identifier} could not be seen from here, which the server may well do: {why}"
                    )));
                }
                Look::Unreached(why) | Look::Elsewhere(why) | Look::Wrong(why) if is_over => {
                    return Err(format!(
                        "http://{}{path} did not show the proof within {} s: {why}",
                        self.host(identifier),
                        self.within.as_secs()
                    ));
                }
                _ => {}
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn look(&self, url: &str, content: &str) -> Look {
        let answer = match self.client.send(&Request::new(Method::Get, url)) {
            Ok(answer) => answer,
            Err(
                error @ (web::Error::Connect { .. }
                | web::Error::Resolve { .. }
                | web::Error::TimedOut { .. }),
            ) => return Look::Unreached(error.to_string()),
            Err(error) => return Look::Wrong(error.to_string()),
        };
        match answer.status {
            // RFC 8555 §8.3: white space at the end is ignored.
            200 if answer.body.trim_ascii_end() == content.as_bytes() => Look::Right,
            200 => Look::Wrong(format!(
                "it shows {} bytes of something else",
                answer.body.len()
            )),
            301 | 302 | 303 | 307 | 308 => {
                let to = answer.header("location").unwrap_or_default();
                Look::Elsewhere(clean(&format!("it leads to {}", web::shown(to))))
            }
            status => Look::Wrong(format!("it answers with status {status}")),
        }
    }

    fn url(&self, identifier: &Identifier, path: &str) -> String {
        format!("http://{}{path}", self.host(identifier))
    }

    /// With the port, where it is not that of HTTP.
    fn host(&self, identifier: &Identifier) -> String {
        let host = match identifier {
            Identifier::Ip(std::net::IpAddr::V6(address)) => format!("[{address}]"),
            other => other.value(),
        };
        match self.port {
            80 => host,
            port => format!("{host}:{port}"),
        }
    }
}
