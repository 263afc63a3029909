// SPDX-License-Identifier: Apache-2.0
//! A small world of DNS: a primary with a real secondary, a signing zone of its own, and a recursive server before them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::named::{Named, free_addresses, said};
use crate::must;

/// The zone of the hosts, whose challenges are CNAMEs into the other.
pub const HOST_ZONE: &str = "example.test";
/// The zone that keys may write text records to.
pub const SIGNING_ZONE: &str = "acme-sign.test";
/// The secret of all keys, base64.
pub const SECRET: &str = "dGhlIHNlY3JldCBvZiBhbGwga2V5cyBvZiB0aGlzIHRlc3Q=";

const ALGORITHMS: [&str; 5] = [
    "hmac-sha1",
    "hmac-sha224",
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
];

/// The servers, on ports of their own: `named` listens on no address that no interface has, such as 127.0.0.2.
#[derive(Debug)]
pub struct DnsWorld {
    /// Authoritative for both zones, takes updates of the signing zone.
    pub primary: Named,
    /// A secondary of both.
    pub secondary: Named,
    /// Asks the two.
    pub resolver: Named,
}

/// How it begins.
#[derive(Clone, Debug)]
pub struct World {
    /// How many hosts `h0`, `h1` and so on there are.
    pub hosts: usize,
    /// Whether the primary tells the secondary of changes; if not it is stale until [`DnsWorld::refresh`].
    pub notify: bool,
    /// Lines for the zone of the hosts.
    pub extra: String,
    /// The SOA minimum and the TTL of the signing zone.
    pub minimum: u32,
    /// Zones that the recursive server asks others about.
    pub elsewhere: Vec<(String, SocketAddr)>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            hosts: 5,
            notify: true,
            extra: String::new(),
            minimum: 60,
            elsewhere: Vec::new(),
        }
    }
}

impl DnsWorld {
    /// Starts all three and waits until the secondary has both zones.
    #[track_caller]
    pub fn start(world: &World) -> Self {
        let [one, two, three] = free_addresses();
        let started = Self {
            primary: primary(world, one, two.port()),
            secondary: secondary(two, one.port()),
            resolver: resolver(world, three, [one, two]),
        };
        for zone in [HOST_ZONE, SIGNING_ZONE] {
            started.wait_until("the secondary has no zone", || {
                !started.secondary.dig(&[zone, "SOA"]).is_empty()
            });
        }
        started
    }

    /// The names of the servers that zones name, and their ports. The recursive one also has a root and a `com`.
    pub fn ports(&self) -> [(String, u16); 3] {
        let [one, two] = self.authoritative();
        [
            ("ns.root".to_owned(), self.resolver.address().port()),
            (format!("ns1.{HOST_ZONE}"), one.port()),
            (format!("ns2.{HOST_ZONE}"), two.port()),
        ]
    }

    /// Both authoritative servers.
    pub fn authoritative(&self) -> [SocketAddr; 2] {
        [self.primary.address(), self.secondary.address()]
    }

    /// Lets the secondary look for changes, as it would when its refresh time is over.
    #[track_caller]
    pub fn refresh(&self) {
        self.secondary.rndc(&["refresh", SIGNING_ZONE]);
    }

    /// Has `nsupdate` do these lines on the primary with the key of HMAC-SHA256.
    #[track_caller]
    pub fn nsupdate(&self, lines: &[&str]) {
        let (ip, port) = (self.primary.address().ip(), self.primary.address().port());
        let script = format!(
            "server {ip} {port}\nzone {SIGNING_ZONE}\n{}\nsend\n",
            lines.join("\n")
        );
        let path = self.primary.file("nsupdate");
        must(std::fs::write(&path, script), "cannot write the script");
        let key = format!("hmac-sha256:key-hmac-sha256:{SECRET}");
        let mut command = Command::new("nsupdate");
        let output = command.args(["-y", &key]).arg(&path).output();
        said(must(output, "cannot start nsupdate"));
    }

