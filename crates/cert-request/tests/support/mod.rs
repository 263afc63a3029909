// SPDX-License-Identifier: Apache-2.0
//! What the flows share: a sandbox with authorities of the openssl command line, and one way to run.

use std::process::Command;

use serde_json::{Value, json};
use testbed::{Answer, ModuleRun, Sandbox, witness};

/// The executable under test.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_cert_request");

/// A sandbox in which cert_request is run.
pub(crate) struct Host {
    /// Where everything is.
    pub(crate) sandbox: Sandbox,
}

impl Host {
    /// A sandbox after `script`, which has the functions of `lib/authority.sh`.
    pub(crate) fn new(script: &str) -> Self {
        let host = Self {
            sandbox: Sandbox::new(),
        };
        host.shell(script);
        host
    }

    /// Runs `script` in the sandbox.
    pub(crate) fn shell(&self, script: &str) -> String {
        let library = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lib/authority.sh");
        let output = Command::new("sh")
            .args(["-euc", &format!(". {library}\n{script}")])
            .current_dir(self.sandbox.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{script}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// A run that is not started yet; `$DIR` in the options is the sandbox.
    pub(crate) fn module(&self, args: &Value) -> ModuleRun {
        ModuleRun::new(EXECUTABLE)
            .args(args.clone())
            .diff(true)
            .sandbox(&self.sandbox)
    }

    /// Runs and expects success.
    pub(crate) fn run(&self, args: &Value) -> Answer {
        let answer = self.module(args).run();
        if answer.failed() {
            answer.fail("the module failed");
        }
        answer
    }

    /// Fails unless key and certificate are a pair in the eyes of openssl.
    pub(crate) fn assert_pair(&self, certificate: &str, key: &str) {
        if let Err(why) =
            witness::key_matches(self.sandbox.join(certificate), self.sandbox.join(key))
        {
            panic!("{certificate} and {key}: {why}");
        }
    }
}

/// One entry `web` below `ca/ca.pem` with an ECDSA key, changed by `change`.
pub(crate) fn web(change: Value) -> Value {
    let mut entry = json!({
        "name": "web",
        "dns": ["web.example.org"],
        "key": {"algorithm": "ecdsa"},
        "issuer": {"private_ca": {"certificate": "$DIR/ca/ca.pem", "private_key": "$DIR/ca/ca.key"}},
        "files": [
            {"content": "private_key", "path": "$DIR/web.key"},
            {"content": "certificate", "path": "$DIR/web.pem"},
        ],
    });
    if let (Some(entry), Value::Object(change)) = (entry.as_object_mut(), change) {
        entry.extend(change);
    }
    json!({"certificates": [entry], "state_dir": "$DIR/state"})
}

/// The result of the entry `web`.
pub(crate) fn of_web(answer: &Answer) -> &Value {
    &answer.value["certificates"]["web"]
}
