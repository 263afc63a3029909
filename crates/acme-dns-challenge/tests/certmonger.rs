// SPDX-License-Identifier: Apache-2.0
//! As a helper of certmonger, with a real Pebble and real BINDs: what it says in the environment, and what it reads back.
//! (A real certmonger calls it in tests/certmonger.)
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

use std::process::{Command, Output};

use serde_json::{Value, json};
use testbed::servers::{DnsWorld, FaultProxy, Pebble, Release, Rule, SECRET, Settings, World};
use testbed::{Sandbox, witness};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_acme_dns_challenge");

/// A certificate authority behind a proxy that throws faults, and name servers.
struct Lab {
    dns: DnsWorld,
    pebble: Pebble,
    proxy: FaultProxy,
    sandbox: Sandbox,
}

impl Lab {
    fn new() -> Self {
        let dns = DnsWorld::start(&World {
            extra: String::from("_acme-challenge.loop CNAME l1\nl1 CNAME l2\nl2 CNAME l1\n"),
            ..World::default()
        });
        let mut settings = Settings::validating(Release::New, 5002).dns(dns.resolver.address());
        // Requests are counted here.
        settings
            .environment
            .push(("PEBBLE_WFE_NONCEREJECT", String::from("0")));
        let pebble = Pebble::start(&settings);
        let proxy = FaultProxy::start(Some(pebble.port()), pebble.certificate());
        let sandbox = Sandbox::new();
        sandbox.write("ca.pem", proxy.ca_pem());
        Self {
            dns,
            pebble,
            proxy,
            sandbox,
        }
    }

    fn options(&self) -> Value {
        let [primary, secondary] = self.dns.authoritative();
        json!({
            "directory": self.proxy.url("/dir"),
            "ca_file": self.sandbox.path().join("ca.pem"),
            "account_key": self.sandbox.path().join("account.key"),
            "terms_agreed": true,
            "target": {"zone": "acme-sign.test"},
            "provider": {"rfc2136": {"server": primary.to_string(), "key_name": "key-hmac-sha256", "secret": SECRET}},
            "propagation": {
                "resolvers": [self.dns.resolver.address().to_string()],
                "nameservers": [primary.to_string(), secondary.to_string()],
                "timeout": "20s",
            },
            "state_dir": self.sandbox.path().join("state"),
        })
    }

    /// The helper on these options: its status, what it says, and what it says to the journal.
    fn call(&self, options: &Value, environment: &[(&str, &str)]) -> (i32, String, String) {
        let file = self.sandbox.write("helper.json", options.to_string());
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(EXECUTABLE)
            .arg("--certmonger")
            .arg(file)
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (said, told) = (text(stdout), text(stderr));
        assert!(!said.contains(SECRET) && !told.contains(SECRET));
        (status.code().unwrap(), said, told)
    }

    fn submit(&self, csr: &str, more: &[(&str, &str)]) -> (i32, String, String) {
        let mut environment = vec![("CERTMONGER_OPERATION", "SUBMIT"), ("CERTMONGER_CSR", csr)];
        environment.extend(more);
        self.call(&self.options(), &environment)
    }
}

