// SPDX-License-Identifier: Apache-2.0
//! A certificate authority, name servers, and a directory of the module's own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testbed::servers::{DnsWorld, Pebble, Release, SECRET, SIGNING_ZONE, Settings, World};
use testbed::{Answer, ModuleRun, Sandbox};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_acme_dns_challenge");

/// What a service does to the signing zone at BIND, as it would to its own name servers.
#[derive(Clone, Copy)]
pub(crate) struct Behind(SocketAddr);

impl Behind {
    /// The text records of a name are these from now on.
    pub(crate) fn put(self, owner: &str, values: &[String]) {
        let owner = owner.trim_end_matches('.');
        let mut script = format!(
            "server {} {}\nzone {SIGNING_ZONE}\nupdate delete {owner}. TXT\n",
            self.0.ip(),
            self.0.port()
        );
        for value in values {
            let value = value.trim_matches('"');
            script.push_str(&format!("update add {owner}. 1 TXT \"{value}\"\n"));
        }
        script.push_str("send\n");
        let mut nsupdate = Command::new("nsupdate")
            .args(["-y", &format!("hmac-sha256:key-hmac-sha256:{SECRET}")])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = nsupdate.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        assert!(nsupdate.wait().unwrap().success(), "{script}");
    }
}

pub(crate) struct Lab {
    pub(crate) dns: DnsWorld,
    pub(crate) sandbox: Sandbox,
    pebble: Option<Pebble>,
    /// The zone that challenges lead to, and who answers for all zones.
    zone: (String, Vec<SocketAddr>),
}

impl Lab {
    /// With a Pebble.
    pub(crate) fn new(world: World) -> Self {
        let mut lab = Self::without_authority(world);
        let resolver = lab.dns.resolver.address();
        let pebble = Pebble::start(&Settings::validating(Release::New, 5002).dns(resolver));
        lab.sandbox.write("ca.pem", &pebble.certificate().pem);
        lab.pebble = Some(pebble);
        lab
    }

    /// For phases that ask nobody for certificates.
    pub(crate) fn without_authority(world: World) -> Self {
        let dns = DnsWorld::start(&world);
        let servers = dns.authoritative().to_vec();
        Self {
            dns,
            sandbox: Sandbox::new(),
            pebble: None,
            zone: (SIGNING_ZONE.to_owned(), servers),
        }
    }

    /// With challenges in another zone, at a server of its own.
    pub(crate) fn in_zone(mut self, zone: &str, server: SocketAddr) -> Self {
        self.zone.0 = zone.to_owned();
        self.zone.1.push(server);
        self
    }

    /// What a stand-in writes to.
    pub(crate) fn behind(&self) -> Behind {
        Behind(self.dns.primary.address())
    }

    /// A task, with what all of them need.
    pub(crate) fn task(&self, more: Value) -> ModuleRun {
        let (zone, servers) = &self.zone;
        let servers: Vec<String> = servers.iter().map(SocketAddr::to_string).collect();
        let mut args = json!({
            "target": {"zone": zone},
            "propagation": {
                "resolvers": [self.dns.resolver.address().to_string()],
                "nameservers": servers,
                "timeout": "20s",
            },
            "state_dir": "$DIR/state",
            // Pebble's stores wait for each other when orders and authorizations are asked for at once.
            "parallel": 1,
        });
        let all = args.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        ModuleRun::new(EXECUTABLE).args(args).sandbox(&self.sandbox)
    }

    /// A phase on the host that writes the DNS, with one record.
    pub(crate) fn write(&self, phase: &str, provider: &Value, record: (&str, &str)) -> Answer {
        let records = json!([{"target": record.0, "value": record.1}]);
        self.task(json!({"phase": phase, "records": records, "provider": provider}))
            .run()
    }

    /// Has a certificate for a host issued by all phases in one task, and looks whether nothing is left.
    pub(crate) fn issue(&self, provider: &Value, hosts: &[&str]) -> Answer {
        let pebble = self.pebble.as_ref().unwrap();
        let names: Vec<String> = hosts
            .iter()
            .map(|host| format!("DNS:{host}.example.test"))
            .collect();
        self.shell(&format!(
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / \
             -addext subjectAltName={} -keyout main.key -out main.csr 2>&1",
            names.join(",")
        ));
        let more = json!({
            "directory": pebble.directory_url(),
            "ca_file": "$DIR/ca.pem",
            "account_key": "$DIR/account.key",
            "terms_agreed": true,
            "certificates": [{
                "name": "main",
                "csr": "$DIR/main.csr",
                "files": [{"content": "fullchain", "path": "$DIR/main.crt"}],
            }],
            "provider": provider,
        });
        let answer = self.task(more).diff(true).run();
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        self.sandbox.write("root.pem", pebble.root_pem(0));
        self.shell(&format!(
            "openssl verify -CAfile root.pem -untrusted main.crt main.crt &&
             openssl x509 -in main.crt -noout -checkhost {}.example.test | grep -v NOT",
            hosts[0]
        ));
        answer
    }

    fn shell(&self, script: &str) {
        let done = Command::new("sh")
            .args(["-euc", script])
            .current_dir(self.sandbox.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let complained = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{script}\n{said}{complained}");
    }
}
