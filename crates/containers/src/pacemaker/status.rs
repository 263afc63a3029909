// SPDX-License-Identifier: Apache-2.0
//! What `crm_mon --output-as=xml` says of bundles, of pacemaker 2.0.3 and later.

use roxmltree::{Document, Node};

/// What the cluster says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    replicas: Vec<Replica>,
}

/// One container of a bundle, as pacemaker sees it from this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The bundle.
    pub bundle: String,
    /// Its resource, which is also the container's name.
    pub resource: String,
    /// What the cluster calls this host.
    pub node: String,
    /// The engine's word.
    pub(super) engine: String,
    /// Where it is active.
    pub(super) active_on: Vec<String>,
    /// Whether it runs, and is neither about to start nor to stop.
    pub(super) is_up: bool,
    /// How many resources of the replica are, of which the container is one.
    pub(super) up_inside: usize,
    /// Failures of it on this host: the number of the call, what it was to do and why it failed.
    pub(super) failures: Vec<Failure>,
    /// Why pacemaker would not restart it, and what to do.
    obstacles: Vec<Obstacle>,
}

/// An operation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) call: String,
    pub(super) task: String,
    pub(super) why: String,
}

/// Why pacemaker would not restart a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    Blocked,
    ClusterMaintenance,
    Elsewhere,
    NoQuorum,
    NodeMaintenance,
    Stopped,
    Unmanaged,
}

impl Status {
    /// Reads what `crm_mon` says, on the node of that name.
    pub fn read(text: &str, node: &str) -> Result<Self, String> {
        let document = Document::parse(text).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if !matches!(root.tag_name().name(), "pacemaker-result" | "crm_mon") {
            return Err(format!("it begins with '{}'", root.tag_name().name()));
        }
        let general = general(&root, node)?;
        let bundles = root
            .descendants()
            .filter(|element| element.has_tag_name("bundle"));
        let mut replicas = Vec::new();
        for bundle in bundles {
            for replica in bundle
                .children()
                .filter(|element| element.has_tag_name("replica"))
            {
                replicas.extend(container_of(&bundle, &replica, node));
            }
        }
        for replica in &mut replicas {
            replica.failures = failures(&root, &replica.resource, node);
            // In maintenance everything is unmanaged.
            if general.contains(&Obstacle::ClusterMaintenance) {
                replica.obstacles.retain(|own| *own != Obstacle::Unmanaged);
            }
            replica.obstacles.extend(&general);
        }
        Ok(Self { replicas })
    }

    /// The replica whose container has exactly this name, in this engine's word.
    pub fn replica(&self, container: &str, engine: &str) -> Option<&Replica> {
        self.replicas
            .iter()
            .find(|each| each.resource == container && each.engine == engine)
    }
}

