// SPDX-License-Identifier: Apache-2.0
//! A Pebble behind a proxy of faults, name servers, a HAProxy as on the hosts of OpenStack-Ansible, and one way to run.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::servers::{FaultProxy, Named, Pebble, Release, Settings, free_port};
use testbed::{Answer, ModuleRun, Sandbox, witness};

pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_cert_request");

/// HAProxy on the port at which the authority looks, before the responder, which its health check finds or not. It
/// ends with the value.
pub(crate) struct HaProxy(Child);

impl HaProxy {
    pub(crate) fn start(sandbox: &Sandbox, front: u16, responder: u16) -> Self {
        let text = format!(
            "defaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
             frontend all\n  bind 127.0.0.1:{front}\n  http-request return status 404 unless {{ path_beg /.well-known/acme-challenge/ }}\n  \
             default_backend acme\n\
             backend acme\n  option httpchk GET /\n  http-check expect status 200\n  \
             server here 127.0.0.1:{responder} check inter 300ms rise 2 fall 1\n"
        );
        let path = sandbox.write("haproxy.cfg", text);
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", front)).is_err() {
            assert!(Instant::now() < deadline, "haproxy does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A name server with the names h0 to h9, which are here; any other does not exist. The authority asks it too.
fn names() -> Named {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut zone = String::from("$TTL 60\n@ SOA ns a 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\n");
    for host in 0..10 {
        zone.push_str(&format!("h{host} A 127.0.0.1\n"));
    }
    let rest = "zone \"example.test\" { type primary; file \"hosts.db\"; };\n";
    Named::start(address, "recursion no;", rest, &[("hosts.db", zone)])
}

/// A certificate authority, a name server, and a host.
pub(crate) struct Lab {
    _named: Option<Named>,
    resolver: SocketAddr,
    pub(crate) pebble: Pebble,
    pub(crate) proxy: FaultProxy,
    pub(crate) sandbox: Sandbox,
    /// Where the responder listens.
    pub(crate) port: u16,
    /// Where the authority looks.
    pub(crate) front: u16,
}

impl Lab {
    /// The authority looks at the responder itself.
    pub(crate) fn direct(release: Release) -> Self {
        let port = free_port();
        Self::new(release, port, port)
    }

    pub(crate) fn new(release: Release, port: u16, front: u16) -> Self {
        Self::with(release, port, front, 5)
    }

    /// Of a hundred nonces so many are refused. None where a test changes answers: it would change a refusal too.
    pub(crate) fn with(release: Release, port: u16, front: u16, nonces: u8) -> Self {
        let named = names();
        let mut lab = Self::beside(named.address(), release, (port, front), nonces);
        lab._named = Some(named);
        lab
    }

    /// The authority and the host ask this name server.
    pub(crate) fn beside(
        resolver: SocketAddr,
        release: Release,
        (port, front): (u16, u16),
        nonces: u8,
    ) -> Self {
        let settings = Settings::validating(release, front)
            .dns(resolver)
            .environment("PEBBLE_WFE_NONCEREJECT", &nonces.to_string())
            .configuration(json!({"retryAfter": {"authz": 1, "order": 1}}));
        let pebble = Pebble::start(&settings);
        let proxy = FaultProxy::start(Some(pebble.port()), pebble.certificate());
        let sandbox = Sandbox::new();
        sandbox.write("ca.pem", proxy.ca_pem());
        Self {
            _named: None,
            resolver,
            pebble,
            proxy,
            sandbox,
            port,
            front,
        }
    }

    /// The issuer, with `more` in it.
    pub(crate) fn issuer(&self, more: &Value) -> Value {
        let mut acme = json!({
            "directory": self.proxy.url("/dir"),
            "ca_file": "$DIR/ca.pem",
            "account_key": "$DIR/account.key",
            "terms_agreed": true,
            "http": {"address": ["127.0.0.1"], "port": self.port, "public_port": self.front, "timeout": "20s"},
            "propagation": {"resolvers": [self.resolver.to_string()]},
        });
        let (all, more) = (acme.as_object_mut().unwrap(), more.as_object().unwrap());
        all.extend(more.clone());
        all.retain(|_, value| !value.is_null());
        acme
    }

    /// A task for certificates of these names, each with its DNS names or addresses.
    pub(crate) fn task(&self, certificates: &[(&str, &[&str])], issuer: &Value) -> Value {
        let entries: Vec<Value> = certificates
            .iter()
            .map(|(name, names)| {
                let (ip, dns): (Vec<&str>, Vec<&str>) = names
                    .iter()
                    .partition(|name| name.parse::<std::net::IpAddr>().is_ok());
                json!({
                    "name": name, "dns": dns, "ip": ip,
                    "files": [
                        {"content": "private_key", "path": format!("$DIR/{name}.key")},
                        {"content": "fullchain", "path": format!("$DIR/{name}.pem")},
                    ],
                })
            })
            .collect();
        json!({
            "certificates": entries,
            "defaults": {"key": {"algorithm": "ecdsa"}, "issuer": {"acme": self.issuer(issuer)}},
            "state_dir": "$DIR/state",
        })
    }

    pub(crate) fn module(&self, args: &Value) -> ModuleRun {
        ModuleRun::new(EXECUTABLE)
            .args(args.clone())
            .diff(true)
            .sandbox(&self.sandbox)
            .time_limit(Duration::from_secs(120))
    }

    pub(crate) fn run(&self, args: &Value) -> Answer {
        self.module(args).run()
    }

    /// How many orders the server has, and accounts: a request that it refused for its nonce came to nothing.
    pub(crate) fn orders(&self) -> usize {
        self.pebble.log().matches("orders in the db").count()
    }

    pub(crate) fn accounts(&self) -> usize {
        self.pebble.log().matches("accounts in memory").count()
    }

    /// Runs and expects success.
    pub(crate) fn succeed(&self, args: &Value) -> Answer {
        let answer = self.run(args);
        assert!(!answer.failed(), "{}{}", answer.report(), self.pebble.log());
        answer
    }

    /// openssl's word that a certificate is of the authority, for its key and for the name.
    pub(crate) fn assert_issued(&self, name: &str, host: &str) {
        self.sandbox.write("root.pem", self.pebble.root_pem(0));
        let check = match host.parse::<std::net::IpAddr>() {
            Ok(_) => "-checkip",
            Err(_) => "-checkhost",
        };
        let script = format!(
            "openssl verify -CAfile root.pem -untrusted {name}.pem {name}.pem &&
             openssl x509 -in {name}.pem -noout {check} {host} | grep -v NOT"
        );
        let done = Command::new("sh")
            .args(["-euc", &script])
            .current_dir(self.sandbox.path())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        witness::key_matches(self.sandbox.join(certificate), self.sandbox.join(key)).unwrap();
    }
}

pub(crate) fn of<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    &answer.value["certificates"][name]
}