    /// All text records of the signing zone at the primary, by `dig AXFR`: owner and value, sorted.
    #[track_caller]
    pub fn texts(&self) -> Vec<(String, String)> {
        let said = self
            .primary
            .dig(&[SIGNING_ZONE, "AXFR", "+noshort", "+noall", "+answer"]);
        let rows = said.lines().map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            (
                fields[0].to_owned(),
                fields[3].to_owned(),
                fields[4..].join(" "),
            )
        });
        let mut texts: Vec<_> = rows
            .filter(|(_, kind, _)| kind == "TXT")
            .map(|(owner, _, value)| (owner.trim_end_matches('.').to_owned(), value))
            .collect();
        texts.sort();
        texts
    }

    /// Waits until it is so, at most ten seconds.
    #[track_caller]
    pub fn wait_until(&self, otherwise: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_so() {
            assert!(
                Instant::now() < deadline,
                "{otherwise}\n{}\n{}",
                self.primary.log(),
                self.secondary.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn primary(world: &World, address: SocketAddr, secondary: u16) -> Named {
    let mut rest = String::new();
    let mut grants = String::new();
    for algorithm in ALGORITHMS {
        let _ = writeln!(
            rest,
            "key \"key-{algorithm}\" {{ algorithm {algorithm}; secret \"{SECRET}\"; }};"
        );
        let _ = write!(grants, "grant key-{algorithm} zonesub TXT; ");
    }
    // Known to the server, but allowed to write nowhere.
    let _ = write!(
        rest,
        "key \"key-guest\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n\
         zone \"{HOST_ZONE}\" {{ type primary; file \"hosts.db\"; }};\n\
         zone \"{SIGNING_ZONE}\" {{ type primary; file \"sign.db\"; update-policy {{ {grants} }}; }};\n"
    );
    let notify = match world.notify {
        true => "explicit",
        false => "no",
    };
    let options = format!(
        "recursion no; allow-transfer {{ 127.0.0.0/8; }}; notify {notify}; notify-delay 0; serial-query-rate 1000; \
         also-notify {{ 127.0.0.1 port {secondary}; }}; minimal-responses yes;"
    );
    let files = [("hosts.db", hosts(world)), ("sign.db", signing(world))];
    Named::start(address, &options, &rest, &files)
}

fn secondary(address: SocketAddr, primary: u16) -> Named {
    let zones = [(HOST_ZONE, "hosts.db"), (SIGNING_ZONE, "sign.db")];
    let rest = zones.map(|(zone, file)| {
        format!(
            "zone \"{zone}\" {{ type secondary; file \"{file}\"; primaries {{ 127.0.0.1 port {primary}; }}; }};\n"
        )
    });
    let options = "recursion no; min-refresh-time 600; minimal-responses yes;";
    Named::start(address, options, &rest.concat(), &[])
}

/// It forwards, because only forwarders have ports; what it does not know is nowhere.
fn resolver(world: &World, address: SocketAddr, both: [SocketAddr; 2]) -> Named {
    let known = [HOST_ZONE, SIGNING_ZONE].map(|zone| (zone.to_owned(), both.to_vec()));
    let elsewhere = world.elsewhere.iter().cloned();
    let all = known
        .into_iter()
        .chain(elsewhere.map(|(zone, server)| (zone, vec![server])));
    let zones: String = all
        .map(|(zone, servers)| {
            let servers = servers.iter();
            let ports = servers.map(|server| format!("127.0.0.1 port {};", server.port()));
            let forwarders: String = ports.collect();
            format!("zone \"{zone}\" {{ type forward; forward only; forwarders {{ {forwarders} }}; }};\n")
        })
        .collect();
    let root = "zone \".\" { type primary; file \"root.db\"; };\n";
    let content = "$TTL 60\n@ SOA ns.root. a.root. 1 60 60 60 60\n@ NS ns.root.\nns.root. A 127.0.0.1\n\
                   test. NS ns.root.\ncom. NS ns.root.\n";
    let com = "zone \"com\" { type primary; file \"com.db\"; };\n";
    let com_content = "$TTL 60\n@ SOA ns.root. a.root. 1 60 60 60 60\n@ NS ns.root.\n";
    let options =
        "recursion yes; allow-recursion { 127.0.0.0/8; }; servfail-ttl 0; max-cache-ttl 600;";
    let files = [
        ("root.db", content.to_owned()),
        ("com.db", com_content.to_owned()),
    ];
    let rest = format!("{zones}{root}{com}");
    Named::start(address, options, &rest, &files)
}

fn hosts(world: &World) -> String {
    let mut zone = format!(
        "$TTL 60\n@ SOA ns1.{HOST_ZONE}. host.{HOST_ZONE}. 1 600 60 3600 60\n@ NS ns1\n@ NS ns2\n\
         ns1 A 127.0.0.1\nns2 A 127.0.0.1\n"
    );
    for host in 0..world.hosts {
        let _ = write!(
            zone,
            "h{host} A 127.0.0.1\n_acme-challenge.h{host} CNAME h{host}.{SIGNING_ZONE}.\n\
             _acme-challenge.s{host} CNAME {SIGNING_ZONE}.\n"
        );
    }
    zone.push_str(&world.extra);
    zone.push('\n');
    zone
}

fn signing(world: &World) -> String {
    let minimum = world.minimum;
    format!(
        "$TTL {minimum}\n@ SOA ns1.{HOST_ZONE}. host.{HOST_ZONE}. 1 600 60 3600 {minimum}\n\
         @ NS ns1.{HOST_ZONE}.\n@ NS ns2.{HOST_ZONE}.\n"
    )
}
