// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use containers::kolla::{Copy, Strategy};
use containers::mounts::{Mounted, Place};
use containers::processes::{Process, Signal};

use serde_json::json;

use containers::Instant;

use super::*;
use crate::marker::Marker;
use crate::observe::{CopySeen, FileSeen, PlaceSeen, ReplicaSeen, Seen};
use crate::request::Fingerprint;
use crate::talk::qemu::Guest;
use tls_probe::StartTls;

/// A certificate of the openssl command, made once.
fn files() -> &'static (tempfile::TempDir, PathBuf) {
    static MADE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    MADE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let (key, certificate) = (directory.path().join("k"), directory.path().join("c"));
        let words = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 30 -subj /CN=a.test -addext subjectAltName=DNS:a.test";
        let made = Command::new("openssl")
            .args(words.split(' '))
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(made.status.success());
        (directory, certificate)
    })
}

fn request(options: serde_json::Value) -> Request {
    let mut all = json!({
        "replaces": [], "containers": [], "engine": "auto", "engine_timeout": 30, "action": "auto", "signal": "HUP",
        "manager": "auto", "lock": "none", "lock_name": "x", "lock_ttl": 600, "lock_timeout": 900, "sync": true, "escalate": true, "only_if": "stale", "verify": "auto", "verify_timeout": 30,
        "verify_consecutive": 3, "wait_healthy": true, "stable_for": 5, "serial": 1, "max_failures": 0,
        "restart_dependents": true, "missing": "fail", "not_running": "skip", "unproven": "warn",
        "state_dir": "/run/tls-everywhere", "certificate": files().1,
    });
    all.as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    Request::try_from_params(serde_json::from_value(all).unwrap()).unwrap()
}

fn container() -> Container {
    Container {
        id: "0123456789abcdef".to_owned(),
        name: "web".to_owned(),
        state: State::Running,
        pid: Some(10),
        started_at: Some(Instant(0)),
        restart_count: 0,
        exit_code: 0,
        health: None,
        labels: BTreeMap::new(),
        environment: Vec::new(),
        mounts: Vec::new(),
        network_of: None,
        restart_policy: "no".to_owned(),
        stop_timeout: None,
        watcher: None,
        has_terminal: false,
    }
}

fn process(pid: u32, parent: u32, program: &str) -> Process {
    Process {
        pid,
        parent,
        program: program.to_owned(),
        began: 1,
        uid: 0,
        gid: 0,
        groups: Vec::new(),
        arguments: vec![program.to_owned(), "-W".to_owned()],
    }
}

fn serving(program: &str, verdict: Verdict) -> Serving {
    Serving {
        at: "127.0.0.1:443".parse().unwrap(),
        pid: Some(11),
        program: program.to_owned(),
        starttls: None,
        seen: Seen::Certificate(Fingerprint("AA".to_owned()), verdict),
    }
}

fn place(what: Mounted, file: FileSeen) -> PlaceSeen {
    let place = Place {
        source: PathBuf::from("/etc/pki"),
        destination: PathBuf::from("/certs"),
        path: PathBuf::from("/certs/c"),
        what,
    };
    PlaceSeen { place, file }
}

/// A container that mounts the directory and serves with a program below an init.
fn evidence(program: &str, verdict: Verdict) -> Evidence {
    Evidence {
        places: vec![place(Mounted::Directory, FileSeen::Same)],
        serving: vec![serving(program, verdict)],
        processes: vec![
            process(10, 1, "dumb-init"),
            process(11, 10, program),
            process(12, 11, program),
        ],
        ..Evidence::default()
    }
}

fn candidate(selected: Selected, evidence: Option<Evidence>) -> Candidate {
    Candidate {
        engine: 0,
        container: container(),
        selected,
        wish: None,
        evidence,
        dependents: Vec::new(),
    }
}

fn plan(request: &Request, candidate: Candidate) -> Plan {
    let observed = Observed {
        wanted: Wanted::read(request).unwrap(),
        candidates: vec![candidate],
        missing: Vec::new(),
    };
    decide(request, &observed)
}

fn found(options: serde_json::Value, evidence: Evidence) -> Plan {
    plan(
        &request(options),
        candidate(Selected::Mount, Some(evidence)),
    )
}

fn word(plan: &Plan) -> &'static str {
    plan.entries[0].decision.word()
}

