// SPDX-License-Identifier: Apache-2.0
//! What was decided: for each object what is written, with every difference, before and after.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::error::Failed;
use super::object::{Object, Phase};
use super::secret_id::SecretIdWish;
use super::wish::{ConfigWish, ObjectWish, TidyWish};

/// One field that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub field: &'static str,
    /// What the server has; null if there is nothing.
    pub before: Value,
    /// What it will have.
    pub after: Value,
}

/// What is done with an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Nothing: it is as wished.
    Keep,
    /// It is made.
    Create,
    /// Some of its fields are changed.
    Update,
    /// It is removed.
    Remove,
}

impl Act {
    /// The word of the result.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Keep => "none",
            Self::Create => "created",
            Self::Update => "updated",
            Self::Remove => "removed",
        }
    }
}

/// The plan for one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectPlan {
    /// What was wished.
    pub wish: ObjectWish,
    /// What is done.
    pub act: Act,
    /// Which fields change.
    pub changes: Vec<Change>,
    /// All fields that the server answers now, for a server that cannot be told a part.
    pub whole: Map<String, Value>,
    /// A role of AppRole that is there: the name by which it is logged in to.
    pub role_id: Option<String>,
}

impl ObjectPlan {
    /// Which object.
    pub fn object(&self) -> &Object {
        &self.wish.object
    }

    /// Whether anything is written.
    pub fn writes(&self) -> bool {
        self.act != Act::Keep
    }

    /// The fields that change, as they are sent.
    pub fn body(&self) -> Map<String, Value> {
        let changes = self.changes.iter();
        changes
            .map(|change| (change.field.to_owned(), change.after.clone()))
            .collect()
    }
}

/// A secret that is issued, or not.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretIdPlan {
    /// What was wished.
    pub wish: SecretIdWish,
    /// Why it is issued; none if it is not.
    pub reason: Option<&'static str>,
}

/// The end of the mount.
#[derive(Clone, Debug, PartialEq)]
pub struct DisablePlan {
    /// What receives its issuers and lists before.
    pub export: PathBuf,
    /// Whether there is anything to end.
    pub due: bool,
}

/// All that was decided.
#[derive(Debug, Default)]
pub struct ConfigPlan {
    /// The mount.
    pub mount: String,
    /// The objects, in the order in which they are written.
    pub objects: Vec<ObjectPlan>,
    /// The secrets.
    pub secret_ids: Vec<SecretIdPlan>,
    /// A tidy: what it does, and whether it is due.
    pub tidy: Option<(TidyWish, bool)>,
    /// The end.
    pub disable: Option<DisablePlan>,
    /// What cannot be done.
    pub failed: Vec<Failed>,
}

impl ConfigPlan {
    /// A plan for nothing yet.
    pub fn of(wish: &ConfigWish) -> Self {
        Self {
            mount: wish.mount.clone(),
            ..Self::default()
        }
    }

    /// Whether anything is changed.
    pub fn changes(&self) -> bool {
        self.objects.iter().any(ObjectPlan::writes)
            || self.secret_ids.iter().any(|plan| plan.reason.is_some())
            || self.tidy.as_ref().is_some_and(|(_, due)| *due)
            || self.disable.as_ref().is_some_and(|plan| plan.due)
    }

    /// The objects that are written in a phase.
    pub fn written(&self, phase: Phase) -> impl Iterator<Item = &ObjectPlan> {
        let writing = self.objects.iter().filter(|plan| plan.writes());
        writing.filter(move |plan| plan.object().phase() == phase)
    }
}
