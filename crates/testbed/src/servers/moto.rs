// SPDX-License-Identifier: Apache-2.0
//! moto's server, a stand-in for Amazon's services: their API without DNS behind it. It checks no signature.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::named::{free_addresses, said};
use crate::must;

/// How long it may take until it listens: Python reads a lot.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub struct MotoStandIn {
    process: Child,
    programs: PathBuf,
    address: SocketAddr,
}

impl MotoStandIn {
    /// Starts one; `scripts/venv` installs it from PyPI.
    #[track_caller]
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/venv");
        let venv = said(must(
            Command::new(script).arg("moto").output(),
            "cannot start scripts/venv",
        ));
        let programs = Path::new(&venv).join("bin");
        let [address] = free_addresses();
        let mut command = Command::new(programs.join("python"));
        // Not by its first line, which names the place where the environment was made.
        command.arg(programs.join("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = must(command.stderr(Stdio::null()).spawn(), "cannot start moto");
        let mut server = Self {
            process,
            programs,
            address,
        };
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).is_err() {
            let ended = must(server.process.try_wait(), "cannot look after moto");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "moto does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a Python script prints in which `route53` is Amazon's own client for it.
    #[track_caller]
    pub fn boto(&self, script: &str) -> String {
        let url = self.url();
        let whole = format!(
            "import boto3\nroute53 = boto3.client('route53', endpoint_url='{url}', region_name='us-east-1', aws_access_key_id='a', aws_secret_access_key='b')\n{script}"
        );
        let mut command = Command::new(self.programs.join("python"));
        said(must(
            command.args(["-c", &whole]).output(),
            "cannot start python",
        ))
    }
}

impl Drop for MotoStandIn {
    fn drop(&mut self) {
        // It may have ended by itself; the test has its verdict.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
