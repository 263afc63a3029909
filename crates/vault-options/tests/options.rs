// SPDX-License-Identifier: Apache-2.0
//! What the options of a connection mean, with what the environment says.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use ansible_module::{Faults, table_defects, with_defaults};
use serde_json::{Value, json};
use vault::{Auth, Held, Secret, SecretId, Settings};
use vault_options::{AUTH, CONNECTION, COUNT, Connection, ConnectionParams, Environment, beside};

/// As Ansible and the table would hand them on.
fn understood(options: Value, environment: &[(&str, &str)]) -> Result<Connection, Vec<String>> {
    let Value::Object(mut options) = options else {
        return Err(vec!["no object".to_owned()]);
    };
    if let Some(Value::Object(auth)) = options.get_mut("auth") {
        *auth = with_defaults(std::mem::take(auth), AUTH);
    }
    let filled = Value::Object(with_defaults(options, CONNECTION));
    let params: ConnectionParams = serde_json::from_value(filled).unwrap();
    let variables: BTreeMap<&str, &str> = environment.iter().copied().collect();
    let environment = Environment::of(|name| variables.get(name).map(|text| (*text).to_owned()));
    let mut faults = Faults::new();
    let found = params.understood("issuer.vault", &environment, &mut faults);
    let said = faults.iter().map(|fault| fault.to_string()).collect();
    found.ok_or(said)
}

fn settings(options: Value, environment: &[(&str, &str)]) -> Settings {
    understood(options, environment)
        .unwrap()
        .settings()
        .unwrap()
}

fn faults(options: Value, environment: &[(&str, &str)]) -> String {
    understood(options, environment).unwrap_err().join("\n")
}

fn token(text: &str) -> Auth {
    Auth::Token(Held::Given(Secret::new(text)))
}

#[test]
fn the_table_is_sound_alone_and_beside_others() {
    assert_eq!(table_defects(CONNECTION), Vec::<String>::new());
    let all = beside::<{ COUNT + 1 }>(&[ansible_module::OptionSpec::new(
        "mount",
        ansible_module::Kind::Str,
    )]);
    assert_eq!(table_defects(&all), Vec::<String>::new());
    assert_eq!((all[0].name(), all[COUNT].name()), ("url", "mount"));
}

#[test]
fn what_is_not_given_comes_from_the_environment_of_either_server() {
    let found = settings(
        json!({}),
        &[
            ("VAULT_ADDR", "https://a.example:8200"),
            ("VAULT_TOKEN", "from-vault"),
            ("VAULT_NAMESPACE", "osp/a/"),
            ("VAULT_TLS_SERVER_NAME", "vault.example"),
        ],
    );
    assert_eq!(found.addresses, ["https://a.example:8200"]);
    assert_eq!(found.auth, token("from-vault"));
    assert_eq!(found.namespace.as_deref(), Some("osp/a"));
    assert_eq!(found.server_name.as_deref(), Some("vault.example"));
    let both = [
        ("VAULT_ADDR", "https://a.example"),
        ("BAO_ADDR", "https://b.example, https://c.example"),
        ("VAULT_TOKEN", "x"),
        ("BAO_TOKEN", "from-bao"),
    ];
    let found = settings(json!({}), &both);
    assert_eq!(
        (found.addresses, found.auth),
        (
            vec![
                "https://b.example".to_owned(),
                "https://c.example".to_owned()
            ],
            token("from-bao")
        )
    );
    let given = json!({"url": ["https://d.example"], "auth": {"token": "given"}, "namespace": "x"});
    let found = settings(given, &both);
    assert_eq!(
        (found.addresses, found.auth),
        (vec!["https://d.example".to_owned()], token("given"))
    );
    // Set to nothing is not set.
    assert!(
        faults(json!({"auth": {"token": "t"}}), &[("BAO_ADDR", " ")])
            .contains("issuer.vault.url: give it, or set BAO_ADDR or VAULT_ADDR")
    );
}

#[test]
fn the_defaults_are_those_of_the_client() {
    let found = settings(
        json!({"url": ["https://a.example"], "auth": {"method": "none"}}),
        &[],
    );
    let default = Settings::default();
    assert_eq!(
        (found.timeout, found.retry_window, found.wait_unsealed),
        (default.timeout, default.retry_window, default.wait_unsealed)
    );
    assert_eq!(
        (found.pin_active, found.allow_plaintext, found.revoke_after),
        (true, false, true)
    );
    assert_eq!(found.auth, Auth::None);
    let found = settings(
        json!({"url": ["http://10.0.0.1"], "allow_plaintext": true, "pin_active": false, "retry_window": "0s", "wait_unsealed": "10m", "timeout": "5s", "auth": {"method": "none", "revoke_after": false}}),
        &[],
    );
    assert_eq!(
        (found.timeout, found.retry_window, found.wait_unsealed),
        (
            Duration::from_secs(5),
            Duration::ZERO,
            Duration::from_secs(600)
        )
    );
    assert_eq!(
        (found.pin_active, found.allow_plaintext, found.revoke_after),
        (false, true, false)
    );
}