fn act(plan: &Plan) -> &Act {
    match plan.acts().next() {
        Some((_, act)) => act,
        None => panic!("nothing is to be done: {plan:?}"),
    }
}

#[test]
fn what_is_served_decides_who_is_touched() {
    for (verdict, expected) in [
        (Verdict::New, "fresh"),
        (Verdict::Replaced, "act"),
        (Verdict::SameNames, "act"),
        (Verdict::Other, "unrelated"),
    ] {
        assert_eq!(
            word(&found(json!({}), evidence("nginx", verdict))),
            expected,
            "{verdict:?}"
        );
    }
}

#[test]
fn the_same_names_are_no_proof_where_it_is_known_what_is_replaced() {
    let known = json!({"replaces": ["AB".repeat(32)]});
    assert_eq!(
        word(&found(known.clone(), evidence("nginx", Verdict::SameNames))),
        "unrelated"
    );
    let mut exact = evidence("nginx", Verdict::SameNames);
    exact.places[0].place.what = Mounted::File;
    assert_eq!(word(&found(known.clone(), exact)), "act");
    let named = candidate(Selected::Name, Some(evidence("nginx", Verdict::SameNames)));
    assert_eq!(word(&plan(&request(known), named)), "act");
}

#[test]
fn the_topmost_process_gets_the_signal_and_a_restart_may_follow() {
    let plan = found(json!({}), evidence("nginx", Verdict::Replaced));
    let first = act(&plan);
    let [
        Step::Signal {
            signal: Signal::Hup,
            to,
        },
    ] = first.steps.as_slice()
    else {
        panic!("{first:?}")
    };
    assert_eq!((to.pid, first.then), (11, Some(Through::Engine)));
    assert_eq!(first.addresses, ["127.0.0.1:443".parse().unwrap()]);
    let never = found(
        json!({"escalate": false}),
        evidence("nginx", Verdict::Replaced),
    );
    assert_eq!(act(&never).then, None);
}

#[test]
fn the_ladder_is_that_of_the_reference() {
    let first = |evidence| act(&found(json!({}), evidence)).steps[0].word();
    assert_eq!(first(evidence("haproxy", Verdict::Replaced)), "signal");
    assert_eq!(first(evidence("etcd", Verdict::Replaced)), "wait");
    assert_eq!(first(evidence("mariadbd", Verdict::Replaced)), "exec");
    assert_eq!(first(evidence("redis-server", Verdict::Replaced)), "exec");
    assert_eq!(first(evidence("memcached", Verdict::Replaced)), "say");
    assert_eq!(first(evidence("qdrouterd", Verdict::Replaced)), "restart");
    assert_eq!(first(evidence("something", Verdict::Replaced)), "restart");
    let mut old = evidence("nginx", Verdict::Replaced);
    old.places[0].file = FileSeen::Old;
    assert_eq!(first(old), "restart");
}

fn copy(is_fresh: bool) -> CopySeen {
    let copy = Copy {
        source: PathBuf::from("/certs/c"),
        destination: PathBuf::from("/etc/c"),
        owner: None,
        mode: None,
    };
    CopySeen {
        copy,
        is_key: false,
        is_fresh,
    }
}

#[test]
fn copies_are_refreshed_or_bring_a_restart_or_cannot_be_helped() {
    let kolla = |strategy| Evidence {
        copies: vec![copy(false)],
        strategy: Some(strategy),
        ..evidence("nginx", Verdict::Replaced)
    };
    let synced = found(json!({}), kolla(Strategy::Once));
    assert!(act(&synced).sync && !act(&synced).restarts());
    let restarted = found(json!({"sync": false}), kolla(Strategy::Always));
    assert!(!act(&restarted).sync && act(&restarted).restarts());
    let helpless = found(json!({"sync": false}), kolla(Strategy::Once));
    assert_eq!(helpless.refusals[0].1.word(), "container.recreate");
}

#[test]
fn who_serves_nothing_is_judged_by_time_if_something_names_the_file() {
    let silent = || Evidence {
        serving: Vec::new(),
        ..evidence("python3", Verdict::Other)
    };
    assert_eq!(word(&found(json!({}), silent())), "unrelated");
    let named = |evidence| candidate(Selected::Name, Some(evidence));
    assert_eq!(word(&plan(&request(json!({})), named(silent()))), "act");
    let mut late = named(silent());
    late.container.started_at = Some(Instant(i128::MAX));
    assert_eq!(word(&plan(&request(json!({})), late)), "fresh");
    let mut known = silent();
    let fingerprint = Wanted::read(&request(json!({}))).unwrap().fingerprint;
    known.marker = Some(Marker {
        started_at: String::new(),
        fingerprints: vec![fingerprint.0],
    });
    assert_eq!(word(&plan(&request(json!({})), named(known))), "fresh");
}

