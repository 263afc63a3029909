// SPDX-License-Identifier: Apache-2.0
//! Hooks, in front of BIND.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::time::Duration;

use dns::publish::{Hook, Published, Publisher, TextRecord};
use support::name;
use testbed::servers::{DnsWorld, SECRET, SIGNING_ZONE, World};

fn record(owner: &str, value: &str) -> TextRecord {
    TextRecord {
        zone: name(SIGNING_ZONE),
        owner: name(owner),
        value: value.into(),
        ttl: 60,
    }
}

fn steps(steps: usize) -> Published {
    Published {
        steps,
        warnings: Vec::new(),
    }
}

/// A hook as somebody may write it: Python, and BIND's own `nsupdate`.
const HOOK: &str = r#"
import json, subprocess, sys
job = json.load(sys.stdin)
word = {"publish": "add", "withdraw": "delete"}[job["action"]]
lines = [f"server 127.0.0.1 {sys.argv[1]}", "zone " + job["records"][0]["zone"]]
for record in job["records"]:
    ttl = f"{record['ttl']} " if word == "add" else ""
    lines.append(f"update {word} {record['name']} {ttl}TXT \"{record['value']}\"")
done = subprocess.run(["nsupdate", "-y", sys.argv[2]], input="\n".join(lines + ["send", ""]), text=True)
sys.exit(done.returncode)
"#;

#[test]
fn hook_gets_all_records_at_once_and_its_failure_is_told() {
    let world = DnsWorld::start(&World::default());
    let script = world.primary.file("hook.py");
    fs::write(&script, HOOK).unwrap();
    let port = world.primary.address().port().to_string();
    let hook = |key: &str| Hook {
        command: vec![
            "python3".into(),
            script.to_string_lossy().into_owned(),
            port.clone(),
            format!("hmac-sha256:{key}:{}", SECRET),
        ],
        within: Duration::from_secs(20),
    };
    let records = [
        record("h1.acme-sign.test", "one"),
        record("h2.acme-sign.test", "two"),
    ];
    let publisher = hook("key-hmac-sha256");
    assert_eq!(publisher.publish(&records).unwrap(), steps(1));
    assert_eq!(world.texts().len(), 2);
    assert_eq!(publisher.withdraw(&records[..1]).unwrap(), steps(1));
    assert_eq!(
        world.texts(),
        [("h2.acme-sign.test".into(), "\"two\"".into())]
    );
    assert_eq!(publisher.publish(&[]).unwrap(), steps(0));
    let error = hook("key-guest").publish(&records).unwrap_err();
    assert_eq!(error.kind(), "dns.program");
    assert!(
        error
            .to_string()
            .ends_with("ended with status 2 and said: update failed: REFUSED"),
        "{error}"
    );
}

/// A stand-in for acme.sh, which no package has: what a dnsapi script needs of it, and one such script.
const ACME_SH: &str = "_initpath() { CONF=$LE_WORKING_DIR/account.conf; }\n\
    _readaccountconf_mutable() { sed -n \"s/^SAVED_$1=//p\" \"$CONF\"; }\necho usage\n";
const DNS_API: &str = r#"
write() { printf 'server 127.0.0.1 %s\nzone acme-sign.test\n%s\nsend\n' "$(_readaccountconf_mutable PORT)" "$1" |
  nsupdate -y "hmac-sha256:key-hmac-sha256:$(_readaccountconf_mutable KEY)"; }
dns_stand_in_add() { write "update add $1 60 TXT \"$2\""; }
dns_stand_in_rm() { write "update delete $1 TXT \"$2\""; }
"#;

#[test]
fn hook_acme_sh_calls_a_script_of_dnsapi_with_a_stand_in_of_acme_sh() {
    let world = DnsWorld::start(&World::default());
    let home = world.primary.file("acme");
    fs::create_dir_all(home.join("dnsapi")).unwrap();
    fs::write(home.join("acme.sh"), ACME_SH).unwrap();
    fs::write(home.join("dnsapi/dns_stand_in.sh"), DNS_API).unwrap();
    let port = world.primary.address().port();
    let saved = format!("SAVED_PORT={port}\nSAVED_KEY={SECRET}\n");
    fs::write(home.join("account.conf"), saved).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../extras/hook_acme_sh.py");
    let hook = |script: &str| Hook {
        command: vec![
            "python3".into(),
            program.into(),
            home.to_string_lossy().into_owned(),
            script.into(),
        ],
        within: Duration::from_secs(20),
    };
    let records = [
        record("h1.acme-sign.test", "one"),
        record("h1.acme-sign.test", "two"),
    ];
    let publisher = hook("dns_stand_in");
    assert_eq!(publisher.publish(&records).unwrap(), steps(1));
    assert_eq!(world.texts().len(), 2);
    publisher.withdraw(&records[..1]).unwrap();
    assert_eq!(
        world.texts(),
        [("h1.acme-sign.test".into(), "\"two\"".into())]
    );
    // A name outside of the zone is refused by the server, and another one is tried yet.
    let mixed = [
        record("h1.example.test", "x"),
        record("h2.acme-sign.test", "y"),
    ];
    let error = publisher.publish(&mixed).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("dns_stand_in failed for h1.example.test"),
        "{error}"
    );
    assert_eq!(world.texts().len(), 2);
    let error = hook("dns_none").publish(&records).unwrap_err();
    assert_eq!(error.kind(), "dns.program");
}
