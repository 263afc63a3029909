// SPDX-License-Identifier: Apache-2.0
//! Which process serves what: real HAProxies, in networks and PID namespaces of their own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Pid;
use support::{PATIENCE, Pair, Server, directory, free_port, is_root, loopback, s_server};
use tls_probe::{
    AcceptedBy, Ask, Error, Listener, Membership, NetworkNamespace, Place, Prober, Processes,
    accepted_by, listeners,
};

/// A configuration with one frontend.
fn haproxy_config(directory: &Path, name: &str, bind: &str, pair: &Pair) -> PathBuf {
    let path = directory.join(format!("{name}.cfg"));
    let text = format!(
        "global\n pidfile {0}.pid\ndefaults\n mode http\n timeout client 30s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind {bind} ssl crt {1}\n",
        path.display(),
        pair.combined().display()
    );
    fs::write(&path, text).unwrap();
    path
}

/// HAProxy with master and worker, as in a container of TripleO or Kolla.
fn haproxy(directory: &Path, config: &Path) -> Server {
    let mut command = Command::new("haproxy");
    command.args(["-W", "-db", "-f"]).arg(config);
    Server::start(directory, &mut command)
}

fn own_network() -> NetworkNamespace {
    NetworkNamespace::of(rustix::process::getpid()).unwrap()
}

fn only_listener(pids: &[Pid]) -> Listener {
    let found = listeners(pids).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn two_haproxies_on_one_port_are_told_apart() {
    let place = directory();
    let port = free_port();
    let pairs = ["old.test", "new.test"].map(|name| Pair::new(place.path(), name));
    let mut servers = pairs.each_ref().map(|pair| {
        let name = pair.fingerprint().replace(':', "");
        haproxy(
            place.path(),
            &haproxy_config(place.path(), &name, &format!("127.0.0.1:{port}"), pair),
        )
    });
    for server in &mut servers {
        server.wait_until("listen", |server| {
            let found = listeners(&server.pids()).unwrap();
            found
                .iter()
                .any(|listener| listener.address == loopback(port))
        });
    }
    let members = servers.each_ref().map(Server::pids);
    let prober = Prober::new().unwrap();
    let network = own_network();
    let mut count = [0, 0];
    for _ in 0..40 {
        let held = prober
            .probe(
                &Place::inside(loopback(port), &network),
                &Ask::default(),
                PATIENCE,
            )
            .unwrap();
        let served = held.presented().fingerprint_sha256_text();
        let owners = members
            .each_ref()
            .map(|pids| accepted_by(held.link(), &network, pids).unwrap());
        let by_whom = match owners {
            [AcceptedBy::Candidates(_), AcceptedBy::SomebodyElse] => 0,
            [AcceptedBy::SomebodyElse, AcceptedBy::Candidates(_)] => 1,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            served,
            pairs[by_whom].fingerprint(),
            "the certificate of the one was served by the other"
        );
        count[by_whom] += 1;
        held.finish(Duration::from_secs(5));
    }
    // The kernel spreads connections by a hash of their ports: 40 on one side would be a chance of 1 in 10^12.
    assert!(count[0] > 0 && count[1] > 0, "{count:?}");
}

#[test]
fn the_worker_and_not_the_master_accepts_but_both_hold_the_listener() {
    let place = directory();
    let port = free_port();
    let pair = Pair::new(place.path(), "worker.test");
    let config = haproxy_config(place.path(), "one", &format!("127.0.0.1:{port}"), &pair);
    let server = haproxy(place.path(), &config).listening(loopback(port));
    let pids = server.pids();
    assert_eq!(pids.len(), 2, "master and worker: {pids:?}");
    let listener = only_listener(&pids);
    assert_eq!(listener.address, loopback(port));
    let held = Prober::new().unwrap().probe(
        &Place::inside(loopback(port), &listener.network),
        &Ask::default(),
        PATIENCE,
    );
    let held = held.unwrap();
    let AcceptedBy::Candidates(by) = accepted_by(held.link(), &listener.network, &pids).unwrap()
    else {
        panic!("nobody of {pids:?} accepted");
    };
    assert_eq!(by, [pids[1]]);
}

#[test]
fn a_connection_that_ended_belongs_to_nobody() {
    let place = directory();
    let port = free_port();
    let pair = Pair::new(place.path(), "gone.test");
    let server = s_server(place.path(), port, &pair, &[]);
    let pids = server.pids();
    let held = support::probe(loopback(port), &Ask::default()).unwrap();
    let network = own_network();
    assert_eq!(
        accepted_by(held.link(), &network, &pids).unwrap(),
        AcceptedBy::Candidates(pids.clone())
    );
    assert_eq!(
        accepted_by(held.link(), &network, &[rustix::process::getpid()]).unwrap(),
        AcceptedBy::SomebodyElse
    );
    drop(server);
    // The kernel keeps the row without an owner until both ends are closed.
    assert_eq!(
        accepted_by(held.link(), &network, &pids).unwrap(),
        AcceptedBy::Unknown
    );
}

#[test]
fn an_ipv4_connection_to_an_ipv6_socket_is_attributed() {
    let place = directory();
    let port = free_port();
    let pair = Pair::new(place.path(), "dual.test");
    let config = haproxy_config(place.path(), "dual", &format!("[::]:{port} v4v6"), &pair);
    let server = haproxy(place.path(), &config).listening(loopback(port));
    let listener = only_listener(&server.pids());
    let addresses = listener.addresses();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let held = Prober::new().unwrap().probe(
            &Place::inside(address, &listener.network),
            &Ask::default(),
            PATIENCE,
        );
        let by = accepted_by(held.unwrap().link(), &listener.network, &server.pids()).unwrap();
        assert!(matches!(by, AcceptedBy::Candidates(_)), "{address}: {by:?}");
    }
}