#[test]
fn each_method_takes_its_options_and_no_others() {
    let auth = |auth: Value| {
        let certificate = json!({"url": ["https://a.example"], "client_cert": "/c.pem", "client_key": "/k.pem", "auth": auth});
        understood(certificate, &[]).map(|connection| format!("{connection:?}"))
    };
    for (given, shown) in [
        (
            json!({"method": "approle", "role_id": "r"}),
            "AppRole { mount: \"approle\"",
        ),
        (
            json!({"method": "approle", "role_id_file": "/r", "secret_id_file": "/s", "mount": "hosts/"}),
            "AppRole { mount: \"hosts\"",
        ),
        (
            json!({"method": "approle", "role_id": "r", "wrapped_secret_id": "w", "role": "host"}),
            "Wrapped { token: Given(Secret(elided)), role: Some(\"host\") }",
        ),
        (
            json!({"method": "cert", "role": "host"}),
            "Certificate { mount: \"cert\", role: Some(\"host\") }",
        ),
        (
            json!({"method": "jwt", "jwt_file": "/jwt"}),
            "Jwt { mount: \"jwt\", role: None, jwt: File(\"/jwt\") }",
        ),
        (
            json!({"method": "kubernetes", "role": "host"}),
            "File(\"/var/run/secrets/kubernetes.io/serviceaccount/token\")",
        ),
        (
            json!({"method": "userpass", "username": "ada", "password": "p"}),
            "Userpass { mount: \"userpass\", username: \"ada\"",
        ),
        (json!({"token_file": "/t"}), "Token(File(\"/t\"))"),
    ] {
        let found = auth(given.clone()).unwrap();
        assert!(found.contains(shown), "{given}: {found}");
    }
    for (given, fault) in [
        (
            json!({}),
            "issuer.vault.auth: give 'token' or 'token_file', set BAO_TOKEN or VAULT_TOKEN, or choose another 'method'",
        ),
        (
            json!({"token": "t", "token_file": "/t"}),
            "issuer.vault.auth: give one of 'token' and 'token_file'",
        ),
        (
            json!({"token": "t", "role_id": "r"}),
            "issuer.vault.auth.role_id: it means nothing for the method 'token'",
        ),
        (
            json!({"token": "a\nb"}),
            "issuer.vault.auth.token: it is empty, or has characters that no header takes",
        ),
        (
            json!({"token_file": "relative"}),
            "issuer.vault.auth.token_file: 'relative' is not an absolute path without '..'",
        ),
        (
            json!({"method": "approle"}),
            "issuer.vault.auth: give one of 'role_id' and 'role_id_file'",
        ),
        (
            json!({"method": "approle", "role_id": "r", "secret_id": "s", "wrapped_secret_id": "w"}),
            "issuer.vault.auth: give one of 'secret_id' and 'wrapped_secret_id'",
        ),
        (
            json!({"method": "approle", "role_id": "r", "mount": "../sys"}),
            "issuer.vault.auth.mount: '../sys' is not letters",
        ),
        (
            json!({"method": "jwt"}),
            "issuer.vault.auth: give one of 'jwt' and 'jwt_file'",
        ),
        (
            json!({"method": "kubernetes"}),
            "issuer.vault.auth.role: it is needed for this method",
        ),
        (
            json!({"method": "userpass"}),
            "issuer.vault.auth.username: it is needed for this method",
        ),
        (
            json!({"method": "none", "token": "t"}),
            "issuer.vault.auth.token: it means nothing for the method 'none'",
        ),
    ] {
        let found = auth(given.clone()).unwrap_err().join("\n");
        assert!(found.contains(fault), "{given}: {found}");
    }
    let without = json!({"url": ["https://a.example"], "auth": {"method": "cert"}});
    assert!(
        faults(without, &[])
            .contains("issuer.vault.auth.method: it needs 'client_cert' and 'client_key'")
    );
}

