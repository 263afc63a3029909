// SPDX-License-Identifier: Apache-2.0
//! A cluster of three real nodes, and its bad days. One cluster for all of them: each step leaves it in service.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{RoundRobin, at, csr, kind, token, with_root};
use testbed::servers::{BaoCluster, BaoRelease};
use vault::pki::{Mount, SignRequest};
use vault::{Auth, Held, Repeat, Secret, SecretId, Settings, Vault};

/// As long as the default: nobody waits for it but where the cluster needs it.
const WINDOW: Duration = Duration::from_secs(45);

#[test]
fn a_cluster_is_served_by_through_its_bad_days() {
    let mut cluster = BaoCluster::start(BaoRelease::chosen());
    let root = open(&cluster, |_| {});
    with_root(&root, "pki");
    a_read_sees_the_write_before_it(&cluster);
    a_login_is_known_to_all_nodes_at_once(&cluster);
    the_state_of_each_node_can_be_told(&cluster);
    a_sealed_node_is_passed_over(&cluster);
    writes_go_on_while_the_leader_steps_down(&cluster);
    a_proxy_before_all_nodes_is_one_address(&cluster);
    a_leader_that_dies_loses_no_certificate(&mut cluster);
    without_a_majority_nobody_leads(&mut cluster);
}

fn open(cluster: &BaoCluster, change: impl Fn(&mut Settings)) -> Vault {
    let mut settings = at(&cluster.urls(), token(cluster.token()));
    settings.retry_window = WINDOW;
    change(&mut settings);
    Vault::open(settings).unwrap()
}

/// With the leader behind standbys in the list: a read of a standby is some 50 to 100 ms behind.
fn a_read_sees_the_write_before_it(cluster: &BaoCluster) {
    let standby = cluster.standby();
    let vault = open(cluster, |settings| {
        settings.addresses.swap(0, standby);
    });
    let pki = Mount::new(&vault, "pki");
    for number in 0..30 {
        let name = format!("role-{number}");
        pki.write_role(&name, &json!({"allow_any_name": true}))
            .unwrap();
        assert!(pki.role(&name).unwrap().is_some(), "{name} is not seen");
        pki.delete_role(&name).unwrap();
        assert!(pki.role(&name).unwrap().is_none(), "{name} is still seen");
    }
}

fn approle(cluster: &BaoCluster) -> Auth {
    let role = cluster
        .ask(
            cluster.leader(),
            "GET",
            "auth/approle/role/host/role-id",
            &Value::Null,
        )
        .1;
    Auth::AppRole {
        mount: "approle".to_owned(),
        role_id: Held::Given(Secret::new(role["data"]["role_id"].as_str().unwrap())),
        secret_id: SecretId::None,
    }
}

/// A token is made by the leader, and each node is asked with it at once.
fn a_login_is_known_to_all_nodes_at_once(cluster: &BaoCluster) {
    cluster.api(
        cluster.leader(),
        "sys/auth/approle",
        &json!({"type": "approle"}),
    );
    let fields = json!({"bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32", "token_policies": ["default"]});
    cluster.api(cluster.leader(), "auth/approle/role/host", &fields);
    for index in 0..3 {
        // One address alone, as a proxy is: there is nothing to choose.
        let vault = open(cluster, |settings| {
            settings.addresses = vec![cluster.url(index)];
            settings.auth = approle(cluster);
        });
        assert!(vault.read("auth/token/lookup-self").unwrap().is_some());
        assert_eq!(vault.close(), Vec::<String>::new());
    }
}

fn the_state_of_each_node_can_be_told(cluster: &BaoCluster) {
    let vault = open(cluster, |_| {});
    let states = vault.healths();
    let standing_by = states
        .iter()
        .filter(|(_, health)| health.as_ref().unwrap().standby);
    assert_eq!((states.len(), standing_by.count()), (3, 2));
    let leader = vault.leader().unwrap();
    assert!(leader.ha_enabled);
    assert_eq!(leader.leader_address, cluster.url(cluster.leader()));
}

fn a_sealed_node_is_passed_over(cluster: &BaoCluster) {
    let standby = cluster.standby();
    cluster.seal(standby);
    let vault = open(cluster, |settings| settings.addresses.swap(0, standby));
    assert!(vault.read("pki/roles/web").unwrap().is_some());
    let alone = open(cluster, |settings| {
        settings.addresses = vec![cluster.url(standby)]
    });
    let began = Instant::now();
    let error = alone.read("pki/roles/web").unwrap_err();
    assert_eq!(error.kind(), "vault.sealed");
    assert!(
        error.to_string().starts_with(&cluster.url(standby)),
        "{error}"
    );
    assert_eq!(kind(alone.leader()), "vault.sealed");
    assert!(began.elapsed() < WINDOW / 2);
    cluster.unseal(standby);
}