/// A container without an engine: `unshare` gives it a network with a loopback device, and a PID namespace.
fn contained(directory: &Path, command: &str) -> Server {
    let script = format!("busybox ip link set lo up && {command}");
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        &script,
    ]);
    Server::start(directory, &mut unshare)
}

/// The first process of a PID namespace: the child of `unshare`.
fn init_of(server: &mut Server) -> Pid {
    server.wait_until("start a process", |server| server.pids().len() >= 2);
    server.pids()[1]
}

#[test]
fn a_listener_in_another_network_is_found_probed_and_attributed() {
    if !is_root("a listener in another network") {
        return;
    }
    let place = directory();
    // The same port outside: whoever probed there would be fooled.
    let port = free_port();
    let outside = Pair::new(place.path(), "outside.test");
    let _outside = s_server(place.path(), port, &outside, &[]);
    let inside = Pair::new(place.path(), "inside.test");
    let config = haproxy_config(place.path(), "inside", &format!("0.0.0.0:{port}"), &inside);
    let mut server = contained(
        place.path(),
        &format!("exec haproxy -W -db -f {}", config.display()),
    );
    let init = init_of(&mut server);
    let members = || Processes::snapshot().unwrap().members(init).unwrap();
    server.wait_until("listen", |_| {
        members().pids.len() == 2 && !listeners(&members().pids).unwrap().is_empty()
    });
    let members = members();
    assert_eq!(members.by, Membership::PidNamespace);
    let listener = only_listener(&members.pids);
    assert_eq!(listener.addresses(), [loopback(port)]);
    assert!(!listener.network.is_own());
    let held = Prober::new().unwrap().probe(
        &Place::inside(loopback(port), &listener.network),
        &Ask::default(),
        PATIENCE,
    );
    let held = held.unwrap();
    assert_eq!(
        held.presented().fingerprint_sha256_text(),
        inside.fingerprint()
    );
    let by = accepted_by(held.link(), &listener.network, &members.pids).unwrap();
    assert!(
        matches!(by, AcceptedBy::Candidates(ref pids) if pids.len() == 1),
        "{by:?}"
    );
    assert_eq!(
        accepted_by(held.link(), &own_network(), &members.pids).unwrap(),
        AcceptedBy::Unknown
    );
    assert!(
        own_network().is_own(),
        "the thread that went inside was not ours"
    );
}

#[test]
fn an_address_that_another_host_holds_is_not_connected_to() {
    if !is_root("an address of another host") {
        return;
    }
    let place = directory();
    let pair = Pair::new(place.path(), "vip.test");
    // As on a controller that does not hold the virtual address now; 192.0.2.0/24 is for documentation.
    let config = haproxy_config(place.path(), "vip", "192.0.2.10:8443 transparent", &pair);
    let command = format!(
        "busybox ip link add vip0 type dummy 2>/dev/null; busybox ip route add default dev lo; exec haproxy -W -db -f {}",
        config.display()
    );
    let mut server = contained(place.path(), &command);
    let init = init_of(&mut server);
    let found = || listeners(&Processes::snapshot().unwrap().members(init).unwrap().pids).unwrap();
    server.wait_until("listen", |_| !found().is_empty());
    let listener = found().remove(0);
    assert_eq!(listener.address, "192.0.2.10:8443".parse().unwrap());
    let place = Place::inside(listener.address, &listener.network);
    let error = Prober::new()
        .unwrap()
        .probe(&place, &Ask::default(), PATIENCE)
        .unwrap_err();
    assert!(matches!(error, Error::NotLocal { .. }), "{error}");
}
