// SPDX-License-Identifier: Apache-2.0
//! Removing what was shown: on every way out, and zone by zone where it does not go all at once. What is left is noted.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::{each, flatten};
use dns::Name;
use dns::publish::{Publisher, TextRecord};

use super::{Progress, Steps, Taken};

/// One certificate with the records that it may show.
type Shown<'b, 'a> = (&'b Progress<'a>, Vec<TextRecord>);

impl<'a> Steps<'a> {
    /// Removes what these certificates may show, also what killed runs left.
    pub fn take_back(&self, progress: &[Progress<'a>], taken: &mut Taken) {
        let Some(publisher) = self.publisher else {
            return;
        };
        let mut with: Vec<Shown<'_, 'a>> = Vec::new();
        for one in progress {
            match self.shown(one.due) {
                Ok(shown) if shown.is_empty() => {}
                Ok(shown) => with.push((one, shown)),
                Err(error) => self.note_left_over(one, &error, taken),
            }
        }
        let failed = withdraw(publisher, &with, taken);
        let mut gone = Vec::new();
        for (one, shown) in with {
            match shown.iter().find_map(|record| failed.get(&record.zone)) {
                Some(error) => self.note_left_over(one, error, taken),
                None => gone.push(one),
            }
        }
        // The state of what is issued goes when it is installed; if that fails, it is taken back once more.
        let goes = |one: &Progress<'_>| one.issued.is_some() && !one.due.is_left_over();
        let noted = each(&gone, self.request.parallel, |one| match goes(one) {
            true => Ok(()),
            false => self.job(one.due).note_withdrawn(),
        });
        let failed = noted.into_iter().filter_map(Result::err);
        taken.warnings.extend(failed.map(|error| error.to_string()));
    }

    /// The state then stays for it, also when the certificate is installed.
    fn note_left_over(&self, one: &Progress<'a>, error: &dns::Error, taken: &mut Taken) {
        if let Err(error) = self.job(one.due).note_left_over() {
            taken.warnings.push(error.to_string());
        }
        taken.warnings.push(format!(
            "'{}': records may be left in the DNS, its next order removes them: {}",
            one.due.wish.name,
            flatten(error)
        ));
    }
}

/// The zones from which they could not be removed, and why.
fn withdraw(
    publisher: &dyn Publisher,
    with: &[Shown<'_, '_>],
    taken: &mut Taken,
) -> BTreeMap<Name, dns::Error> {
    let all: BTreeSet<&TextRecord> = with.iter().flat_map(|(_, shown)| shown).collect();
    let all: Vec<TextRecord> = all.into_iter().cloned().collect();
    let zones: BTreeSet<Name> = all.iter().map(|record| record.zone.clone()).collect();
    let mut these = |records: &[TextRecord]| {
        let done = publisher.withdraw(records)?;
        taken.published += done.steps;
        Ok(())
    };
    let mut failed = BTreeMap::new();
    let Some(first) = zones.first() else {
        return failed;
    };
    match these(&all) {
        Err(error) if zones.len() == 1 => drop(failed.insert(first.clone(), error)),
        Err(_) => {
            for zone in &zones {
                let each = all.iter().filter(|record| record.zone == *zone);
                let those: Vec<TextRecord> = each.cloned().collect();
                if let Err(error) = these(&those) {
                    failed.insert(zone.clone(), error);
                }
            }
        }
        Ok(()) => {}
    }
    failed
}