#[test]
fn who_does_not_run_is_never_acted_on() {
    for state in [
        State::Paused,
        State::Restarting,
        State::Stopped("exited".to_owned()),
    ] {
        let mut resting = candidate(Selected::Name, None);
        resting.container.state = state;
        let decided = plan(&request(json!({"only_if": "always"})), resting);
        assert_eq!(word(&decided), "skip");
        assert!(decided.refusals.is_empty());
    }
    let mut resting = candidate(Selected::Name, None);
    resting.container.state = State::Paused;
    let refused = plan(&request(json!({"not_running": "fail"})), resting);
    assert_eq!(refused.refusals[0].1.word(), "container.not_running");
}

/// QEMU in the container, with a monitor or without.
fn guest(monitors: &[&str], is_libvirts: bool) -> Evidence {
    let mut found = evidence("qemu-system-x86", Verdict::Replaced);
    found.doors.guests = vec![Guest {
        pid: 11,
        name: Some(String::from("instance-1")),
        is_libvirts,
        monitors: monitors.iter().map(PathBuf::from).collect(),
    }];
    found
}

#[test]
fn a_guest_gets_an_order_and_is_never_ended_by_a_restart_that_nobody_wanted() {
    let told = found(json!({}), guest(&["/run/q.sock"], false));
    assert_eq!(act(&told).steps[0].word(), "display");
    assert_eq!(act(&told).then, None, "no restart follows");
    for closed in [guest(&[], false), guest(&["/run/q.sock"], true)] {
        let refused = found(json!({}), closed);
        assert_eq!(refused.refusals[0].1.word(), "container.guests");
        assert_eq!(word(&refused), "skip");
    }
    let mut held = guest(&["/run/q.sock"], true);
    held.doors.virsh = Some(String::from("/usr/bin/virsh"));
    assert_eq!(act(&found(json!({}), held)).steps[0].word(), "display");
    let wanted = found(json!({"action": "restart"}), guest(&[], false));
    assert!(act(&wanted).restarts());
    let mut other = guest(&["/run/q.sock"], false);
    other.serving.push(Serving {
        program: String::from("something"),
        ..serving("something", Verdict::Replaced)
    });
    let refused = found(json!({}), other);
    assert_eq!(refused.refusals[0].1.word(), "container.guests");
}

#[test]
fn haproxy_exchanges_it_and_is_signalled_only_if_that_fails() {
    let mut open = evidence("haproxy", Verdict::Replaced);
    open.doors.haproxy = Some(Ok(Vec::new()));
    let planned = found(json!({}), open);
    let [Step::Exchange { otherwise, .. }] = act(&planned).steps.as_slice() else {
        panic!("{planned:?}")
    };
    let (signal, to) = otherwise.as_ref().unwrap();
    assert_eq!((*signal, to.pid), (Signal::Hup, 11));
    let mut closed = evidence("haproxy", Verdict::Replaced);
    closed.doors.haproxy = Some(Err(String::from("its level is user")));
    let planned = found(json!({}), closed);
    assert_eq!(act(&planned).steps[0].word(), "signal");
    let why = &planned.entries[0].why;
    assert!(why.ends_with("(its level is user)"), "{why}");
}

#[test]
fn a_cluster_is_known_by_a_database_that_speaks_tls_at_once() {
    let client = Serving {
        starttls: Some(StartTls::Mysql),
        ..serving("mariadbd", Verdict::Replaced)
    };
    let cluster = Serving {
        at: "127.0.0.1:4567".parse().unwrap(),
        ..serving("mariadbd", Verdict::Replaced)
    };
    let with = |serving: Vec<Serving>| Evidence {
        serving,
        ..evidence("mariadbd", Verdict::Replaced)
    };
    let alone = found(json!({}), with(vec![client.clone()]));
    let both = found(json!({}), with(vec![client, cluster]));
    assert_eq!(act(&alone).steps.len(), 1);
    assert_eq!((act(&both).steps.len(), act(&both).addresses.len()), (2, 2));
}

