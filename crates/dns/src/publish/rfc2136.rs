// SPDX-License-Identifier: Apache-2.0
//! By dynamic update: one message for all records of a zone.

use crate::message::Text;
use crate::publish::{Published, Publisher, TextRecord, by_zone};
use crate::update::{Change, Updater};
use crate::{Name, Result};

/// Updates at one server, which must be the primary of all zones concerned.
#[derive(Clone, Debug)]
pub struct Rfc2136 {
    /// Where and with which key.
    pub updater: Updater,
    /// The zone to name in updates, where it is not the one that was found: some servers have their own cuts.
    pub zone: Option<Name>,
}

impl Rfc2136 {
    fn apply(
        &self,
        records: &[TextRecord],
        change: impl Fn(&TextRecord) -> Change,
    ) -> Result<Published> {
        let mut done = Published::default();
        for (zone, records) in by_zone(records) {
            let changes: Vec<Change> = records.into_iter().map(&change).collect();
            let zone = self.zone.as_ref().unwrap_or(zone);
            done.steps += self.updater.apply(zone, &changes)?;
        }
        Ok(done)
    }
}

impl Publisher for Rfc2136 {
    fn name(&self) -> &'static str {
        "rfc2136"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |record| Change::Add {
            owner: record.owner.clone(),
            ttl: record.ttl,
            text: Text::from_value(record.value.as_bytes()),
        })
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |record| Change::Delete {
            owner: record.owner.clone(),
            text: Text::from_value(record.value.as_bytes()),
        })
    }
}
