// SPDX-License-Identifier: Apache-2.0
//! Proof: several probes in a row show the certificate, each answered by a process of this container; then it stays up.

use std::time::{Duration, Instant};

use containers::{Container, Health, State};

use super::{Done, Work};
use crate::decide::Through;
use crate::failure::Failure;
use crate::observe::{Evidence, Look, Selected, Serving, Verdict};
use crate::request::Verify;

/// Between two looks; the first ones are closer, because a reload takes milliseconds.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
];

impl Work<'_> {
    /// Waits until the container serves the certificate, at most `verify_timeout`.
    ///
    /// Where nothing was served before, nothing can be proven; then it only has to run.
    pub(super) fn prove(&self, done: &mut Done) -> Result<(), Failure> {
        if done.moved {
            return Ok(());
        }
        if self.request.verify == Verify::None
            && done
                .container
                .as_ref()
                .is_some_and(|now| now.state == State::Running)
        {
            return Ok(());
        }
        let began = Instant::now();
        let deadline = began + self.request.verify_timeout;
        let mut good = 0;
        let mut looks = 0;
        let mut last: Option<Container> = None;
        loop {
            let container = self.current(done)?;
            let runs = container
                .as_ref()
                .is_some_and(|now| now.state == State::Running && now.pid.is_some());
            // Three in a row are three of one life.
            let is_same = container.as_ref().zip(last.as_ref());
            if !runs
                || is_same
                    .is_some_and(|(now, then): (&Container, &Container)| !now.is_same_life(then))
            {
                good = 0;
            }
            if runs {
                done.after = self.look(container.as_ref())?;
                match self.verdict(&done.after) {
                    Some(true) => good += 1,
                    Some(false) => good = 0,
                    // Nothing of TLS is there: a program that has just started may need a moment to listen.
                    None if self.is_provable() => good = 0,
                    None => {
                        settle(done, container);
                        return Ok(());
                    }
                }
            }
            if good >= self.request.verify_consecutive {
                settle(done, container);
                done.proven = true;
                return Ok(());
            }
            if Instant::now() >= deadline || self.is_over(container.as_ref()) {
                return Err(self.not_served(container.as_ref(), done, began.elapsed()));
            }
            last = container;
            std::thread::sleep(*PAUSES.get(looks).unwrap_or(&Duration::from_millis(100)));
            looks += usize::from(good == 0);
        }
    }

    /// Whether it has ended and nobody will start it again.
    fn is_over(&self, container: Option<&Container>) -> bool {
        let has_owner = self.has_owner();
        container.is_some_and(|now| {
            matches!(now.state, State::Stopped(_))
                && !has_owner
                && matches!(now.restart_policy.as_str(), "" | "no")
        })
    }

    fn is_provable(&self) -> bool {
        !self.act.addresses.is_empty()
    }

    fn has_owner(&self) -> bool {
        let evidence = self.candidate.evidence.as_ref();
        evidence.is_some_and(Evidence::has_owner)
    }

    /// The container as it is now; `None` while its owner makes a new one.
    fn current(&self, done: &Done) -> Result<Option<Container>, Failure> {
        let through = if done.restarted && self.has_owner() {
            Through::Unit
        } else {
            Through::Engine
        };
        self.now(through)
    }

    fn look(&self, container: Option<&Container>) -> Result<Vec<Serving>, Failure> {
        let Some(container) = container.filter(|_| self.request.verify != Verify::None) else {
            return Ok(Vec::new());
        };
        let snapshot = self.host.eye.snapshot()?;
        let processes = self.host.eye.members(container, &snapshot)?;
        let evidence = self.candidate.evidence.as_ref();
        // Who spoke no TLS before is not asked again: some say nothing and let us wait.
        let silent = evidence.into_iter().flat_map(|evidence| &evidence.serving);
        let silent: Vec<_> = silent
            .filter(|each| each.fingerprint().is_none())
            .map(|each| each.at)
            .collect();
        let mut found = self.host.eye.serving(&Look {
            request: self.request,
            wanted: self.wanted,
            processes: &processes,
            is_named: self.candidate.selected != Selected::Mount,
            silent: &silent,
        })?;
        found.sort_by_key(|each| each.at);
        Ok(found)
    }

    /// Whether the certificate is served everywhere it should be; `None` if nothing is served at all.
    fn verdict(&self, serving: &[Serving]) -> Option<bool> {
        let is_new = |each: &Serving| each.verdict() == Some(Verdict::New);
        let shown = serving.iter().any(|each| each.fingerprint().is_some());
        if !self.is_provable() {
            return shown
                .then(|| serving.iter().any(is_new))
                .filter(|found| *found);
        }
        let at = |address| serving.iter().find(|each| each.at == address);
        Some(
            self.act
                .addresses
                .iter()
                .all(|address| at(*address).is_some_and(is_new)),
        )
    }

    fn not_served(&self, container: Option<&Container>, done: &Done, waited: Duration) -> Failure {
        let name = self.candidate.container.name.clone();
        match container {
            Some(now) if now.state != State::Running => Failure::NotUp {
                what: format!(
                    "does not come up: it is {}, ended with status {} and was started {} times",
                    now.state.word(),
                    now.exit_code,
                    now.restart_count
                ),
                container: name,
                log: self.log(),
            },
            None => Failure::NotUp {
                what: String::from("is not there any more"),
                container: name,
                log: String::from("(nothing)"),
            },
            Some(_) => Failure::NotServed {
                container: name,
                wanted: self.wanted.fingerprint.clone(),
                served: self.served(&done.after),
                seconds: waited.as_secs(),
                log: self.log(),
            },
        }
    }

    fn served(&self, serving: &[Serving]) -> String {
        let at = |address: &std::net::SocketAddr| {
            let found = serving.iter().find(|each| each.at == *address);
            match found.map(|each| &each.seen) {
                None => format!("nothing listens at {address}"),
                Some(crate::observe::Seen::Certificate(fingerprint, _)) => {
                    format!("{address} serves {fingerprint}")
                }
                Some(crate::observe::Seen::Nothing(why)) => {
                    format!("{address} serves nothing ({why})")
                }
            }
        };
        let each: Vec<String> = self.act.addresses.iter().map(at).collect();
        each.join(", ")
    }

    /// Waits for the healthcheck, then sees that the container stays up.
    pub(super) fn hold(&self, done: &mut Done) -> Result<(), Failure> {
        if done.moved {
            return Ok(());
        }
        self.wait_healthy(done)?;
        if self.request.stable_for.is_zero() {
            return Ok(());
        }
        let Some(first) = self.current(done)? else {
            return Err(self.fell("is not there any more"));
        };
        let end = Instant::now() + self.request.stable_for;
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(200).min(self.request.stable_for));
            let Some(now) = self.current(done)? else {
                return Err(self.fell("is not there any more"));
            };
            if now.state != State::Running {
                return Err(self.fell(&format!(
                    "did not stay up: it ended with status {}",
                    now.exit_code
                )));
            }
            if now.restart_count != first.restart_count || !now.is_same_life(&first) {
                return Err(self.fell("did not stay up: it was started again"));
            }
            if self.request.wait_healthy && self.has_become_unhealthy(&now) {
                return Err(self.unhealthy(done));
            }
        }
        Ok(())
    }

    fn wait_healthy(&self, done: &mut Done) -> Result<(), Failure> {
        if !self.request.wait_healthy || self.candidate.container.health.is_none() {
            return Ok(());
        }
        let deadline = Instant::now() + self.request.verify_timeout;
        loop {
            let now = self.current(done)?;
            match now.as_ref().and_then(|now| now.health) {
                Some(Health::Healthy) => return Ok(()),
                Some(Health::Unhealthy) if !done.restarted && self.was_unhealthy() => return Ok(()),
                Some(Health::Unhealthy) => return Err(self.unhealthy(done)),
                _ if Instant::now() >= deadline => return Err(self.unhealthy(done)),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn was_unhealthy(&self) -> bool {
        self.candidate.container.health == Some(Health::Unhealthy)
    }

    fn has_become_unhealthy(&self, now: &Container) -> bool {
        now.health == Some(Health::Unhealthy) && !self.was_unhealthy()
    }

    fn unhealthy(&self, done: &Done) -> Failure {
        Failure::Unhealthy {
            container: self.candidate.container.name.clone(),
            action: done.actions.join(", "),
            log: self.log(),
        }
    }

    fn fell(&self, what: &str) -> Failure {
        Failure::NotUp {
            container: self.candidate.container.name.clone(),
            what: what.to_owned(),
            log: self.log(),
        }
    }
}

/// Keeps the container as it is now. One that was started again while we were gentle has ended by it (`--init` hands a
/// signal to a program that does not know it), and its restart policy has hidden that: whoever reads the result must see it.
fn settle(done: &mut Done, container: Option<Container>) {
    let before = done.container.as_ref().filter(|_| !done.restarted);
    if let (Some(before), Some(now)) = (before, &container)
        && !now.is_same_life(before)
    {
        done.warnings.push(format!(
            "container '{}' ended after '{}' and was started again by its restart policy; give it 'action: restart', or an \
             action that its program knows",
            now.name,
            done.actions.join(", ")
        ));
        done.restarted = true;
    }
    done.container = container;
}
