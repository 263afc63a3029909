// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use testbed::servers::DnsStandIn;

use super::*;

fn resolver(directory: &tempfile::TempDir, hosts: &str, configuration: &str) -> HostResolver {
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    HostResolver {
        hosts: write("hosts", hosts),
        configuration: write("resolv.conf", configuration),
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn configuration_for(server: &DnsStandIn) -> String {
    let address = server.address();
    format!("nameserver [{}]:{}\n", address.ip(), address.port())
}

#[test]
fn a_literal_and_a_listed_name_need_no_name_server() {
    let directory = tempfile::tempdir().unwrap();
    let hosts =
        "127.0.0.1 localhost\n10.0.0.7 ca.example ca # main\nfd00::7 CA.example\nbroken ca\n";
    let resolver = resolver(&directory, hosts, "");
    let addresses = |host| resolver.addresses(host, soon());
    assert_eq!(addresses("192.0.2.1"), Ok(vec![ip("192.0.2.1")]));
    assert_eq!(addresses("[2001:db8::1]"), Ok(vec![ip("2001:db8::1")]));
    assert_eq!(
        addresses("ca.example."),
        Ok(vec![ip("10.0.0.7"), ip("fd00::7")])
    );
    assert_eq!(addresses("main").unwrap_err(), NO_SERVER);
    let loopback = addresses("pebble.localhost").unwrap();
    assert!(loopback.iter().all(IpAddr::is_loopback));
}

#[test]
fn a_stand_in_name_server_is_asked_for_both_kinds() {
    let server = DnsStandIn::start(None);
    server.add_address("ca.example", ip("192.0.2.1"));
    server.add_address("ca.example", ip("2001:db8::1"));
    let directory = tempfile::tempdir().unwrap();
    let resolver = resolver(&directory, "", &configuration_for(&server));
    assert_eq!(
        resolver.addresses("CA.example", soon()),
        Ok(vec![ip("192.0.2.1"), ip("2001:db8::1")])
    );
    let missing = resolver.addresses("no.example", soon()).unwrap_err();
    assert_eq!(missing, "'no.example' does not exist or has no address");
}

#[test]
fn an_answer_that_was_cut_off_is_asked_for_over_tcp() {
    let server = DnsStandIn::start(None);
    server.cut_off();
    server.add_address("ca.example", ip("192.0.2.1"));
    let directory = tempfile::tempdir().unwrap();
    let resolver = resolver(&directory, "", &configuration_for(&server));
    assert_eq!(
        resolver.addresses("ca.example", soon()),
        Ok(vec![ip("192.0.2.1")])
    );
}

#[test]
fn a_name_without_a_dot_is_looked_for_in_the_search_list() {
    let server = DnsStandIn::start(None);
    server.add_address("ca.internal.example", ip("192.0.2.1"));
    let directory = tempfile::tempdir().unwrap();
    let configuration = configuration_for(&server) + "search other.example internal.example\n";
    let resolver = resolver(&directory, "", &configuration);
    assert_eq!(resolver.addresses("ca", soon()), Ok(vec![ip("192.0.2.1")]));
}

#[test]
fn a_server_that_does_not_answer_ends_with_the_deadline() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let directory = tempfile::tempdir().unwrap();
    let configuration = format!("nameserver [127.0.0.1]:{port}\n");
    let resolver = resolver(&directory, "", &configuration);
    let begin = Instant::now();
    let deadline = begin + Duration::from_millis(300);
    let refused = resolver.addresses("ca.example", deadline).unwrap_err();
    assert!(refused.contains("name server 127.0.0.1"), "{refused}");
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn an_answer_that_drips_over_tcp_ends_with_the_limit() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Each read succeeds, the whole would take an hour.
        while stream.write_all(&[0xff]).is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let question = question(1, "ca.example", TYPE_A).unwrap();
    let begin = Instant::now();
    assert!(over_tcp(server, &question, Duration::from_millis(300)).is_err());
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_configuration_is_read_as_the_c_library_reads_it() {
    let text = "# x\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver 2001:db8::53\n\
                domain a.example\nsearch b.example c.example\noptions ndots:1\n";
    let read = Configuration::read(text);
    let servers: Vec<SocketAddr> = vec![
        "10.0.0.1:53".parse().unwrap(),
        "[2001:db8::53]:53".parse().unwrap(),
    ];
    assert_eq!(read.servers, servers);
    assert_eq!(read.search, ["b.example", "c.example"]);
    assert_eq!(read.candidates("x.y")[0], "x.y");
}

#[test]
fn what_no_dns_name_can_be_is_not_sent() {
    for name in ["", "a..b", &"x".repeat(64), &["a"; 128].join(".")] {
        assert!(question(1, name, TYPE_A).is_err(), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_it_fall_over(bytes in proptest::collection::vec(0_u8..=255, 0..80)) {
        let question = question(0x1234, "ca.example", TYPE_A).unwrap();
        let _ = parse(&bytes, &question, TYPE_A);
        // Past the question, where the records are.
        let mut message = question.clone();
        message[2] = 0x81;
        message[7] = 3;
        message.extend(bytes);
        let _ = parse(&message, &question, TYPE_A);
    }
}
