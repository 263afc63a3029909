// SPDX-License-Identifier: Apache-2.0
//! A cluster of three whose leader is killed while it signs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pki::Certificate;
use serde_json::{Value, json};
use testbed::servers::{BaoCluster, BaoRelease};
use testbed::{ModuleRun, Sandbox, witness};

use crate::world::EXECUTABLE;

const COUNT: usize = 20;
const WORKERS: usize = 2;

/// An authority, and a role for any name.
fn prepare(cluster: &BaoCluster) -> String {
    let leader = cluster.leader();
    let mount = json!({"type": "pki", "config": {"max_lease_ttl": "8760h"}});
    cluster.api(leader, "sys/mounts/pki", &mount);
    let root =
        json!({"common_name": "Cluster Root", "key_type": "ec", "key_bits": 256, "ttl": "8760h"});
    let made = cluster.api(leader, "pki/root/generate/internal", &root);
    let role = json!({"allow_any_name": true, "key_type": "any", "max_ttl": "4000h"});
    cluster.api(leader, "pki/roles/web", &role);
    made["data"]["certificate"].as_str().unwrap().to_owned()
}

fn task(cluster: &BaoCluster) -> Value {
    let entries: Vec<Value> = (0..COUNT)
        .map(|number| {
            json!({
                "name": format!("h{number}"), "dns": [format!("h{number}.example.test")],
                "files": [
                    {"content": "private_key", "path": format!("$DIR/h{number}.key")},
                    {"content": "certificate", "path": format!("$DIR/h{number}.pem")},
                ],
            })
        })
        .collect();
    let vault = json!({
        "url": cluster.urls(), "mount": "pki", "role": "web",
        "auth": {"method": "token", "token": cluster.token()},
    });
    // Keys that take a while, so that the leader dies in the middle.
    json!({
        "certificates": entries, "parallel": WORKERS, "state_dir": "$DIR/state",
        "defaults": {"ttl": "90d", "key": {"algorithm": "rsa", "size": 3072}, "issuer": {"vault": vault}},
    })
}

fn begin(sandbox: &Sandbox, task: &Value) -> Child {
    let mut child = Command::new(EXECUTABLE)
        .stdin(Stdio::piped())
        .stdout(File::create(sandbox.join("answer")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = sandbox.place(task).to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child
}

fn installed(sandbox: &Sandbox) -> usize {
    (0..COUNT)
        .filter(|number| sandbox.join(format!("h{number}.pem")).exists())
        .count()
}

/// How many certificates of each name the mount has.
fn on_the_server(cluster: &BaoCluster) -> BTreeMap<String, Vec<String>> {
    let leader = cluster.leader();
    let (_, list) = cluster.ask(leader, "LIST", "pki/certs", &Value::Null);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for serial in list["data"]["keys"].as_array().unwrap() {
        let path = format!("pki/cert/{}", serial.as_str().unwrap());
        let (_, shown) = cluster.ask(leader, "GET", &path, &Value::Null);
        let pem = shown["data"]["certificate"].as_str().unwrap();
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        let facts = certificate.facts();
        found
            .entry(facts.subject.to_string())
            .or_default()
            .push(facts.serial.to_string());
    }
    found
}

#[test]
fn all_certificates_are_there_once_though_the_leader_is_killed_in_the_middle() {
    let mut cluster = BaoCluster::start(BaoRelease::Current);
    let root = prepare(&cluster);
    let sandbox = Sandbox::new();
    let task = task(&cluster);
    let mut child = begin(&sandbox, &task);
    let deadline = Instant::now() + Duration::from_secs(120);
    while installed(&sandbox) < 4 {
        assert!(Instant::now() < deadline, "nothing is issued");
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    let leader = cluster.leader();
    cluster.kill(leader);
    let killed = Instant::now();
    let then = installed(&sandbox);
    assert!(then < COUNT, "the leader died too late");
    let status = child.wait().unwrap();
    let took = killed.elapsed();
    let said = String::from_utf8(sandbox.read("answer")).unwrap();
    assert!(status.success(), "{said}{}", cluster.logs());
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(answer["renewed"].as_array().unwrap().len(), COUNT, "{said}");
    assert!(took < Duration::from_secs(45), "{took:?}");

    let found = on_the_server(&cluster);
    let mut lost = 0;
    for number in 0..COUNT {
        let name = format!("h{number}.example.test");
        let pem = sandbox.read(format!("h{number}.pem"));
        witness::verify(&root, "", &pem, &name).unwrap();
        let files = [format!("h{number}.pem"), format!("h{number}.key")];
        let [certificate, key] = files.map(|file| sandbox.join(file));
        witness::key_matches(certificate, key).unwrap();
        // The cluster has what is in service, so it can be revoked; what it has more was on the way when the leader died.
        let serial = answer["certificates"][&format!("h{number}")]["serial"].as_str();
        let all = &found[&format!("CN={name}")];
        assert!(
            all.iter().any(|known| Some(known.as_str()) == serial),
            "{said}"
        );
        lost += all.len() - 1;
    }
    assert!(lost <= WORKERS, "{found:?}");
    println!("{then} before the leader was killed, all after {took:?}, {lost} signed in vain");

    let again = ModuleRun::new(EXECUTABLE)
        .args(task)
        .sandbox(&sandbox)
        .run();
    assert!(!again.changed(), "{}", again.report());
}
