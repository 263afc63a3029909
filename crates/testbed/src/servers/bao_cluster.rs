// SPDX-License-Identifier: Apache-2.0
//! Three nodes of OpenBao that keep their state with raft, on the loopback.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bao::{BaoAnswer, BaoRelease, asked, two_free_ports};
use crate::{Sandbox, must};

const NODES: usize = 3;
/// Starting, joining and elections, on a machine with other work.
const LIMIT: Duration = Duration::from_secs(90);

/// A cluster, unsealed, with a leader. Its nodes are killed when this is dropped.
#[derive(Debug)]
pub struct BaoCluster {
    release: BaoRelease,
    nodes: Vec<Node>,
    directory: Sandbox,
    key: String,
    token: String,
}

#[derive(Debug)]
struct Node {
    process: Child,
    port: u16,
}

impl BaoCluster {
    /// Starts three nodes, initializes the first with one key, unseals all.
    #[track_caller]
    pub fn start(release: BaoRelease) -> Self {
        let directory = Sandbox::new();
        let nodes = (0..NODES).map(|index| Node::start(release, &directory, index));
        let mut cluster = Self {
            release,
            nodes: nodes.collect(),
            directory,
            key: String::new(),
            token: String::new(),
        };
        (0..NODES).for_each(|index| cluster.wait_for(index, |said| said["type"].is_string()));
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let made = cluster.api(0, "sys/init", &shares);
        cluster.key = text(&made["keys"][0]);
        cluster.token = text(&made["root_token"]);
        cluster.unseal(0);
        cluster.leader();
        // Otherwise ten seconds of good conduct come before a vote.
        let trusting = json!({"server_stabilization_time": "1s"});
        let path = "sys/storage/raft/autopilot/configuration";
        cluster.api(0, path, &trusting);
        for index in 1..NODES {
            cluster.join(index);
            cluster.unseal(index);
        }
        // A node that has just joined does not vote yet.
        cluster.wait_until("all nodes vote", |cluster| {
            let (_, said) = cluster.ask(0, "GET", "sys/storage/raft/configuration", &Value::Null);
            let servers = said["data"]["config"]["servers"].as_array();
            let voters = servers.into_iter().flatten();
            voters.filter(|node| node["voter"] == true).count() == NODES
        });
        cluster
    }

