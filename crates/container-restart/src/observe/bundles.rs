// SPDX-License-Identifier: Apache-2.0
//! Which containers are replicas of pacemaker's bundles.

use containers::pacemaker::{self, Membership, Replica};

use super::{Candidate, Host};
use crate::failure::Failure;
use crate::request::Request;

/// What the cluster says of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReplicaSeen {
    /// It is none of its replicas.
    #[default]
    No,
    /// It could be one, and the cluster could not be asked, for this reason.
    Unknown(String),
    /// It is this one.
    Yes(Replica),
}

impl ReplicaSeen {
    /// The replica, if it is known to be one.
    pub fn known(&self) -> Option<&Replica> {
        match self {
            Self::Yes(replica) => Some(replica),
            Self::No | Self::Unknown(_) => None,
        }
    }
}

/// Asks the cluster, once, if any container has such a name. A user's containers are never pacemaker's.
pub(super) fn look(
    request: &Request,
    host: &Host,
    candidates: &mut [Candidate],
) -> Result<(), Failure> {
    if request.user.is_some() {
        return Ok(());
    }
    let mut asked = None;
    for candidate in candidates {
        let kind = host.engine(candidate.engine)?.label().kind;
        let name = &candidate.container.name;
        let Some(evidence) = candidate
            .evidence
            .as_mut()
            .filter(|_| pacemaker::could_be_replica(name, kind))
        else {
            continue;
        };
        match asked.get_or_insert_with(|| pacemaker::membership(request.engine_timeout)) {
            Ok(Membership::None) => {}
            Ok(Membership::Stopped) => evidence.gaps.push(String::from(
                "it has the name of a replica of pacemaker's, which does not run on this host now",
            )),
            Ok(Membership::Member(status)) => {
                if let Some(replica) = status.replica(name, kind.word()) {
                    evidence.replica = ReplicaSeen::Yes(replica.clone());
                    evidence.unit = None;
                }
            }
            Err(error) => evidence.replica = ReplicaSeen::Unknown(ansible_module::flatten(error)),
        }
    }
    Ok(())
}