#[test]
fn all_faults_are_told_together() {
    let found = faults(
        json!({"url": ["http://10.0.0.1:8200", "vault", "https://u:p@a.example"], "ca_path": "x", "client_cert": "/c", "timeout": "0s", "retry_window": "2d", "namespace": "a b", "tls_server_name": "{{ name }}"}),
        &[],
    );
    for fault in [
        "issuer.vault.url[0]: http://10.0.0.1:8200/ is not asked: plain http to another host",
        "issuer.vault.url[1]: the address cannot be used",
        "issuer.vault.url[2]: the address cannot be used",
        "issuer.vault.ca_path: 'x' is not an absolute path",
        "issuer.vault.client_key: 'client_cert' needs it",
        "issuer.vault.timeout: '0s' is not between 1 s and a day",
        "issuer.vault.retry_window: '2d' is more than a day",
        "issuer.vault.namespace: 'a b' is not letters",
        "issuer.vault.tls_server_name: '{{ name }}' is a template that was not rendered",
        "issuer.vault.auth: give 'token'",
    ] {
        assert!(found.contains(fault), "{fault}: {found}");
    }
    assert!(!found.contains("u:p"), "{found}");
}

#[test]
fn nobody_is_left_unverified_without_saying_so_here() {
    let skip = [("VAULT_SKIP_VERIFY", "1")];
    let given = |validate: bool| json!({"url": ["https://a.example"], "auth": {"token": "t"}, "validate_certs": validate});
    let found = faults(given(true), &skip);
    assert!(
        found.contains("issuer.vault.validate_certs: VAULT_SKIP_VERIFY is set"),
        "{found}"
    );
    for environment in [&skip[..], &[]] {
        let open = understood(given(false), environment).unwrap();
        assert!(matches!(
            open.settings().unwrap().trust,
            web::Trust::Anybody
        ));
        assert!(
            open.warnings()[0].contains("is not verified"),
            "{:?}",
            open.warnings()
        );
    }
    assert!(
        understood(given(true), &[("BAO_SKIP_VERIFY", "false")])
            .unwrap()
            .warnings()
            .is_empty()
    );
}

/// Key and certificate as other tools write them.
fn openssl(directory: &std::path::Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn files_are_read_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    openssl(
        directory.path(),
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pkcs8.key -out ca.pem -days 2 -subj /CN=CA",
    );
    openssl(directory.path(), "ec -in pkcs8.key -out sec1.key");
    std::fs::create_dir(path("cas")).unwrap();
    std::fs::copy(path("ca.pem"), path("cas/one.pem")).unwrap();
    std::fs::write(path("cas/README"), "no certificate").unwrap();
    let given = |more: Value| {
        let mut all = json!({"url": ["https://a.example"], "auth": {"token": "t"}});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        understood(all, &[]).unwrap()
    };
    let pem = std::fs::read(path("ca.pem")).unwrap();
    for ca in ["ca.pem", "cas"] {
        let trust = given(json!({"ca_path": path(ca)}))
            .settings()
            .unwrap()
            .trust;
        assert!(
            matches!(&trust, web::Trust::Only(found) if found.starts_with(&pem)),
            "{ca}: {trust:?}"
        );
    }
    let text = String::from_utf8(pem).unwrap();
    assert!(given(json!({"ca_pem": text})).open().is_ok());
    assert_eq!(
        given(json!({"ca_pem": "nonsense"}))
            .open()
            .unwrap_err()
            .kind(),
        "vault.setting"
    );
    for key in ["pkcs8.key", "sec1.key"] {
        let identity = json!({"client_cert": path("ca.pem"), "client_key": path(key)});
        assert!(given(identity).open().is_ok(), "{key}");
    }
    for (option, file) in [("ca_path", "missing"), ("ca_path", "/dev/null")] {
        let file = match file.starts_with('/') {
            true => file.to_owned(),
            false => path(file),
        };
        assert!(given(json!({option: file})).open().is_err(), "{file}");
    }
    let wrong = json!({"client_cert": path("ca.pem"), "client_key": path("ca.pem")});
    let error = given(wrong).open().unwrap_err();
    assert_eq!(error.kind(), "vault.file", "{error}");
}

#[test]
fn nothing_secret_is_in_what_is_shown_of_it() {
    let given = json!({"url": ["https://a.example"], "auth": {"method": "approle", "role_id": "secret-role", "secret_id": "secret-id"}});
    let connection = understood(given, &[("VAULT_TOKEN", "secret-token")]).unwrap();
    let auth = connection.settings().unwrap().auth;
    assert!(matches!(
        &auth,
        Auth::AppRole {
            secret_id: SecretId::Plain(_),
            ..
        }
    ));
    assert!(!format!("{connection:?} {auth:?}").contains("secret-"));
    let environment =
        Environment::of(|name| (name == "BAO_TOKEN").then(|| "secret-token".to_owned()));
    assert_eq!(format!("{environment:?}"), "{\"BAO_TOKEN\"}");
}
