// SPDX-License-Identifier: Apache-2.0
//! The steps themselves.

use std::time::Duration;

use containers::engine::Execution;
use containers::pacemaker::{Replica, Restarted};
use containers::units::{self, Unit};
use containers::{Container, State};

use super::{Done, Work};
use crate::decide::{Step, Through};
use crate::failure::Failure;
use crate::programs::Call;
use crate::request::Manager;

/// A command that makes a program reload, or that validates its configuration, takes seconds at most.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// What systemd allows a unit by default (DefaultTimeoutStartSec and StopSec, 90 s each), and a little more.
const UNIT_LIMIT: Duration = Duration::from_secs(200);
/// What pacemaker may take to stop and start a replica with what is in it; a Galera that copies its state takes minutes.
const BUNDLE_LIMIT: Duration = Duration::from_secs(600);

impl Work<'_> {
    pub(super) fn steps(&self, done: &mut Done) -> Result<(), Failure> {
        self.act
            .steps
            .iter()
            .try_for_each(|step| self.step(step, done))
    }

    fn step(&self, step: &Step, done: &mut Done) -> Result<(), Failure> {
        match step {
            Step::Wait => {
                done.actions.push(String::from("wait"));
                Ok(())
            }
            Step::Signal { signal, to } => {
                to.hold(*signal)?.send(*signal)?;
                done.actions.push(format!("signal {}", signal.word()));
                Ok(())
            }
            Step::Display { guest, virsh } => self.display(guest, virsh.as_deref(), done),
            Step::Exchange {
                runtimes,
                otherwise,
            } => self.exchange(runtimes, otherwise.as_ref(), done),
            Step::Execute(call) => self.call(call, done),
            Step::Reload => {
                let unit = self
                    .candidate
                    .evidence
                    .as_ref()
                    .and_then(|evidence| evidence.unit.as_ref());
                let Some(unit) = unit else {
                    return Ok(());
                };
                done.actions.push(format!("reload {}", unit.name));
                Ok(unit.reload(UNIT_LIMIT)?)
            }
            Step::Restart(through) => self.restart(*through, done),
            Step::Say { line, at } => {
                let word = line.trim_end();
                done.actions.push(format!("say {word}"));
                let processes = self
                    .candidate
                    .evidence
                    .iter()
                    .flat_map(|evidence| &evidence.processes);
                let processes: Vec<_> = processes.cloned().collect();
                let answer = self.host.eye.say(&processes, *at, line)?;
                if answer.starts_with("OK") {
                    return Ok(());
                }
                Err(self.refused(word.to_owned(), 1, answer))
            }
        }
    }

    fn call(&self, call: &Call, done: &mut Done) -> Result<(), Failure> {
        let command = &call.command;
        // Said before: whatever it ends with, it may have changed something.
        done.actions.push(format!(
            "exec {}",
            command.first().map_or("", String::as_str)
        ));
        let (mut status, mut said) = self.execute(command, call.user.as_deref())?;
        if status != 0
            && let Some(user) = &call.otherwise
        {
            (status, said) = self.execute(command, Some(user))?;
        }
        if status == 0 {
            return Ok(());
        }
        let failure = self.refused(command.join(" "), status, said);
        if call.is_optional {
            done.warnings.push(ansible_module::flatten(&failure));
            return Ok(());
        }
        Err(failure)
    }

    pub(super) fn refused(&self, command: String, status: i64, said: String) -> Failure {
        Failure::Step {
            container: self.candidate.container.name.clone(),
            command,
            status,
            said,
        }
    }

    pub(super) fn execute(
        &self,
        command: &[String],
        user: Option<&str>,
    ) -> Result<(i64, String), Failure> {
        let engine = self.host.engine(self.candidate.engine)?;
        let execution = Execution {
            argv: command,
            user,
            input: b"",
            limit: COMMAND_LIMIT,
        };
        let said = engine.execute(&self.candidate.container, &execution)?;
        Ok((said.status, said.last_lines(3)))
    }

    pub(super) fn validate(&self) -> Result<(), Failure> {
        let Some(command) = &self.request.validate_command else {
            return Ok(());
        };
        let (status, said) = self.execute(command, None)?;
        if status == 0 {
            return Ok(());
        }
        Err(Failure::Validation {
            container: self.candidate.container.name.clone(),
            command: command.join(" "),
            status,
            said,
        })
    }

    pub(super) fn restart(&self, through: Through, done: &mut Done) -> Result<(), Failure> {
        let evidence = self.candidate.evidence.as_ref();
        let unit = evidence.and_then(|evidence| evidence.unit.as_ref());
        let replica = evidence.and_then(|evidence| evidence.replica.known());
        match (through, unit, replica) {
            (Through::Bundle, _, Some(replica)) => return self.restart_replica(replica, done),
            (Through::Unit, Some(unit), _) => {
                done.actions.push(format!("restart {}", unit.name));
                unit.restart(UNIT_LIMIT)?;
            }
            _ => {
                let engine = self.host.engine(self.candidate.engine)?;
                match engine.restart(&self.candidate.container, self.request.stop_timeout) {
                    Err(containers::Error::Gone { .. }) => return self.replaced(),
                    other => other?,
                }
                done.actions.push(String::from("restart"));
            }
        }
        done.restarted = true;
        done.container = self.now(through)?;
        self.restart_dependents(done);
        Ok(())
    }

    /// Through pacemaker, which makes a new container and may prefer another node for it.
    fn restart_replica(&self, replica: &Replica, done: &mut Done) -> Result<(), Failure> {
        let old = &self.candidate.container;
        done.actions
            .push(format!("restart {} by pacemaker", replica.bundle));
        done.restarted = true;
        if let Restarted::Moved(nodes) = replica.restart(BUNDLE_LIMIT)? {
            done.warnings.push(format!(
                "pacemaker runs '{}' of the bundle '{}' on '{}' now; run this there for what it serves",
                replica.resource,
                replica.bundle,
                nodes.join("', '")
            ));
            done.container = None;
            done.moved = true;
            return Ok(());
        }
        done.container = self.now(Through::Bundle)?;
        if done
            .container
            .as_ref()
            .is_some_and(|now| now.is_same_life(old))
        {
            done.restarted = false;
            return Err(Failure::NotRestarted {
                container: old.name.clone(),
                bundle: replica.bundle.clone(),
            });
        }
        self.restart_dependents(done);
        Ok(())
    }

    /// The container after a restart: its owner may make a new one of the same name.
    pub(super) fn now(&self, through: Through) -> Result<Option<Container>, Failure> {
        let old = &self.candidate.container;
        let engine = self.host.engine(self.candidate.engine)?;
        let found = engine.inspect(&old.id)?;
        match (found, through) {
            (Some(container), _) => Ok(Some(container)),
            (None, Through::Bundle | Through::Unit) => Ok(engine.inspect(&old.name)?),
            (None, Through::Engine) => self.replaced(),
        }
    }

    /// Who shares the network of a container keeps the dead one when that starts again.
    fn restart_dependents(&self, done: &mut Done) {
        for dependent in &self.candidate.dependents {
            let name = &dependent.name;
            if !self.request.restart_dependents {
                done.warnings.push(format!(
                    "container '{name}' shares the network of '{}' and has lost it; restart it",
                    self.candidate.container.name
                ));
                continue;
            }
            match self.restart_dependent(dependent) {
                Ok(true) => done.dependents.push(name.clone()),
                Ok(false) => {}
                Err(failure) => done.warnings.push(format!(
                    "container '{name}' shares the network of '{}' and could not be restarted: {}",
                    self.candidate.container.name,
                    ansible_module::flatten(&failure)
                )),
            }
        }
    }

    fn restart_dependent(&self, dependent: &Container) -> Result<bool, Failure> {
        let engine = self.host.engine(self.candidate.engine)?;
        let now = engine.inspect(&dependent.id)?;
        // Who manages it may have restarted it already, with its owner.
        let same =
            now.is_some_and(|now| now.state == State::Running && now.is_same_life(dependent));
        if !same {
            return Ok(false);
        }
        match self.unit_of(dependent)? {
            Some(unit) => unit.restart(UNIT_LIMIT)?,
            None => engine.restart(dependent, self.request.stop_timeout)?,
        }
        Ok(true)
    }

    /// The unit that owns a container which is not a candidate itself.
    fn unit_of(&self, container: &Container) -> Result<Option<Unit>, Failure> {
        if self.request.manager == Manager::Engine {
            return Ok(None);
        }
        let account = self.request.user.as_ref().map(|(_, account)| account);
        Ok(units::owner(
            container,
            account,
            self.request.engine_timeout,
        )?)
    }
}
