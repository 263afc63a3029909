// SPDX-License-Identifier: Apache-2.0
//! A lock that all nodes of a cluster see: a property in its configuration, with an end.
//!
//! TripleO's scripts keep the same: a `cluster_property_set` of its own whose one value is `OWNER:END`, END in seconds
//! since 1970. Only one can create it, it is changed and deleted only where it still has the value that we know, and
//! who was killed loses it when its time is up. The nodes' clocks must agree, as pacemaker wants it anyway.

use std::time::{Duration, Instant, SystemTime};

use super::{ABSENT, failed, is_plain, node, tool};
use crate::{Error, Result};

/// What `cibadmin --create` ends with where it is there (CRM_EX_EXISTS): somebody else was quicker.
const EXISTS: i32 = 108;
/// Between two looks at a lock that somebody holds.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(30);

/// The time, as it was when the program began and as it has gone on since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: SystemTime,
    since: Instant,
}

impl Clock {
    /// Begins now.
    pub fn new(now: SystemTime) -> Self {
        Self {
            began: now,
            since: Instant::now(),
        }
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        self.began + self.since.elapsed()
    }

    /// In seconds since 1970.
    fn seconds(&self) -> u64 {
        let since = self.now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }
}

/// Which lock, and for how long.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Its name.
    pub name: String,
    /// How long it is held unless it is prolonged.
    pub ttl: Duration,
    /// How long to wait for it.
    pub wait: Duration,
}

/// Who holds a lock, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The value as it is.
    value: String,
    /// A node, and with us `NODE/PROCESS`.
    pub owner: String,
    /// The end, in seconds since 1970.
    pub until: Option<u64>,
}

impl Held {
    fn read(value: &str) -> Self {
        let (owner, until) = match value.split_once(':') {
            Some((owner, until)) => (owner, until.parse().ok()),
            None => (value, None),
        };
        Self {
            value: value.to_owned(),
            owner: owner.to_owned(),
            until,
        }
    }

    /// Whether its time is up. What has no end that we can read never is.
    fn is_stale(&self, now: u64) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// For messages.
    pub fn describe(&self) -> String {
        let who = match self.owner.split_once('/') {
            Some((node, process)) => format!("process {process} on node '{node}'"),
            None => format!("'{}'", self.owner),
        };
        match self.until {
            Some(until) => format!(
                "{who}, until {}",
                crate::Instant(i128::from(until) * 1_000_000_000)
            ),
            None => format!("{who}, without an end that could be read"),
        }
    }
}

/// A lock that we hold. Given back when it is dropped.
#[derive(Debug)]
pub struct Lock {
    terms: Terms,
    owner: String,
    value: String,
    clock: Clock,
    /// Whether somebody else held it at first.
    pub has_waited: bool,
    is_held: bool,
}

impl Lock {
    /// Takes it, and waits for whoever holds it.
    ///
    /// # Errors
    /// [`Error::Locked`] if they hold it for longer than we wait.
    pub fn take(terms: &Terms, clock: Clock) -> Result<Self> {
        let Some(node) = node(QUESTION)? else {
            return Err(Error::NoCluster {
                name: terms.name.clone(),
            });
        };
        let mut lock = Self {
            terms: terms.clone(),
            owner: format!("{node}/{}", std::process::id()),
            value: String::new(),
            clock,
            has_waited: false,
            is_held: false,
        };
        let deadline = crate::deadline::deadline(terms.wait);
        loop {
            let Some(held) = lock.attempt()? else {
                return Ok(lock);
            };
            lock.has_waited = true;
            if Instant::now() >= deadline {
                return Err(Error::Locked {
                    name: terms.name.clone(),
                    holder: held.describe(),
                    seconds: terms.wait.as_secs(),
                });
            }
            std::thread::sleep(PAUSE.min(terms.wait));
        }
    }

    /// One attempt; who holds it, if it is not we.
    fn attempt(&mut self) -> Result<Option<Held>> {
        let new = self.new_value();
        let is_ours = match self.holder()? {
            None => self.create(&new)?,
            Some(held) if !held.is_stale(self.clock.seconds()) || !is_quotable(&held.value) => {
                return Ok(Some(held));
            }
            Some(held) => self.replace(&held.value, &new)?,
        };
        if is_ours {
            self.value = new;
            self.is_held = true;
            return Ok(None);
        }
        // Somebody was quicker; they may have given it back already, which the next attempt will see.
        let unknown = || Held::read("somebody who was quicker");
        Ok(Some(self.holder()?.unwrap_or_else(unknown)))
    }

    fn new_value(&self) -> String {
        format!(
            "{}:{}",
            self.owner,
            self.clock.seconds() + self.terms.ttl.as_secs()
        )
    }

