// SPDX-License-Identifier: Apache-2.0
//! A certificate authority, name servers, and a directory of the module's own.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use testbed::servers::{DnsWorld, FaultProxy, Pebble, Release, Rule, SECRET, Settings, World, get};
use testbed::{Answer, ModuleRun, Sandbox};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_acme_dns_challenge");

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// How a lab begins.
pub(crate) struct Setup {
    pub(crate) release: Release,
    pub(crate) world: World,
    /// Members of Pebble's configuration.
    pub(crate) configuration: Value,
    /// Pebble's variables.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
    /// Whether the module asks through a proxy that can be told to fail.
    pub(crate) proxied: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            release: Release::New,
            world: World::default(),
            configuration: json!({}),
            environment: Vec::new(),
            proxied: false,
        }
    }
}

pub(crate) struct Lab {
    pub(crate) dns: DnsWorld,
    pub(crate) pebble: Pebble,
    pub(crate) proxy: Option<FaultProxy>,
    pub(crate) sandbox: Sandbox,
}

impl Lab {
    /// With lines for the zone of the hosts.
    pub(crate) fn new(extra: &str) -> Self {
        Self::with(Setup {
            world: World {
                extra: extra.to_owned(),
                ..World::default()
            },
            ..Setup::default()
        })
    }

    /// With a proxy that can be told to fail, and no nonce refused: requests are counted.
    pub(crate) fn proxied(release: Release) -> Self {
        Self::with(Setup {
            release,
            environment: vec![("PEBBLE_WFE_NONCEREJECT", "0")],
            proxied: true,
            ..Setup::default()
        })
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let dns = DnsWorld::start(&setup.world);
        let settings = Settings::validating(setup.release, 5002).dns(dns.resolver.address());
        // Looked at again at once, as far as the client does; Pebble 2.4 names no pause.
        let mut configuration = json!({"retryAfter": {"authz": 0, "order": 0}});
        merge(configuration.as_object_mut().unwrap(), setup.configuration);
        let settings = settings.configuration(configuration);
        let settings = setup
            .environment
            .iter()
            .fold(settings, |settings, (name, value)| {
                settings.environment(name, value)
            });
        let pebble = Pebble::start(&settings);
        let port = Some(pebble.port());
        let proxy = setup
            .proxied
            .then(|| FaultProxy::start(port, pebble.certificate()));
        let sandbox = Sandbox::new();
        sandbox.write("ca.pem", &pebble.certificate().pem);
        Self {
            dns,
            pebble,
            proxy,
            sandbox,
        }
    }

    pub(crate) fn fault(&self, rules: Vec<Rule>) {
        self.proxy.as_ref().unwrap().set(rules);
    }

    /// How many requests there were whose method and path contain a text.
    pub(crate) fn count(&self, matches: &str) -> usize {
        self.proxy.as_ref().unwrap().count(matches)
    }

    fn directory_url(&self) -> String {
        match &self.proxy {
            Some(proxy) => proxy.url("/dir"),
            None => self.pebble.directory_url(),
        }
    }

    /// A request by the openssl command, whose key stays where it is.
    pub(crate) fn csr(&self, name: &str, names: &[&str]) -> Value {
        let alternatives: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        self.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -addext subjectAltName={} \
             -keyout {name}.key -out {name}.csr",
            alternatives.join(",")
        ));
        json!({
            "name": name,
            "csr": format!("$DIR/{name}.csr"),
            "files": [{"content": "fullchain", "path": format!("$DIR/{name}.crt"), "mode": "0644"}],
        })
    }

    /// The openssl command in the sandbox; its words have no blanks.
    pub(crate) fn openssl(&self, words: &str) {
        let done = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(self.sandbox.path())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn args(&self, more: Value) -> Value {
        let servers: Vec<String> = self
            .dns
            .authoritative()
            .map(|address| address.to_string())
            .into();
        let mut args = json!({
            "directory": self.directory_url(),
            "ca_file": "$DIR/ca.pem",
            "account_key": "$DIR/account.key",
            "terms_agreed": true,
            "target": {"zone": "acme-sign.test"},
            "propagation": {
                "resolvers": [self.dns.resolver.address().to_string()],
                "nameservers": servers,
                "timeout": "20s",
            },
            "state_dir": "$DIR/state",
            // Pebble's stores wait for each other when orders and authorizations are asked for at once.
            "parallel": 1,
        });
        merge(args.as_object_mut().unwrap(), more);
        args
    }

    /// A task with everything that all of them need.
    pub(crate) fn task(&self, more: Value) -> ModuleRun {
        ModuleRun::new(EXECUTABLE)
            .args(self.args(more))
            .diff(true)
            .sandbox(&self.sandbox)
    }

    /// The same, on its way: to be killed.
    pub(crate) fn start(&self, more: Value) -> Child {
        let mut input = self.sandbox.place(&self.args(more));
        input["_ansible_check_mode"] = json!(false);
        // Each its own: several may be on their way.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let path = self
            .sandbox
            .write(format!("started-{number}.json"), input.to_string());
        Command::new(EXECUTABLE)
            .arg(path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub(crate) fn provider(&self) -> Value {
        let [primary, _] = self.dns.authoritative();
        json!({"rfc2136": {"server": primary.to_string(), "key_name": "key-hmac-sha256", "secret": SECRET}})
    }

    /// Waits until the authority's resolver has forgotten the record of the last certificate for a name: its TTL is a
    /// second. Who orders again at once for a name whose record was just removed cannot know of it.
    pub(crate) fn let_resolvers_forget(&self) {
        std::thread::sleep(Duration::from_millis(1_500));
    }

    /// openssl's word that a certificate is of the authority and for the key and the name.
    pub(crate) fn assert_issued(&self, name: &str, host: &str) {
        self.assert_issued_by(0, name, host);
    }

    /// The same, for one of the other roots.
    pub(crate) fn assert_issued_by(&self, root: usize, name: &str, host: &str) {
        self.sandbox.write("root.pem", self.pebble.root_pem(root));
        let script = format!(
            "openssl verify -CAfile root.pem -untrusted {name}.crt {name}.crt &&
             openssl x509 -in {name}.crt -noout -checkhost {host} | grep -v NOT &&
             test \"$(openssl x509 -in {name}.crt -noout -pubkey)\" = \"$(openssl pkey -in {name}.key -pubout)\""
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
    }

    /// What Pebble says of a certificate: `Valid` or `Revoked`, and the code of the reason.
    pub(crate) fn status_of(&self, serial: &Value) -> Value {
        let serial = serial.as_str().unwrap().replace(':', "").to_lowercase();
        let path = format!("/cert-status-by-serial/{serial}");
        let (status, _, body) = get(self.pebble.management_port(), &path);
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).unwrap()
    }
}

fn merge(into: &mut Map<String, Value>, more: Value) {
    for (name, value) in more.as_object().unwrap().clone() {
        match value {
            // So that a test can leave one out.
            Value::Null => {
                into.remove(&name);
            }
            given => {
                into.insert(name, given);
            }
        }
    }
}

pub(crate) fn certificate<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    &answer.value["certificates"][name]
}

/// Both with the members of the second.
pub(crate) fn with(args: &Value, more: Value) -> Value {
    let mut args = args.clone();
    let all = args.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    args
}
