// SPDX-License-Identifier: Apache-2.0
//! Who leads, and where a redirect may lead.

use crate::call::Call;
use crate::system::Leader;
use crate::tries::{Tries, Trouble};
use crate::verdict::{Verdict, verdict};
use crate::{Error, Result, Vault};

impl Vault {
    /// With one address there is nobody to choose: what stands there may be a proxy before all nodes.
    pub(crate) fn looks_for_leader(&self) -> bool {
        self.settings().pin_active && self.nodes.len() > 1
    }

    /// The node that leads, if it was not asked in this round.
    pub(crate) fn leading(&self, tries: &mut Tries<'_>) -> Result<Option<usize>> {
        let known = match self.pinned() {
            Some(index) => Some(index),
            None => self.find_leader(tries)?,
        };
        Ok(known.filter(|index| tries.is_first_visit(*index)))
    }

    /// Asks each node who leads, and pins the one that says that it does. A standby that has another name for the leader
    /// than our list is taken in its place: it forwards.
    fn find_leader(&self, tries: &mut Tries<'_>) -> Result<Option<usize>> {
        let count = self.nodes.len();
        let first = self.preferred();
        let mut queue: Vec<usize> = (0..count).map(|step| (first + step) % count).collect();
        queue.reverse();
        let mut stand_by = None;
        while let Some(index) = queue.pop() {
            let Some(leader) = self.leader_by(index, tries)? else {
                continue;
            };
            if leader.is_self || !leader.ha_enabled {
                self.pin(index);
                return Ok(Some(index));
            }
            let url = leader.leader_address;
            match self.nodes.iter().position(|node| node.is_at(&url)) {
                Some(named) => {
                    // It is asked next, unless it was: a node is named for some seconds after its death.
                    if let Some(at) = queue.iter().position(|waiting| *waiting == named) {
                        queue.remove(at);
                        queue.push(named);
                    }
                    tries.note(Trouble::Election {
                        reason: format!(
                            "'{}' should lead and does not",
                            self.sessions.masked(&url)
                        ),
                    });
                }
                None if url.is_empty() => tries.note(Trouble::Election {
                    reason: "no leader is elected yet".to_owned(),
                }),
                None => stand_by = stand_by.or(Some(index)),
            }
        }
        if let Some(index) = stand_by {
            self.pin(index);
        }
        Ok(stand_by)
    }

    /// What a node says of the leader; none, and a trouble, if it cannot say.
    fn leader_by(&self, index: usize, tries: &mut Tries<'_>) -> Result<Option<Leader>> {
        let call = Call::state("sys/leader");
        let Some(response) = self.send(&call, index, None, tries)? else {
            return Ok(None);
        };
        match verdict(&response) {
            Verdict::Good => self.answer(&response)?.parsed().map(Some),
            Verdict::Passing(passing) => self
                .pass(&call, &response.url, passing, tries)
                .map(|()| None),
            Verdict::Sealed(reason) => {
                tries.note(self.sealed(index, reason));
                Ok(None)
            }
            // Who must not be asked that stands before somebody: as one node alone.
            Verdict::Denied(_) | Verdict::Missing(_) | Verdict::NoMount | Verdict::Refused(_) => {
                Ok(Some(Leader::default()))
            }
            _ => Err(self.foreign(&response)),
        }
    }

    /// A redirect leads to one of our own servers or nowhere: a token is for those that were named. A standby of a cluster
    /// names the leader for some seconds after its death; if that is none of ours, another round may find another leader.
    pub(crate) fn elsewhere(
        &self,
        index: usize,
        response: &web::Response,
        location: String,
        tries: &mut Tries<'_>,
    ) -> Result<()> {
        self.unpin(index);
        let url = response.url.clone();
        let place = web::origin(&location).unwrap_or_else(|| web::shown(&location));
        let place = self.sessions.masked(&place);
        if let Some(named) = self.nodes.iter().position(|node| node.is_at(&location)) {
            tries.note(Trouble::Election {
                reason: format!("{url} does not lead and redirects to {place}"),
            });
            if named != index {
                tries.follow(named);
            }
            return Ok(());
        }
        // Behind a proxy it may be another node that answers this, or none. Who sends us away may say anything, too.
        let is_of_a_cluster = match self.leader_by(index, tries) {
            Ok(Some(leader)) => leader.ha_enabled,
            Ok(None) => true,
            Err(_) => false,
        };
        if !is_of_a_cluster {
            return Err(Error::RedirectRefused {
                url,
                location: place,
            });
        }
        tries.note(Trouble::Redirect {
            url,
            location: place,
        });
        Ok(())
    }
}