fn writes_go_on_while_the_leader_steps_down(cluster: &BaoCluster) {
    let vault = open(cluster, |_| {});
    let pki = Mount::new(&vault, "pki");
    for number in 0..20 {
        if number == 5 {
            cluster.step_down();
        }
        let name = format!("step-{number}");
        pki.write_role(&name, &json!({"allow_any_name": true}))
            .unwrap();
        assert!(pki.role(&name).unwrap().is_some());
    }
}

/// Each request may reach another node than that before it, one that does not know the token yet.
fn a_proxy_before_all_nodes_is_one_address(cluster: &BaoCluster) {
    let proxy = RoundRobin::start(&cluster.urls());
    let auth = approle(cluster);
    for _ in 0..6 {
        let vault = open(cluster, |settings| {
            settings.addresses = vec![proxy.url()];
            settings.auth = auth.clone();
        });
        for _ in 0..3 {
            assert!(vault.read("auth/token/lookup-self").unwrap().is_some());
        }
        assert_eq!(vault.close(), Vec::<String>::new());
    }
}

/// Twenty certificates by four threads; the leader is killed after some of them. Each host gets exactly one answer, and each
/// of these is a certificate that the cluster knows afterwards.
fn a_leader_that_dies_loses_no_certificate(cluster: &mut BaoCluster) {
    let vault = open(cluster, |_| {});
    let proxy = RoundRobin::start(&cluster.urls());
    let behind = open(cluster, |settings| settings.addresses = vec![proxy.url()]);
    let leader = cluster.leader();
    let names: Mutex<Vec<u32>> = Mutex::new((0..20).collect());
    let serials: Mutex<Vec<String>> = Mutex::default();
    let began = Instant::now();
    let sign = || {
        let pki = Mount::new(&vault, "pki");
        loop {
            let Some(number) = names.lock().unwrap().pop() else {
                return;
            };
            let name = format!("host-{number}.example");
            let request = SignRequest {
                csr: csr(&name),
                common_name: Some(name),
                ..SignRequest::default()
            };
            let signed = pki.sign("web", None, &request).unwrap();
            serials.lock().unwrap().push(signed.serial_number);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(sign);
        }
        while serials.lock().unwrap().len() < 5 {
            std::thread::sleep(Duration::from_millis(5));
        }
        cluster.kill(leader);
        // Behind the proxy are one that is dead and two that redirect to it, whose address is not ours.
        behind
            .write("pki/roles/late", &json!({}), Repeat::Safe)
            .unwrap();
    });
    let took = began.elapsed();
    let serials = serials.into_inner().unwrap();
    let mut different = serials.clone();
    different.sort();
    different.dedup();
    assert_eq!((serials.len(), different.len()), (20, 20));
    // What was in flight may have been issued once more, for nobody; the root is stored, too.
    let stored = Mount::new(&vault, "pki").certificates().unwrap().len();
    assert!((21..=25).contains(&stored), "{stored} are stored");
    assert!(took < WINDOW + Duration::from_secs(15), "it took {took:?}");
    assert_ne!(cluster.leader(), leader);
    let pki = Mount::new(&vault, "pki");
    for serial in &serials {
        assert!(
            pki.certificate(serial).unwrap().is_some(),
            "{serial} is lost"
        );
    }
    // The dead one comes back sealed, and is in nobody's way.
    cluster.restart(leader);
    let first = open(cluster, |settings| settings.addresses.swap(0, leader));
    assert!(first.read("pki/roles/web").unwrap().is_some());
    cluster.unseal(leader);
}

fn without_a_majority_nobody_leads(cluster: &mut BaoCluster) {
    let leader = cluster.leader();
    let standby = cluster.standby();
    let last = 3 - leader - standby;
    cluster.kill(leader);
    cluster.kill(standby);
    let hasty = |addresses: Vec<String>| {
        open(cluster, |settings| {
            settings.addresses.clone_from(&addresses);
            settings.retry_window = Duration::from_secs(3);
        })
    };
    let vault = hasty(cluster.urls());
    let error = vault
        .write("pki/roles/late", &json!({}), Repeat::Safe)
        .unwrap_err();
    assert_eq!(error.kind(), "vault.no_leader", "{error}");
    assert!(error.is_outage());
    // What is killed now and then is asked for in vain, too, by who knows no other.
    let error = hasty(vec![cluster.url(leader)])
        .read("pki/roles/web")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.unreachable", "{error}");
    assert_eq!(hasty(vec![cluster.url(last)]).healths().len(), 1);
}
