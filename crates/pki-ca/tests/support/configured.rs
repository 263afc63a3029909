// SPDX-License-Identifier: Apache-2.0
//! A real OpenBao whose mount is configured, and what is on it.
#![allow(dead_code, reason = "each test file uses its part")]
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Map, Value, json};
use testbed::servers::{BaoRelease, BaoServer};
use testbed::{Answer, ModuleRun, Sandbox};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pki_ca");

/// A server, and a directory for the files of the module.
pub(crate) struct Site {
    pub(crate) server: BaoServer,
    pub(crate) sandbox: Sandbox,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::of(BaoRelease::Current)
    }

    pub(crate) fn of(release: BaoRelease) -> Self {
        Self {
            server: BaoServer::start(release),
            sandbox: Sandbox::new(),
        }
    }

    /// With the mount `pki` as somebody has made it.
    pub(crate) fn with_mount() -> Self {
        Self::with_mount_of(BaoRelease::Current)
    }

    pub(crate) fn with_mount_of(release: BaoRelease) -> Self {
        let site = Self::of(release);
        let config = json!({"default_lease_ttl": "24h", "max_lease_ttl": "8760h"});
        site.server
            .api("sys/mounts/pki", &json!({"type": "pki", "config": config}));
        site
    }

    pub(crate) fn module(&self, token: &str, config: &Value) -> ModuleRun {
        let vault = json!({"url": self.server.url(), "mount": "pki", "auth": {"token": token}});
        ModuleRun::new(PROGRAM)
            .args(json!({"backend": {"vault": vault}, "vault_config": config}))
            .sandbox(&self.sandbox)
            .diff(true)
    }

    pub(crate) fn run(&self, config: &Value) -> Answer {
        self.module(self.server.token(), config).run()
    }

    pub(crate) fn check(&self, config: &Value) -> Answer {
        self.module(self.server.token(), config).check(true).run()
    }

    /// Predicted without a write, done as predicted, and nothing left to do.
    pub(crate) fn converge(&self, config: &Value) -> Answer {
        let files = self.sandbox.listing();
        let objects = self.objects();
        let predicted = self.check(config);
        assert!(!predicted.failed(), "{}", predicted.report());
        self.sandbox.assert_unmoved(&files, "check mode");
        assert_eq!(self.objects(), objects, "check mode has written");
        let done = self.run(config);
        assert!(!done.failed(), "{}", done.report());
        assert_eq!(told(&predicted), told(&done));
        assert_eq!(predicted.value["diff"], done.value["diff"]);
        self.quiet(config);
        done
    }

    pub(crate) fn quiet(&self, config: &Value) {
        let objects = self.objects();
        let again = self.run(config);
        assert!(!again.failed() && !again.changed(), "{}", again.report());
        assert_eq!(again.value["diff"], Value::Null);
        assert_eq!(self.objects(), objects, "a quiet run has written");
    }

    pub(crate) fn read(&self, path: &str) -> Value {
        self.server.ask("GET", path, &Value::Null).1["data"].clone()
    }

    /// All that a run of these tests could write.
    pub(crate) fn objects(&self) -> Vec<Value> {
        [
            "sys/mounts/pki/tune",
            "pki/config/cluster",
            "pki/config/urls",
            "pki/config/crl",
            "pki/config/auto-tidy",
            "pki/config/acme",
            "pki/roles/web",
            "sys/policies/acl/hosts",
            "auth/approle/role/hosts",
            "pki/tidy-status",
        ]
        .map(|path| self.read(path))
        .into()
    }

    /// Somebody changes the role `web`.
    pub(crate) fn set_by_hand(&self, changes: &Value) {
        let mut whole = self.read("pki/roles/web").as_object().unwrap().clone();
        whole.remove("allow_token_displayname");
        whole.extend(changes.as_object().unwrap().clone());
        self.server.api("pki/roles/web", &Value::Object(whole));
    }

    /// A token that may do what the policy says.
    pub(crate) fn token(&self, policy: &str) -> String {
        self.server
            .api("sys/policies/acl/limited", &json!({"policy": policy}));
        let made = self
            .server
            .api("auth/token/create", &json!({"policies": ["limited"]}));
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Only this field of the object has changed.
    pub(crate) fn assert_changed(&self, path: &str, before: &Value, changes: &Value) {
        let mut wanted = before.as_object().unwrap().clone();
        wanted.extend(changes.as_object().unwrap().clone());
        assert_eq!(self.read(path), Value::Object(wanted), "{path}");
    }
}

/// What is told of the objects, without what only a run can know.
fn told(answer: &Answer) -> Value {
    let mut told = answer.value["vault_config"].clone();
    for group in ["secret_ids", "approles"] {
        for entry in told[group]
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
            for late in ["accessor", "role_id"] {
                entry.as_object_mut().unwrap().remove(late);
            }
        }
    }
    told
}
