// SPDX-License-Identifier: Apache-2.0
//! What is answered: which containers use the certificate, on what evidence, what was done and what proves it.

mod container;

use ansible_module::{Diff, Outcome};
use serde_json::{Map, Value, json};

use crate::apply::{Applied, Done};
use crate::decide::{Act, Decision, Plan, Step, Through};
use crate::failure::{Failed, Failure, TaskFailure};
use crate::observe::{Candidate, Host, Observed};
use crate::request::{Request, Severity};

/// Everything that the answer is made of.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was asked for.
    pub request: &'a Request,
    /// The engines.
    pub host: &'a Host,
    /// What was there.
    pub observed: &'a Observed,
    /// What was decided.
    pub plan: Plan,
    /// What was done; `None` in check mode.
    pub applied: Option<Applied>,
}

impl Report<'_> {
    fn done(&self, number: usize) -> Option<&Done> {
        let reached = self.applied.as_ref()?.reached.iter();
        reached
            .filter(|(of, _)| *of == number)
            .map(|(_, done)| done)
            .next()
    }

    fn name(&self, number: usize) -> &str {
        let candidate = self.observed.candidates.get(number);
        candidate.map_or("", |candidate| candidate.container.name.as_str())
    }

    fn names(&self, numbers: impl Iterator<Item = usize>) -> Vec<String> {
        numbers.map(|number| self.name(number).to_owned()).collect()
    }

    fn reached(&self, which: impl Fn(&Done) -> bool) -> Vec<String> {
        let reached = self.applied.iter().flat_map(|applied| &applied.reached);
        self.names(
            reached
                .filter(|(_, done)| which(done))
                .map(|(number, _)| *number),
        )
    }

    fn unproven(&self) -> Vec<String> {
        self.reached(|done| done.failed.is_none() && !done.proven)
    }

    /// Who still serves the old certificate: not reached, or refused with all others.
    fn untouched(&self) -> Vec<String> {
        match &self.applied {
            Some(applied) if self.plan.refusals.is_empty() => {
                self.names(applied.untouched.iter().copied())
            }
            _ if self.plan.refusals.is_empty() => Vec::new(),
            _ => self.names(self.plan.acts().map(|(number, _)| number)),
        }
    }

    fn is_changed(&self) -> bool {
        match &self.applied {
            None => self.plan.refusals.is_empty() && self.plan.acts().any(|(_, act)| changes(act)),
            Some(applied) => applied.reached.iter().any(|(_, done)| done.changed()),
        }
    }

    fn facts(&self) -> Map<String, Value> {
        let wanted = &self.observed.wanted;
        let each = self
            .observed
            .candidates
            .iter()
            .zip(&self.plan.entries)
            .enumerate();
        let containers: Vec<Value> = each
            .map(|(number, (candidate, entry))| {
                container::to_json(self, candidate, entry, self.done(number))
            })
            .collect();
        let left_alone = self.observed.candidates.iter().zip(&self.plan.entries);
        let left_alone: Vec<Value> = left_alone
            .filter(|(_, entry)| matches!(entry.decision, Decision::Skip | Decision::Unrelated))
            .map(
                |(candidate, entry)| json!({"name": candidate.container.name, "reason": entry.why}),
            )
            .chain(
                self.observed
                    .missing
                    .iter()
                    .map(|name| json!({"name": name, "reason": "there is no such container"})),
            )
            .collect();
        let planned = match &self.applied {
            None => json!(self.names(self.plan.acts().map(|(number, _)| number))),
            Some(_) => Value::Null,
        };
        let facts = json!({
            "fingerprint": wanted.fingerprint.0,
            "not_after": wanted.certificate.facts().not_after.to_string(),
            "containers": containers,
            "acted": self.reached(Done::changed),
            "planned": planned,
            "proven": self.reached(|done| done.proven),
            "unproven": self.unproven(),
            // Not "skipped": Ansible takes that for its own word and says that the task was skipped.
            "left_alone": left_alone,
            "untouched": self.untouched(),
        });
        match facts {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn failed(&self) -> Vec<Failed> {
        let refused = self
            .plan
            .refusals
            .iter()
            .map(|(name, failure)| Failed::new(name, failure));
        let mut found: Vec<Failed> = refused.collect();
        for (number, done) in self.applied.iter().flat_map(|applied| &applied.reached) {
            if let Some(failure) = &done.failed {
                found.push(Failed::new(self.name(*number), failure));
            }
        }
        let stopped = self
            .applied
            .as_ref()
            .and_then(|applied| applied.stopped.as_ref());
        found.extend(stopped.map(|failure| Failed::new(&self.request.name, failure)));
        let names = self.unproven();
        if found.is_empty() && !names.is_empty() && self.request.unproven == Severity::Fail {
            let failure = Failure::Unproven { names };
            found.push(Failed::new(&self.request.name, &failure));
        }
        found
    }

    fn warnings(&self) -> Vec<String> {
        let mut found = self.plan.warnings.clone();
        let broken = self.host.broken.iter();
        found
            .extend(broken.map(|error| {
                format!("an engine was left out: {}", ansible_module::flatten(error))
            }));
        for candidate in &self.observed.candidates {
            let gaps = candidate
                .evidence
                .iter()
                .flat_map(|evidence| &evidence.gaps);
            found
                .extend(gaps.map(|gap| format!("container '{}': {gap}", candidate.container.name)));
        }
        if let Some(applied) = &self.applied {
            found.extend(applied.warnings.clone());
            found.extend(
                applied
                    .reached
                    .iter()
                    .flat_map(|(_, done)| done.warnings.clone()),
            );
        }
        let unproven = self.unproven();
        if !unproven.is_empty() && self.request.unproven == Severity::Warn {
            found.push(format!(
                "nothing could prove that it serves the certificate: {}",
                unproven.join(", ")
            ));
        }
        found
    }

    fn message(&self) -> String {
        let count = |word: &str| {
            self.plan
                .entries
                .iter()
                .filter(|entry| entry.decision.word() == word)
                .count()
        };
        let mut parts = Vec::new();
        for (number, act) in self.plan.acts() {
            let what = match self.done(number) {
                None => format!("would {}", words(act)),
                Some(done) if done.proven => format!("{}, proven", done.actions.join(", ")),
                Some(done) => format!("{}, not proven", done.actions.join(", ")),
            };
            parts.push(format!("{}: {what}", self.name(number)));
        }
        for (word, text) in [
            ("fresh", "serve it already"),
            ("unrelated", "do not use it"),
            ("skip", "left alone"),
        ] {
            match count(word) {
                0 => {}
                number => parts.push(format!("{number} {text}")),
            }
        }
        if parts.is_empty() {
            parts.push(String::from("no container uses it"));
        }
        format!("certificate '{}': {}", self.request.name, parts.join("; "))
    }

    /// One text for each container that was, or would be, acted on: what each listener serves.
    fn diff(&self) -> Vec<Diff> {
        let acts = self.plan.acts().filter_map(|(number, act)| {
            let candidate = self.observed.candidates.get(number)?;
            Some(self.difference(number, candidate, act))
        });
        acts.collect()
    }

    fn difference(&self, number: usize, candidate: &Candidate, act: &Act) -> Diff {
        let before = candidate
            .evidence
            .iter()
            .flat_map(|evidence| &evidence.serving);
        let facts = |serving: Vec<&crate::observe::Serving>| -> Map<String, Value> {
            let shown = serving
                .iter()
                .filter_map(|each| Some((each.at.to_string(), json!(each.fingerprint()?.0))));
            shown.collect()
        };
        let before = facts(before.collect());
        let after = match self.done(number) {
            Some(done) => facts(done.after.iter().collect()),
            None => {
                let mut after = before.clone();
                let new = json!(self.observed.wanted.fingerprint.0);
                after.extend(act.addresses.iter().map(|at| (at.to_string(), new.clone())));
                after
            }
        };
        let name = candidate.container.name.clone();
        Diff {
            before_header: name.clone(),
            after_header: name,
            before: Value::Object(before),
            after: Value::Object(after),
        }
    }
}

/// A wait changes nothing.
fn changes(act: &Act) -> bool {
    act.sync || act.steps.iter().any(|step| *step != Step::Wait)
}

fn words(act: &Act) -> String {
    let mut words: Vec<String> = Vec::new();
    if act.sync {
        words.push(String::from("sync"));
    }
    words.extend(act.steps.iter().map(|step| match step {
        Step::Execute(call) => {
            format!("exec {}", call.command.first().map_or("", String::as_str))
        }
        Step::Signal { signal, .. } => format!("signal {}", signal.word()),
        Step::Restart(Through::Bundle) => String::from("have pacemaker restart it"),
        Step::Restart(Through::Unit) => String::from("restart its unit"),
        Step::Say { line, .. } => format!("say {}", line.trim_end()),
        other => other.word().to_owned(),
    }));
    words.join(", ")
}

/// The answer of the task.
///
/// # Errors
/// [`TaskFailure::Some`] if a container failed or must not be touched; it carries the same facts.
pub fn answer(report: Report<'_>) -> Result<Outcome, TaskFailure> {
    let mut facts = report.facts();
    let failed = report.failed();
    let listed: Vec<Value> = failed.iter().map(Failed::to_json).collect();
    facts.insert(String::from("failures"), Value::Array(listed));
    let warnings = report.warnings();
    if !failed.is_empty() {
        return Err(TaskFailure::Some {
            failed,
            facts: Box::new(facts),
            changed: report.is_changed(),
            warnings,
        });
    }
    Ok(Outcome {
        changed: report.is_changed(),
        msg: Some(report.message()),
        facts,
        diff: if report.is_changed() {
            report.diff()
        } else {
            Vec::new()
        },
        warnings,
        deprecations: Vec::new(),
    })
}
