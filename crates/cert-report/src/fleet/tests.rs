// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::Key;

fn certificate(name: &str, key: &str, ends: i64) -> Certificate {
    Certificate {
        subject: format!("CN={name}"),
        fingerprint_sha256: format!("print of {name}"),
        key: Key {
            sha256: key.into(),
            ..Key::default()
        },
        not_after: Moment(ends),
        ..Certificate::default()
    }
}

fn endpoint(service: &str, host: &str, leaf: Certificate) -> Endpoint {
    Endpoint {
        service: service.into(),
        host: host.into(),
        port: 443,
        chain: vec![leaf],
        ..Endpoint::default()
    }
}

fn report(host: &str, at: i64, endpoints: Vec<Endpoint>) -> Report {
    Report {
        endpoints,
        ..Report::new(host, Moment(at))
    }
}

#[test]
fn of_two_reports_of_a_host_the_newer_holds_in_any_order() {
    let old = report("a", 1, vec![]);
    let new = report("a", 2, vec![endpoint("x", "a", Certificate::default())]);
    assert_eq!(
        Fleet::of([old.clone(), new.clone()]),
        Fleet::of([new.clone()])
    );
    assert_eq!(Fleet::of([new.clone(), old]), Fleet::of([new]));
}

#[test]
fn a_report_that_looked_at_nothing_replaces_none_of_the_same_name() {
    let looked = report("a", 1, vec![endpoint("x", "a", Certificate::default())]);
    let empty = report("a", 2, vec![]);
    assert_eq!(
        Fleet::of([looked.clone(), empty.clone()]),
        Fleet::of([looked])
    );
    assert_eq!(Fleet::of([empty.clone()]).reports(), [empty]);
}

#[test]
fn the_worst_and_the_next_to_end_are_first() {
    let mut bad = endpoint("bad", "a", certificate("bad", "1", 900));
    bad.status = Level::Fail;
    let silent = Endpoint {
        service: "silent".into(),
        status: Level::Fail,
        ..Endpoint::default()
    };
    let late = endpoint("late", "a", certificate("late", "2", 500));
    let soon = endpoint("soon", "a", certificate("soon", "3", 100));
    let fleet = Fleet::of([
        report("a", 1, vec![late, bad]),
        report("b", 1, vec![soon, silent]),
    ]);
    let order: Vec<&str> = fleet.rows().iter().map(Row::service).collect();
    assert_eq!(order, ["silent", "bad", "soon", "late"]);
}

#[test]
fn a_key_of_two_services_is_shared_also_across_hosts() {
    let one = endpoint("keystone", "a", certificate("k", "same", 1));
    let two = endpoint("glance", "b", certificate("g", "same", 1));
    let fleet = Fleet::of([report("a", 1, vec![one]), report("b", 1, vec![two])]);
    assert_eq!(
        fleet.shared_keys(),
        [SharedKey {
            sha256: "same".into(),
            users: vec!["glance at b:443".into(), "keystone at a:443".into()]
        }]
    );
    assert!(fleet.rows().iter().all(|row| row.shared));
}

#[test]
fn a_key_of_one_service_on_many_hosts_is_not_shared_unless_a_report_says_so() {
    let on = |host: &str| {
        report(
            host,
            1,
            vec![endpoint("haproxy", host, certificate("h", "same", 1))],
        )
    };
    assert_eq!(Fleet::of([on("a"), on("b")]).shared_keys(), []);
    let mut told = on("a");
    told.shared_keys.push(SharedKey {
        sha256: "same".into(),
        users: vec!["/x.pem".into()],
    });
    let shared = Fleet::of([told, on("b")]).shared_keys();
    assert_eq!(shared.len(), 1);
    assert_eq!(
        shared[0].users,
        ["/x.pem", "haproxy at a:443", "haproxy at b:443"]
    );
}

#[test]
fn keys_that_are_not_known_are_not_the_same() {
    let all = vec![
        endpoint("one", "a", certificate("1", "", 1)),
        endpoint("two", "a", certificate("2", "", 1)),
    ];
    assert_eq!(Fleet::of([report("a", 1, all)]).shared_keys(), []);
}

#[test]
fn what_another_host_serves_is_not_unserved() {
    let mut keeper = report("a", 1, vec![]);
    for name in ["vip", "forgotten"] {
        keeper.unserved.push(Unserved {
            path: format!("/{name}.pem"),
            fingerprint_sha256: format!("print of {name}"),
            ..Unserved::default()
        });
        keeper.files.push(FileEntry {
            path: format!("/{name}.pem"),
            ..FileEntry::default()
        });
    }
    let server = report(
        "b",
        1,
        vec![endpoint("vip", "b", certificate("vip", "1", 1))],
    );
    let fleet = Fleet::of([keeper, server]);
    let paths: Vec<String> = fleet
        .unserved()
        .into_iter()
        .map(|(_, file)| file.path)
        .collect();
    assert_eq!(paths, ["/forgotten.pem"]);
    let marked: Vec<String> = fleet
        .rows()
        .iter()
        .filter(|row| row.unserved)
        .map(Row::title)
        .collect();
    assert_eq!(marked, ["a: /forgotten.pem"]);
}

#[test]
fn a_file_that_is_served_and_in_order_is_in_the_line_of_its_endpoint() {
    let mut all = report("a", 1, vec![endpoint("x", "a", certificate("x", "1", 1))]);
    all.files.push(FileEntry {
        path: "/x.pem".into(),
        served_at: vec!["a:443".into()],
        ..FileEntry::default()
    });
    all.files.push(FileEntry {
        path: "/y.pem".into(),
        served_at: vec!["a:443".into()],
        status: Level::Warn,
        ..FileEntry::default()
    });
    let fleet = Fleet::of([all]);
    let titles: Vec<String> = fleet.rows().iter().map(Row::title).collect();
    assert_eq!(titles, ["a: /y.pem", "x at a:443"]);
}

#[test]
fn an_ipv6_address_has_brackets() {
    let endpoint = Endpoint {
        host: "fd00::1".into(),
        port: 443,
        ..Endpoint::default()
    };
    assert_eq!(endpoint.at(), "[fd00::1]:443");
}

#[test]
fn who_looked_at_nothing_is_not_part_of_the_fleet() {
    let looked = report("a", 1, vec![Endpoint::default()]);
    let idle = Report::new("controller", Moment(2));
    assert_eq!(
        Fleet::of([looked.clone(), idle.clone()]),
        Fleet::of([looked])
    );
    assert_eq!(Fleet::of([idle]).reports().len(), 1);
}

#[test]
fn one_server_under_two_names_is_one_service_but_another_hosts_loopback_is_another() {
    let at = |service: &str, address: &str| {
        let mut one = endpoint(service, service, certificate("k", "same", 1));
        one.address = Some(address.into());
        one
    };
    let twice = |address| vec![at("keystone", address), at("identity", address)];
    for address in ["192.0.2.7", "127.0.0.1"] {
        let fleet = Fleet::of([report("a", 1, twice(address))]);
        assert_eq!(fleet.shared_keys(), [], "{address}");
    }
    let fleet = Fleet::of([
        report("a", 1, vec![at("keystone", "127.0.0.1")]),
        report("b", 1, vec![at("glance", "127.0.0.1")]),
    ]);
    assert_eq!(fleet.shared_keys().len(), 1);
}