/// A request as certmonger makes it, for a key of its own.
fn csr(name: &str) -> String {
    let command = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /";
    let done = Command::new("sh")
        .args([
            "-euc",
            &format!("{command} -addext subjectAltName=DNS:{name}"),
        ])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn what_certmonger_asks_for_is_issued_once_and_anew_when_it_has_it() {
    let lab = Lab::new();
    let csr = csr("h0.example.test");
    let (status, first, told) = lab.submit(&csr, &[]);
    assert_eq!((status, told.as_str()), (0, ""), "{first}");
    let root = String::from_utf8(lab.pebble.root_pem(0)).unwrap();
    witness::verify(root, &first, &first, "h0.example.test").unwrap();
    assert!(lab.dns.texts().is_empty());

    // A helper that was ended before certmonger had read its answer: nothing was lost, and nobody is asked.
    let before = lab.proxy.log().len();
    let (status, again, _) = lab.submit(&csr, &[]);
    assert_eq!((status, &again), (0, &first));
    assert_eq!(lab.proxy.log().len(), before);

    // It has that one, so it wants another. The authority's resolver keeps the record of the first for a second.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let (status, next, _) = lab.submit(&csr, &[("CERTMONGER_CERTIFICATE", &first)]);
    assert_eq!(status, 0, "{next}");
    assert_ne!(next, first);
    assert_eq!(
        lab.proxy.count("POST /sign-me-up"),
        2,
        "one account for all"
    );
}

#[test]
fn what_may_pass_is_told_from_what_is_refused() {
    let lab = Lab::new();
    let (status, said, told) = lab.submit(&csr("loop.example.test"), &[]);
    assert_eq!((status, said.lines().next()), (5, Some("900")), "{said}");
    assert!(
        said.lines().nth(1).unwrap().starts_with("certmonger-"),
        "{said}"
    );
    assert!(told.contains("l2.example.test"), "{told}");

    let one = csr("h1.example.test");
    lab.proxy.set(vec![Rule::problem(
        "POST /order-plz",
        9,
        429,
        "rateLimited",
        &[("Retry-After", "7200")],
    )]);
    let (status, said, told) = lab.submit(&one, &[]);
    let seconds: u64 = said.lines().next().unwrap().parse().unwrap();
    assert!(
        status == 5 && (7100..7300).contains(&seconds),
        "{said}{told}"
    );
    // It is not asked before.
    lab.proxy.set(Vec::new());
    let asked = lab.proxy.count("POST /order-plz");
    let (status, said, _) = lab.submit(&one, &[("CERTMONGER_OPERATION", "POLL")]);
    assert!(
        status == 5 && lab.proxy.count("POST /order-plz") == asked,
        "{said}"
    );

    lab.proxy.set(vec![Rule::problem(
        "POST /order-plz",
        9,
        400,
        "rejectedIdentifier",
        &[],
    )]);
    let (status, said, _) = lab.submit(&csr("h2.example.test"), &[]);
    assert!(
        status == 2 && said.contains("rejectedIdentifier"),
        "{status} {said}"
    );
}

#[test]
fn what_is_not_set_up_is_said() {
    let lab = Lab::new();
    let csr = csr("h0.example.test");
    let submit = |options: &Value| {
        let (status, said, _) = lab.call(options, &[("CERTMONGER_CSR", &csr)]);
        (status, said)
    };
    let with = |key: &str, value: Value| {
        let mut options = lab.options();
        options[key] = value;
        options
    };
    for (options, says) in [
        (with("provider", Value::Null), "provider"),
        (
            with("renew", json!({"force": true})),
            "renew: is certmonger's business",
        ),
        (with("phase", json!("request")), "phase: is all"),
        (
            with("certificates", json!([{"name": "x"}])),
            "comes from certmonger",
        ),
        (
            with("certificates", json!([{"files": []}])),
            "comes from certmonger",
        ),
        (with("direktory", json!("x")), "did you mean 'directory'"),
        (with("account_create", json!(false)), "account key"),
    ] {
        let (status, said) = submit(&options);
        assert!(
            status == 4 && said.contains(says),
            "{says}: {status} {said}"
        );
    }
    let call = |operation: &str, options: &Value| {
        let (status, said, _) = lab.call(options, &[("CERTMONGER_OPERATION", operation)]);
        (status, said.trim().to_owned())
    };
    let (status, said) = call("SUBMIT", &lab.options());
    assert!(status == 4 && said.contains("CERTMONGER_CSR"), "{said}");
    let profile = with("certificates", json!([{"profile": "shortlived"}]));
    assert_eq!(
        call("GET-DEFAULT-TEMPLATE", &profile),
        (0, String::from("shortlived"))
    );
    assert_eq!(call("GET-DEFAULT-TEMPLATE", &lab.options()).0, 6);
    assert_eq!(call("FETCH-ROOTS", &lab.options()).0, 6);
    assert!(
        call("IDENTIFY", &lab.options())
            .1
            .contains("acme_dns_challenge")
    );
    let needs = call("GET-NEW-REQUEST-REQUIREMENTS", &lab.options());
    assert_eq!(needs, (0, String::from("CERTMONGER_CSR")));
    let nonsense = lab.call(&lab.options(), &[("CERTMONGER_CSR", "no request")]);
    assert_eq!(nonsense.0, 2, "{}", nonsense.1);
}