impl Replica {
    /// Why pacemaker would not restart it, in words that say what to do; `None` if nothing stands in the way.
    pub fn obstacle(&self) -> Option<String> {
        let each = self.obstacles.iter().map(|obstacle| self.words(*obstacle));
        let all: Vec<String> = each.collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn words(&self, obstacle: Obstacle) -> String {
        let Self { bundle, node, .. } = self;
        match obstacle {
            Obstacle::Blocked => format!(
                "it is blocked after a failure; see crm_mon, then 'crm_resource --cleanup --resource {bundle}'"
            ),
            Obstacle::ClusterMaintenance => String::from(
                "the cluster is in maintenance mode; end it with 'crm_attribute --name maintenance-mode --delete'",
            ),
            Obstacle::Elsewhere if self.active_on.is_empty() => String::from(
                "pacemaker does not run it now; see crm_mon, and who else has started the container",
            ),
            Obstacle::Elsewhere => format!(
                "pacemaker runs it on '{}' and not on this host; see who else has started the container",
                self.active_on.join("', '")
            ),
            Obstacle::NoQuorum => {
                String::from("the cluster has no quorum here; bring its other nodes back")
            }
            Obstacle::NodeMaintenance => format!(
                "this node is in maintenance; end it with 'crm_attribute --node {node} --name maintenance --delete'"
            ),
            Obstacle::Stopped => format!(
                "it shall be stopped (target-role=Stopped); enable it with 'crm_resource --resource {bundle} --meta --delete-parameter target-role'"
            ),
            Obstacle::Unmanaged => format!(
                "it is not managed (is-managed=false); manage it again with 'crm_resource --resource {bundle} --meta --delete-parameter is-managed'"
            ),
        }
    }

    /// Whether pacemaker looks after it now and would answer its end with a new start: not in maintenance, and not while
    /// it is unmanaged.
    pub fn is_watched(&self) -> bool {
        let left_alone = [
            Obstacle::ClusterMaintenance,
            Obstacle::NodeMaintenance,
            Obstacle::Unmanaged,
        ];
        !self.obstacles.iter().any(|why| left_alone.contains(why))
    }

    /// Whether it is active on this host.
    pub fn is_here(&self) -> bool {
        self.active_on.contains(&self.node)
    }
}

/// What stands in the way of everything.
fn general(root: &Node<'_, '_>, node: &str) -> Result<Vec<Obstacle>, String> {
    let find = |name: &str| root.descendants().find(|each| each.has_tag_name(name));
    let mut found = Vec::new();
    let options = find("cluster_options").ok_or("it has no 'cluster_options'")?;
    if is(&options, "maintenance-mode") {
        found.push(Obstacle::ClusterMaintenance);
    }
    let own = find("nodes").and_then(|nodes| {
        nodes
            .children()
            .find(|each| each.attribute("name") == Some(node))
    });
    if own.is_some_and(|own| is(&own, "maintenance")) {
        found.push(Obstacle::NodeMaintenance);
    }
    if find("current_dc").is_none_or(|dc| !is(&dc, "with_quorum")) {
        found.push(Obstacle::NoQuorum);
    }
    Ok(found)
}

/// The container's resource of a replica; the others are addresses, the connection and what runs inside.
fn container_of(bundle: &Node<'_, '_>, replica: &Node<'_, '_>, node: &str) -> Option<Replica> {
    let engine = bundle.attribute("type")?;
    let resource = replica.children().find(|each| {
        let agent = each.attribute("resource_agent").unwrap_or_default();
        each.has_tag_name("resource") && agent.rsplit(':').next() == Some(engine)
    })?;
    let active_on: Vec<String> = resource
        .children()
        .filter(|each| each.has_tag_name("node"))
        .filter_map(|each| each.attribute("name").map(str::to_owned))
        .collect();
    let mut obstacles = Vec::new();
    if resource.attribute("managed") == Some("false")
        || bundle.attribute("managed") == Some("false")
    {
        obstacles.push(Obstacle::Unmanaged);
    }
    let role = resource.attribute("target_role");
    let role = role.or_else(|| bundle.attribute("target_role"));
    if role.is_some_and(|role| role.eq_ignore_ascii_case("stopped")) {
        obstacles.push(Obstacle::Stopped);
    } else if is(&resource, "blocked") {
        obstacles.push(Obstacle::Blocked);
    } else if !active_on.iter().any(|each| each == node) {
        obstacles.push(Obstacle::Elsewhere);
    }
    Some(Replica {
        bundle: bundle.attribute("id")?.to_owned(),
        resource: resource.attribute("id")?.to_owned(),
        node: node.to_owned(),
        engine: engine.to_owned(),
        active_on,
        is_up: is_up(&resource),
        up_inside: replica.children().filter(is_up).count(),
        failures: Vec::new(),
        obstacles,
    })
}

fn is_up(resource: &Node<'_, '_>) -> bool {
    let role = resource.attribute("role").unwrap_or_default();
    resource.has_tag_name("resource")
        && is(resource, "active")
        && !matches!(role, "Starting" | "Stopped" | "Stopping")
}

fn failures(root: &Node<'_, '_>, resource: &str, node: &str) -> Vec<Failure> {
    let all = root
        .descendants()
        .filter(|each| each.has_tag_name("failure"));
    let own = all.filter(|each| {
        let key = each.attribute("op_key").unwrap_or_default();
        let is_of = key
            .strip_prefix(resource)
            .is_some_and(|rest| rest.starts_with('_'));
        is_of && each.attribute("node") == Some(node)
    });
    own.map(|each| {
        let text = |name| each.attribute(name).unwrap_or_default().to_owned();
        let status = text("exitstatus");
        let reason = text("exitreason");
        Failure {
            call: text("call"),
            task: text("task"),
            why: if reason.is_empty() { status } else { reason },
        }
    })
    .collect()
}

fn is(element: &Node<'_, '_>, name: &str) -> bool {
    element.attribute(name) == Some("true")
}

#[cfg(test)]
mod tests;
