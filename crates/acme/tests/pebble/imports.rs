// SPDX-License-Identifier: Apache-2.0
//! Accounts that the real lego and certbot made at a real Pebble, and acme.sh's files as it lays them.

use std::path::Path;
use std::process::Command;

use acme::Account;
use acme::import::{Imported, Origin, import};
use pki::{Curve, KeyAlgorithm, KeyFormat, PrivateKey};
use serde_json::json;
use testbed::Sandbox;
use testbed::servers::{Release, Settings};

use crate::world::World;

fn world() -> World {
    World::new(&Settings::always_valid(Release::Stable))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The server knows the key, and by the URL that the other program kept.
fn assert_found(world: &World, imported: &Imported) {
    let (found, facts) = Account::find(world.open(), imported.key.clone()).unwrap();
    let account = imported.account.as_deref().unwrap();
    // Pebble names its port, which is not that of the proxy.
    let path = |url: &str| url.split('/').skip(3).collect::<Vec<_>>().join("/");
    assert_eq!(path(found.url()), path(account));
    assert_eq!(facts.contact, ["mailto:a@example.org"]);
}

#[test]
fn the_account_of_a_real_lego_is_taken_over() {
    let (world, home) = (world(), Sandbox::new());
    let ca = home.write("ca.pem", &world.pebble.certificate().pem);
    let port = testbed::servers::free_port();
    let lego = home.join("lego");
    run(Command::new("lego")
        .args([
            "--accept-tos",
            "--email",
            "a@example.org",
            "--domains",
            "a.example.org",
        ])
        .args(["--server", &world.pebble.directory_url(), "--path"])
        .arg(&lego)
        .args(["--http", "--http.port", &format!("127.0.0.1:{port}"), "run"])
        .env("LEGO_CA_CERTIFICATES", &ca));
    let imported = import(&lego.join("accounts")).unwrap();
    assert_eq!(imported.origin, Origin::Lego);
    assert_eq!(imported.contacts, ["mailto:a@example.org"]);
    assert_found(&world, &imported);
}

#[test]
fn the_account_of_a_real_certbot_is_taken_over() {
    let (world, home) = (world(), Sandbox::new());
    let ca = home.write("ca.pem", &world.pebble.certificate().pem);
    let mut command = Command::new("certbot");
    command
        .args([
            "register",
            "--non-interactive",
            "--agree-tos",
            "-m",
            "a@example.org",
        ])
        .args(["--server", &world.pebble.directory_url()])
        .env("REQUESTS_CA_BUNDLE", &ca);
    for (option, inside) in [
        ("--config-dir", "etc"),
        ("--work-dir", "lib"),
        ("--logs-dir", "log"),
    ] {
        command.arg(option).arg(home.join(inside));
    }
    run(&mut command);
    let imported = import(&home.join("etc")).unwrap();
    assert_eq!(imported.origin, Origin::Certbot);
    assert_eq!(imported.key.jws_algorithm().unwrap(), "RS256");
    assert_found(&world, &imported);
}

fn acme_sh(home: &Sandbox, server: &str, algorithm: KeyAlgorithm) -> PrivateKey {
    let key = PrivateKey::generate(algorithm).unwrap();
    let pem = key.to_pem(KeyFormat::Traditional, None).unwrap();
    home.write(format!("ca/{server}/directory/account.key"), &*pem);
    let facts = json!({"status": "valid", "contact": ["mailto:a@example.org"]});
    home.write(
        format!("ca/{server}/directory/account.json"),
        facts.to_string(),
    );
    home.write(
        format!("ca/{server}/directory/ca.conf"),
        format!(
            "CA_KEY_HASH='aa=='\nACCOUNT_URL='https://{server}/acct/7'\nCA_EMAIL='a@example.org'\n"
        ),
    );
    key
}

/// acme.sh is no package of Debian's; this is its layout since 2.8, written by hand.
#[test]
fn files_laid_as_acme_sh_lays_them_are_read() {
    let home = Sandbox::new();
    let key = acme_sh(
        &home,
        "acme-v02.api.letsencrypt.org",
        KeyAlgorithm::Ecdsa(Curve::P256),
    );
    let directory = home.join("ca/acme-v02.api.letsencrypt.org/directory");
    for path in [
        home.path(),
        &directory,
        &directory.join("account.key"),
        &directory.join("account.json"),
    ] {
        let imported = import(path).unwrap();
        assert_eq!(imported.origin, Origin::AcmeSh, "{}", path.display());
        assert!(imported.key.matches(&key.public_key().unwrap()));
        let url = "https://acme-v02.api.letsencrypt.org/acct/7";
        assert_eq!(imported.account.as_deref(), Some(url));
        assert_eq!(imported.contacts, ["mailto:a@example.org"]);
        assert!(!format!("{imported:?}").contains("PRIVATE"));
    }
    acme_sh(&home, "acme.zerossl.com", KeyAlgorithm::Rsa { bits: 2048 });
    let error = import(home.path()).unwrap_err().to_string();
    assert!(
        error.contains("several") && error.contains("acme.zerossl.com"),
        "{error}"
    );
    assert!(import(&home.join("ca/acme.zerossl.com")).is_ok());
}

#[test]
fn what_is_no_account_is_refused_without_showing_it() {
    let home = Sandbox::new();
    let kind = |path: &Path| {
        let error = import(path).unwrap_err();
        assert_eq!(error.kind(), "acme.account_unreadable");
        error.to_string()
    };
    assert!(kind(home.path()).contains("no account of"));
    assert!(kind(&home.join("missing.pem")).contains("no such file"));
    let path = home.write(
        "c/private_key.json",
        "{\"kty\": \"RSA\", \"d\": \"secret!\", \"n\": 1}",
    );
    home.write("c/regr.json", "{\"uri\": \"https://ca.example/1\"}");
    assert!(kind(&path).ends_with("it has no member 'n'"));
    let path = home.write(
        "c/private_key.json",
        "{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"secret!\"}",
    );
    assert!(!kind(&path).contains("secret"));
    home.write("c/private_key.json", "\"secret");
    assert!(!kind(&path).contains("secret"));
    // A key alone is one, of whoever.
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P384)).unwrap();
    let pem = key.to_pem(KeyFormat::Pkcs8, None).unwrap();
    let imported = import(&home.write("some.pem", &*pem)).unwrap();
    assert_eq!((imported.origin, imported.account), (Origin::Key, None));
}