    /// Holds it for another while.
    ///
    /// # Errors
    /// [`Error::LockLost`] if it is not ours any more.
    pub fn prolong(&mut self) -> Result<()> {
        let new = self.new_value();
        if new == self.value {
            return Ok(());
        }
        if self.replace(&self.value, &new)? {
            self.value = new;
            return Ok(());
        }
        self.is_held = false;
        let holder = self.holder()?.map(|held| held.describe());
        Err(Error::LockLost {
            name: self.terms.name.clone(),
            holder: holder.unwrap_or_else(|| String::from("nobody")),
        })
    }

    /// Gives it back.
    pub fn release(mut self) -> Result<()> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.is_held) {
            return Ok(());
        }
        let xpath = format!("{}/..", self.xpath(&self.value));
        let arguments = [
            "--sync-call",
            "--scope=crm_config",
            "--delete",
            "--xpath",
            &xpath,
        ];
        let said = tool("cibadmin", &arguments, QUESTION)?;
        if matches!(said.status, 0 | ABSENT) {
            return Ok(());
        }
        Err(failed("cibadmin --delete", &said))
    }

    /// Who holds it.
    fn holder(&self) -> Result<Option<Held>> {
        let name = &self.terms.name;
        let xpath = format!("//cluster_property_set[@id='{name}']/nvpair[@name='{name}']");
        let arguments = ["--query", "--scope=crm_config", "--xpath", &xpath];
        let said = tool("cibadmin", &arguments, QUESTION)?;
        match said.status {
            0 => {}
            ABSENT => return Ok(None),
            _ => return Err(failed("cibadmin --query", &said)),
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let bad = |why: String| Error::Cluster {
            request: format!("cibadmin --query --xpath {xpath}"),
            why,
        };
        let document = roxmltree::Document::parse(&text).map_err(|error| bad(error.to_string()))?;
        let value = document.root_element().attribute("value");
        let value = value.ok_or_else(|| bad(String::from("the lock has no single value")))?;
        Ok(Some(Held::read(value)))
    }

    fn create(&self, value: &str) -> Result<bool> {
        let name = &self.terms.name;
        let xml = format!(
            "<cluster_property_set id='{name}'>{}</cluster_property_set>",
            self.pair(value)
        );
        self.changed(&["--create", "--xml-text", &xml], EXISTS)
    }

    fn replace(&self, old: &str, new: &str) -> Result<bool> {
        let xpath = self.xpath(old);
        let xml = self.pair(new);
        self.changed(&["--modify", "--xpath", &xpath, "--xml-text", &xml], ABSENT)
    }

    /// Whether the change was made; `otherwise` is the status of one that came too late.
    fn changed(&self, change: &[&str], otherwise: i32) -> Result<bool> {
        let mut arguments = vec!["--sync-call", "--scope=crm_config"];
        arguments.extend(change);
        let said = tool("cibadmin", &arguments, QUESTION)?;
        match said.status {
            0 => Ok(true),
            status if status == otherwise => Ok(false),
            _ => Err(failed(&format!("cibadmin {}", arguments.join(" ")), &said)),
        }
    }

    fn pair(&self, value: &str) -> String {
        let name = &self.terms.name;
        format!("<nvpair id='{name}-pair' name='{name}' value='{value}'/>")
    }

    fn xpath(&self, value: &str) -> String {
        let name = &self.terms.name;
        format!("//cluster_property_set[@id='{name}']/nvpair[@name='{name}' and @value='{value}']")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody is there to be told; it ends by itself.
        let _ = self.give_back();
    }
}

/// Whether a value that somebody else wrote can stand in an XPath.
fn is_quotable(value: &str) -> bool {
    value.split([':', '/']).all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tripleos_value_and_ours_are_read() {
        let theirs = Held::read("controller-0:1795644165");
        assert_eq!(
            (theirs.owner.as_str(), theirs.until),
            ("controller-0", Some(1_795_644_165))
        );
        assert_eq!(
            theirs.describe(),
            "'controller-0', until 2026-11-25T22:02:45Z"
        );
        let ours = Held::read("controller-0/4711:1795644165");
        assert_eq!(
            ours.describe(),
            "process 4711 on node 'controller-0', until 2026-11-25T22:02:45Z"
        );
    }

    #[test]
    fn only_what_has_an_end_becomes_stale() {
        let held = Held::read("a:100");
        assert!(!held.is_stale(99) && held.is_stale(100));
        for text in ["a", "a:", "a:soon", "a:-1"] {
            assert!(!Held::read(text).is_stale(u64::MAX), "{text}");
        }
    }

    #[test]
    fn a_value_that_would_leave_its_quotation_is_not_used() {
        assert!(is_quotable("controller-0/1:2"));
        assert!(!is_quotable("x' or '1'='1:2") && !is_quotable("a b:2"));
    }

    #[test]
    fn the_clock_goes_on() {
        let clock = Clock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(100));
        assert!((100..110).contains(&clock.seconds()));
    }
}