    /// Where a node is.
    pub fn url(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.nodes[index].port)
    }

    /// Where all of them are.
    pub fn urls(&self) -> Vec<String> {
        (0..NODES).map(|index| self.url(index)).collect()
    }

    /// The token that may do everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Waits for a leader, and says which node it is.
    #[track_caller]
    pub fn leader(&self) -> usize {
        let deadline = Instant::now() + LIMIT;
        loop {
            let leads = |index: &usize| {
                let answer = self.try_ask(*index, "GET", "sys/leader", &Value::Null);
                answer.is_ok_and(|(_, said)| said["is_self"] == true)
            };
            if let Some(index) = (0..NODES).find(leads) {
                return index;
            }
            assert!(Instant::now() < deadline, "no leader: {}", self.logs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A node that does not lead, and lives.
    #[track_caller]
    pub fn standby(&self) -> usize {
        let leader = self.leader();
        let lives = |index: &usize| {
            let health = self.try_ask(*index, "GET", "sys/health?standbyok=true", &Value::Null);
            *index != leader && health.is_ok_and(|(status, _)| status == 200)
        };
        let found = (0..NODES).find(lives);
        must(found.ok_or("all others are dead"), "no standby")
    }

    /// Kills a node as a crash does.
    #[track_caller]
    pub fn kill(&mut self, index: usize) {
        let process = &mut self.nodes[index].process;
        must(process.kill(), "cannot kill a node");
        must(process.wait(), "cannot wait for a node");
    }

    /// Starts a node again that was killed; it is sealed.
    #[track_caller]
    pub fn restart(&mut self, index: usize) {
        let port = self.nodes[index].port;
        self.nodes[index].process = Node::spawn(self.release, &self.directory, index);
        assert_eq!(self.nodes[index].port, port);
        self.wait_for(index, |said| said["initialized"] == true);
    }

    /// Seals a node.
    #[track_caller]
    pub fn seal(&self, index: usize) {
        self.api(index, "sys/seal", &json!({}));
    }

    /// Unseals a node.
    #[track_caller]
    pub fn unseal(&self, index: usize) {
        self.api(index, "sys/unseal", &json!({"key": self.key}));
        self.wait_for(index, |said| said["sealed"] == false);
    }

    /// Lets the leader give way.
    #[track_caller]
    pub fn step_down(&self) {
        self.api(self.leader(), "sys/step-down", &json!({}));
    }

    /// Asks a node with the token of root, and takes any answer.
    #[track_caller]
    pub fn ask(&self, index: usize, method: &str, path: &str, body: &Value) -> BaoAnswer {
        must(
            self.try_ask(index, method, path, body),
            "cannot ask a node of openbao",
        )
    }

    /// Posts to a node, which must take it, if not in the middle of an election.
    #[track_caller]
    pub fn api(&self, index: usize, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let (status, said) = self.ask(index, "POST", path, body);
            if (200..300).contains(&status) {
                return said;
            }
            let may_pass = matches!(status, 307 | 500 | 503) && Instant::now() < deadline;
            assert!(may_pass, "{path}: {status} {said}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What its nodes printed last.
    pub fn logs(&self) -> String {
        let last = |index: usize| {
            let log = self.directory.read(format!("{index}/log"));
            let log = String::from_utf8_lossy(&log).into_owned();
            let lines: Vec<&str> = log.lines().rev().take(30).collect();
            let lines: Vec<&str> = lines.into_iter().rev().collect();
            format!("node {index}:\n{}\n", lines.join("\n"))
        };
        (0..NODES).map(last).collect()
    }

    fn try_ask(
        &self,
        index: usize,
        method: &str,
        path: &str,
        body: &Value,
    ) -> std::io::Result<BaoAnswer> {
        let port = self.nodes[index].port;
        asked(port, false, &self.token, method, path, body)
    }

    #[track_caller]
    fn join(&self, index: usize) {
        let leader = json!({"leader_api_addr": self.url(0)});
        self.wait_until("a node joins", |cluster| {
            let answer = cluster.try_ask(index, "POST", "sys/storage/raft/join", &leader);
            answer.is_ok_and(|(status, _)| status == 200)
        });
    }

    #[track_caller]
    fn wait_for(&self, index: usize, good: impl Fn(&Value) -> bool) {
        self.wait_until("a node is as it should be", |cluster| {
            let answer = cluster.try_ask(index, "GET", "sys/seal-status", &Value::Null);
            answer.is_ok_and(|(status, said)| status == 200 && good(&said))
        });
    }

    #[track_caller]
    fn wait_until(&self, what: &str, good: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !good(self) {
            assert!(Instant::now() < deadline, "{what}: not so\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for BaoCluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // It may have ended by itself; the test has its verdict.
            let _ = node.process.kill();
            let _ = node.process.wait();
        }
    }
}

impl Node {
    #[track_caller]
    fn start(release: BaoRelease, directory: &Sandbox, index: usize) -> Self {
        let port = two_free_ports();
        let place = directory.join(index.to_string());
        let data = place.join("data");
        must(std::fs::create_dir_all(&data), "cannot make a directory");
        let config = json!({
            // A crash is noticed in 4 s instead of 10; less, and a busy machine has elections of its own.
            "storage": {"raft": {
                "path": data,
                "node_id": format!("node-{index}"),
                "performance_multiplier": "2",
            }},
            "listener": {"tcp": {
                "address": format!("127.0.0.1:{port}"),
                "cluster_address": format!("127.0.0.1:{}", port + 1),
                "tls_disable": true,
            }},
            "api_addr": format!("http://127.0.0.1:{port}"),
            "cluster_addr": format!("https://127.0.0.1:{}", port + 1),
        });
        directory.write(format!("{index}/config.json"), config.to_string());
        let process = Self::spawn(release, directory, index);
        Self { process, port }
    }

    #[track_caller]
    fn spawn(release: BaoRelease, directory: &Sandbox, index: usize) -> Child {
        let place = directory.join(index.to_string());
        let log = File::options()
            .create(true)
            .append(true)
            .open(place.join("log"));
        let log = must(log, "cannot make a log");
        let errors = must(log.try_clone(), "cannot share the log");
        let mut command = Command::new(release.program());
        command
            .args(["server", "-config"])
            .arg(place.join("config.json"));
        command.env_clear().env("HOME", &place);
        let command = command.stdin(Stdio::null()).stdout(log).stderr(errors);
        must(command.spawn(), "cannot start a node of openbao")
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    must(value.as_str().ok_or(value), "it is no text").to_owned()
}
