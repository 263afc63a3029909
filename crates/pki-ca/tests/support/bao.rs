// SPDX-License-Identifier: Apache-2.0
//! A mount of its own on a real OpenBao, which the tests of one file share while they run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};
use testbed::servers::{BaoRelease, BaoServer};
use testbed::{Answer, ModuleRun, Sandbox};

use super::PROGRAM;

static SHARED: Mutex<Weak<BaoServer>> = Mutex::new(Weak::new());
static MOUNTS: AtomicUsize = AtomicUsize::new(0);

/// A mount and a directory of its own.
pub(crate) struct Bao {
    pub(crate) server: Arc<BaoServer>,
    pub(crate) mount: String,
    pub(crate) sandbox: Sandbox,
}

impl Bao {
    /// On the server of this file; the last test that has it ends it.
    pub(crate) fn new() -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let server = shared
            .upgrade()
            .unwrap_or_else(|| Arc::new(BaoServer::start(BaoRelease::Current)));
        *shared = Arc::downgrade(&server);
        Self::on(server)
    }

    /// On a server of its own, for tests that seal it.
    pub(crate) fn alone() -> Self {
        Self::on(Arc::new(BaoServer::start(BaoRelease::Current)))
    }

    fn on(server: Arc<BaoServer>) -> Self {
        let number = MOUNTS.fetch_add(1, Ordering::Relaxed);
        let bao = Self {
            server,
            mount: format!("pki-{number}"),
            sandbox: Sandbox::new(),
        };
        bao.enable(&bao.mount);
        bao
    }

    /// Mounts another one beside it.
    pub(crate) fn beside(&self) -> String {
        let other = format!("{}-parents", self.mount);
        self.enable(&other);
        other
    }

    fn enable(&self, mount: &str) {
        let config = json!({"default_lease_ttl": "720h", "max_lease_ttl": "87600h"});
        let body = json!({"type": "pki", "config": config});
        self.server.api(&format!("sys/mounts/{mount}"), &body);
    }

    pub(crate) fn backend(&self) -> Value {
        json!({"vault": {
            "url": [self.server.url()],
            "auth": {"token": self.server.token()},
            "mount": self.mount,
        }})
    }

    pub(crate) fn args(&self, args: Value) -> ModuleRun {
        let mut all = json!({"backend": self.backend()});
        if let (Some(all), Value::Object(args)) = (all.as_object_mut(), args) {
            all.extend(args);
        }
        ModuleRun::new(PROGRAM)
            .args(all)
            .sandbox(&self.sandbox)
            .diff(true)
    }

    #[track_caller]
    pub(crate) fn run(&self, args: Value) -> Answer {
        let answer = self.args(args).run();
        answer.never_says(self.server.token());
        answer
    }

    /// The prediction, which must move nothing on the server.
    #[track_caller]
    pub(crate) fn check(&self, args: Value) -> Answer {
        let before = (self.content(), self.sandbox.listing());
        let answer = self.args(args).check(true).run();
        assert_eq!(before.0, self.content(), "check mode: {}", answer.report());
        self.sandbox.assert_unmoved(&before.1, "check mode");
        answer
    }

    /// Predicted, done, and nothing left to do.
    #[track_caller]
    pub(crate) fn converge(&self, args: Value) -> Answer {
        let predicted = self.check(args.clone());
        let done = self.run(args.clone());
        assert!(!done.failed(), "{}", done.report());
        assert_eq!(
            predicted.changed(),
            done.changed(),
            "{}",
            predicted.report()
        );
        for word in ["action", "state"] {
            assert_eq!(
                words(&predicted, word),
                words(&done, word),
                "{}",
                done.report()
            );
        }
        self.quiet(args);
        done
    }

    /// A run that must change nothing.
    #[track_caller]
    pub(crate) fn quiet(&self, args: Value) -> Answer {
        let before = self.content();
        let again = self.run(args);
        assert!(!again.failed() && !again.changed(), "{}", again.report());
        assert_eq!(before, self.content(), "a second run: {}", again.report());
        again
    }

    /// A run that must fail so and move nothing, in check mode as well.
    #[track_caller]
    pub(crate) fn refused(&self, args: Value, kind: &str) -> Answer {
        let before = self.content();
        let mut last = None;
        for check in [true, false] {
            let answer = self.args(args.clone()).check(check).run();
            assert!(
                answer.failed() && answer.kind() == kind,
                "expected {kind}: {}",
                answer.report()
            );
            assert!(!answer.changed(), "{}", answer.report());
            assert_eq!(before, self.content(), "{kind}: {}", answer.report());
            last = Some(answer);
        }
        last.unwrap_or_else(|| panic!("it ran"))
    }

    /// Issuers, keys, the default and what was issued.
    pub(crate) fn content(&self) -> Value {
        let listed = |path: &str| {
            let path = format!("{}/{path}", self.mount);
            self.server.ask("LIST", &path, &Value::Null).1["data"].clone()
        };
        let issuers = listed("issuers");
        let each = issuers["keys"].as_array().cloned().unwrap_or_default();
        let details: Vec<Value> = each
            .iter()
            .filter_map(Value::as_str)
            .map(|id| self.get(&format!("issuer/{id}"))["data"].clone())
            .collect();
        json!([
            issuers,
            listed("keys"),
            listed("certs"),
            listed("certs/revoked"),
            details
        ])
    }

    /// What the mount answers to a read.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.read(&self.mount, path)
    }

    /// What another mount answers to a read.
    #[track_caller]
    pub(crate) fn read(&self, mount: &str, path: &str) -> Value {
        let path = format!("{mount}/{path}");
        let (status, said) = self.server.ask("GET", &path, &Value::Null);
        assert_eq!(status, 200, "{path}: {said}");
        said
    }

    /// What the mount answers to a write.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.server.api(&format!("{}/{path}", self.mount), body)
    }

    /// The name of the default issuer.
    pub(crate) fn default(&self) -> String {
        let id = self.get("config/issuers")["data"]["default"].clone();
        match id.as_str() {
            None | Some("") => String::new(),
            Some(id) => text(&self.get(&format!("issuer/{id}"))["data"]["issuer_name"]),
        }
    }

    /// The names of all issuers, without those that have none.
    pub(crate) fn names(&self) -> Vec<String> {
        let content = self.content();
        let info = content[0]["key_info"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let mut names: Vec<String> = info
            .values()
            .map(|each| text(&each["issuer_name"]))
            .collect();
        names.retain(|name| !name.is_empty());
        names.sort();
        names
    }
}

/// A text of an answer.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// One word of every authority.
fn words(answer: &Answer, word: &str) -> Vec<String> {
    let all = answer.value["authorities"].as_object();
    let each = all.into_iter().flatten();
    each.map(|(name, facts)| format!("{name}: {}", facts[word]))
        .collect()
}
