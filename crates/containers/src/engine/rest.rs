// SPDX-License-Identifier: Apache-2.0
//! Both engines over their sockets: what differs between them is the prefix of the paths.

use std::path::PathBuf;
use std::time::Duration;

use super::api::Api;
use super::{Engine, Executed, Execution, Kind, Label};
use crate::{Container, Result};

/// An engine behind a socket.
#[derive(Debug)]
pub(super) struct Rest(Api);

impl Rest {
    /// Docker Engine API, paths without a version.
    pub(super) fn docker(socket: PathBuf, limit: Duration) -> Self {
        Self(Api::new(Kind::Docker, socket, String::new(), limit))
    }

    /// Libpod API of the version that Podman says it has.
    pub(super) fn libpod(socket: PathBuf, version: &str, limit: Duration) -> Self {
        Self(Api::new(
            Kind::Podman,
            socket,
            format!("/v{version}/libpod"),
            limit,
        ))
    }
}

impl Engine for Rest {
    fn label(&self) -> &Label {
        &self.0.label
    }

    fn containers(&self) -> Result<Vec<Container>> {
        self.0.containers()
    }

    fn inspect(&self, name: &str) -> Result<Option<Container>> {
        self.0.inspect(name)
    }

    fn restart(&self, container: &Container, grace: Option<u64>) -> Result<()> {
        self.0.restart(container, grace)
    }

    fn execute(&self, container: &Container, execution: &Execution<'_>) -> Result<Executed> {
        self.0.execute(container, execution)
    }

    fn last_lines(&self, container: &Container, count: usize) -> Result<String> {
        self.0.last_lines(container, count)
    }
}