#[test]
fn a_unit_must_be_there_where_the_task_wants_it() {
    for options in [json!({"manager": "systemd"}), json!({"action": "reload"})] {
        let refused = found(options, evidence("nginx", Verdict::Replaced));
        assert_eq!(refused.refusals[0].1.word(), "container.no_unit");
    }
}

#[test]
fn only_looking_changes_nothing() {
    assert_eq!(
        word(&found(
            json!({"action": "none"}),
            evidence("nginx", Verdict::Replaced)
        )),
        "skip"
    );
}

/// A container of which pacemaker says this: `managed` and `target_role` as in its XML.
fn of_a_bundle(program: &str, attributes: &str) -> Evidence {
    let text = format!(
        r#"<pacemaker-result><current_dc with_quorum="true"/><cluster_options maintenance-mode="false"/>
        <bundle id="b" type="podman"><replica id="0">
        <resource id="b-podman-0" resource_agent="ocf:heartbeat:podman" {attributes}><node name="one"/></resource>
        </replica></bundle></pacemaker-result>"#
    );
    let status = containers::pacemaker::Status::read(&text, "one").unwrap();
    let replica = status.replica("b-podman-0", "podman").unwrap().clone();
    Evidence {
        replica: ReplicaSeen::Yes(replica),
        ..evidence(program, Verdict::Replaced)
    }
}

const MANAGED: &str = r#"managed="true""#;
const UNMANAGED: &str = r#"managed="false""#;

#[test]
fn a_replica_is_restarted_by_pacemaker_and_reloaded_without_it() {
    for manager in ["auto", "pacemaker"] {
        let options = json!({"manager": manager});
        let restarted = found(options.clone(), of_a_bundle("something", MANAGED));
        assert_eq!(act(&restarted).steps, [Step::Restart(Through::Bundle)]);
        let gentle = found(options, of_a_bundle("nginx", MANAGED));
        assert_eq!(act(&gentle).steps[0].word(), "signal");
        assert_eq!(act(&gentle).then, Some(Through::Bundle));
    }
}

#[test]
fn what_pacemaker_would_not_restart_is_refused_but_may_be_reloaded() {
    for (attributes, what) in [
        (UNMANAGED, "is-managed=false"),
        (
            r#"managed="true" target_role="Stopped""#,
            "target-role=Stopped",
        ),
    ] {
        let refused = found(json!({}), of_a_bundle("something", attributes));
        assert_eq!(refused.refusals[0].1.word(), "cluster.refused");
        assert!(refused.refusals[0].1.to_string().contains(what));
        let gentle = found(json!({}), of_a_bundle("nginx", attributes));
        assert!(gentle.refusals.is_empty() && act(&gentle).then.is_none());
        assert!(act(&gentle).held_back.as_ref().unwrap().contains(what));
    }
}

#[test]
fn nobody_restarts_a_replica_behind_pacemakers_back() {
    let engine = || json!({"manager": "engine"});
    let refused = found(engine(), of_a_bundle("something", MANAGED));
    assert_eq!(refused.refusals[0].1.word(), "cluster.managed");
    let gentle = found(engine(), of_a_bundle("nginx", MANAGED));
    assert_eq!(act(&gentle).then, None);
    let left_alone = found(engine(), of_a_bundle("something", UNMANAGED));
    assert_eq!(
        act(&left_alone).steps,
        [Step::Restart(Through::Engine)],
        "pacemaker does not look"
    );
}

#[test]
fn a_cluster_that_cannot_be_asked_is_not_taken_for_none() {
    let unknown = |program| Evidence {
        replica: ReplicaSeen::Unknown("no answer".to_owned()),
        ..evidence(program, Verdict::Replaced)
    };
    let refused = found(json!({}), unknown("something"));
    assert_eq!(refused.refusals[0].1.word(), "cluster.unknown");
    let gentle = found(json!({}), unknown("nginx"));
    assert_eq!((act(&gentle).then, gentle.refusals.len()), (None, 0));
    let told = found(json!({"manager": "engine"}), unknown("something"));
    assert_eq!(act(&told).steps, [Step::Restart(Through::Engine)]);
    let none = found(
        json!({"manager": "pacemaker"}),
        evidence("nginx", Verdict::Replaced),
    );
    assert_eq!(none.refusals[0].1.word(), "container.no_bundle");
}
