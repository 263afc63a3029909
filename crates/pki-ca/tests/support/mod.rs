// SPDX-License-Identifier: Apache-2.0
//! A tree in a sandbox, and the openssl command line as the other side.
#![allow(dead_code, reason = "each test file uses its part")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

pub(crate) mod bao;
pub(crate) mod outside;

use std::path::{Path, PathBuf};
use std::process::Command;

use pki::{CertificateRequest, Curve, KeyAlgorithm, PrivateKey, RequestTemplate, Subject};
use serde_json::{Value, json};
use testbed::{Answer, ModuleRun, Sandbox, witness};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pki_ca");

/// A sandbox whose `tree` is the tree of authorities.
pub(crate) struct Tree {
    pub(crate) sandbox: Sandbox,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            sandbox: Sandbox::new(),
        }
    }

    /// With a root and an active intermediate.
    pub(crate) fn with_authorities() -> Self {
        let tree = Self::new();
        let made = tree.run(json!({"authorities": authorities()}));
        assert!(made.changed() && !made.failed(), "{}", made.report());
        tree
    }

    pub(crate) fn args(&self, args: Value) -> ModuleRun {
        let mut all = json!({"backend": {"files": {"directory": "$DIR/tree"}}});
        all.as_object_mut()
            .unwrap()
            .extend(args.as_object().unwrap().clone());
        ModuleRun::new(PROGRAM)
            .args(all)
            .sandbox(&self.sandbox)
            .diff(true)
    }

    pub(crate) fn run(&self, args: Value) -> Answer {
        self.args(args).run()
    }

    /// The prediction, which must move nothing.
    pub(crate) fn check(&self, args: Value) -> Answer {
        let before = self.sandbox.listing();
        let answer = self.args(args).check(true).run();
        self.sandbox.assert_unmoved(&before, "check mode");
        answer
    }

    /// Predicted, done, and nothing left to do.
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
        self.quiet(args);
        done
    }

    /// A run that must change nothing.
    pub(crate) fn quiet(&self, args: Value) -> Answer {
        let before = self.sandbox.listing();
        let again = self.run(args);
        assert!(!again.failed() && !again.changed(), "{}", again.report());
        self.sandbox.assert_unmoved(&before, "a second run");
        again
    }

    /// A run that must fail so and move nothing, in check mode as well.
    pub(crate) fn refused(&self, args: Value, kind: &str) -> Answer {
        let before = self.sandbox.listing();
        for check in [true, false] {
            let answer = self.args(args.clone()).check(check).run();
            assert!(
                answer.failed() && answer.kind() == kind,
                "expected {kind}: {}",
                answer.report()
            );
            self.sandbox.assert_unmoved(&before, kind);
        }
        self.args(args).run()
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.sandbox.join("tree").join(inside)
    }

    pub(crate) fn read(&self, inside: &str) -> String {
        std::fs::read_to_string(self.path(inside)).unwrap()
    }

    pub(crate) fn certificate(&self, name: &str) -> String {
        self.read(&format!("roots/{name}/certs/{name}.crt"))
    }

    pub(crate) fn key_path(&self, name: &str) -> PathBuf {
        self.path(&format!("roots/{name}/private/{name}.key.pem"))
    }

    /// The key in service is that of the certificate in service.
    pub(crate) fn assert_pair(&self, name: &str) {
        let certificate = self.path(&format!("roots/{name}/certs/{name}.crt"));
        witness::key_matches(certificate, self.key_path(name)).unwrap();
    }
}

pub(crate) fn authorities() -> Value {
    json!([
        {"name": "Root", "common_name": "Example Root", "key": {"algorithm": "ecdsa"}},
        {"name": "Int", "type": "intermediate", "parent": "Root", "state": "active",
         "key": {"algorithm": "ecdsa"}}
    ])
}

/// A key and a request for `name` and `www.name`.
pub(crate) fn request(name: &str) -> (PrivateKey, String) {
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    let csr = request_of(name, &[name, &format!("www.{name}")], &key);
    (key, csr)
}

pub(crate) fn request_of(common_name: &str, dns: &[&str], key: &PrivateKey) -> String {
    let mut template = RequestTemplate {
        subject: Subject::from_pairs([("CN", common_name)]).unwrap(),
        ..RequestTemplate::default()
    };
    template.names.dns = dns.iter().map(|name| name.parse().unwrap()).collect();
    CertificateRequest::create(&template, key).unwrap().to_pem()
}

/// The openssl command line in `directory`.
pub(crate) fn openssl(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    if !output.status.success() {
        panic!(
            "openssl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `sh -eu` in `directory`.
pub(crate) fn sh(directory: &Path, script: &str) {
    let output = Command::new("sh")
        .args(["-euc", script])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
