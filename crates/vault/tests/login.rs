// SPDX-License-Identifier: Apache-2.0
//! Each way to log in, at a real server.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::{kind, made_token, open, settings, shared, token};
use testbed::Sandbox;
use testbed::servers::{BaoServer, Certificate, JwtSigner, ServiceStandIn};
use vault::{Auth, Held, Secret, SecretId, Vault};

/// A name for each mount, since tests share the server.
fn name(of: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{of}-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A way to log in at a mount of its own, and a policy that may read one path.
fn mounted(server: &BaoServer, kind: &str) -> String {
    let mount = name(kind);
    server.api(&format!("sys/auth/{mount}"), &json!({"type": kind}));
    let policy = r#"path "secret/data/allowed" { capabilities = ["read", "create", "update"] }"#;
    server.api("sys/policies/acl/reader", &json!({"policy": policy}));
    mount
}

/// That the connection may do what its policy says and no more, and that its token is gone after it.
fn works_and_is_revoked(server: &BaoServer, vault: Vault) {
    let data = json!({"data": {"a": 1}});
    vault
        .write("secret/data/allowed", &data, vault::Repeat::Safe)
        .unwrap();
    assert_eq!(kind(vault.read("sys/mounts")), "vault.permission_denied");
    let own = vault.read("auth/token/lookup-self").unwrap().unwrap();
    let accessor = own.text("accessor").unwrap().to_owned();
    let lookup = json!({"accessor": accessor});
    assert_eq!(
        server.ask("POST", "auth/token/lookup-accessor", &lookup).0,
        200
    );
    assert_eq!(vault.close(), Vec::<String>::new());
    let (status, said) = server.ask("POST", "auth/token/lookup-accessor", &lookup);
    // The one or the other, by how far its removal is.
    assert!(matches!(status, 400 | 403), "{status} {said}");
}

struct Role {
    mount: String,
    role_id: String,
    path: String,
}

fn approle(server: &BaoServer, fields: &Value) -> Role {
    let mount = mounted(server, "approle");
    let path = format!("auth/{mount}/role/host");
    server.api(&path, fields);
    let id = server
        .ask("GET", &format!("{path}/role-id"), &Value::Null)
        .1;
    let role_id = id["data"]["role_id"].as_str().unwrap().to_owned();
    Role {
        mount,
        role_id,
        path,
    }
}

impl Role {
    fn auth(&self, secret_id: SecretId) -> Auth {
        Auth::AppRole {
            mount: self.mount.clone(),
            role_id: Held::Given(Secret::new(self.role_id.clone())),
            secret_id,
        }
    }

    fn secret_id(&self, server: &BaoServer) -> String {
        let made = server.api(&format!("{}/secret-id", self.path), &json!({}));
        made["data"]["secret_id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_token_may_be_in_a_file_and_is_never_revoked() {
    let (server, sandbox) = (shared(), Sandbox::new());
    let text = made_token(&server, &json!({"policies": ["default"]}));
    let file = sandbox.write("token", format!("{text}\n"));
    let vault = open(&server, Auth::Token(Held::File(file)));
    assert!(vault.read("auth/token/lookup-self").unwrap().is_some());
    drop(vault);
    assert_eq!(
        server
            .ask_as(&text, "GET", "auth/token/lookup-self", &Value::Null)
            .0,
        200
    );
    let missing = open(&server, Auth::Token(Held::File(sandbox.join("missing"))));
    assert_eq!(kind(missing.read("sys/mounts")), "vault.file");
}

#[test]
fn an_approle_logs_in_with_a_secret_or_without() {
    let server = shared();
    let role = approle(&server, &json!({"token_policies": ["reader"]}));
    let secret = role.secret_id(&server);
    let given = SecretId::Plain(Held::Given(Secret::new(secret)));
    works_and_is_revoked(&server, open(&server, role.auth(given)));
    let refused = open(
        &server,
        role.auth(SecretId::Plain(Held::Given(Secret::new("wrong-secret")))),
    );
    let error = refused.read("secret/data/allowed").unwrap_err();
    assert_eq!(error.kind(), "vault.login_refused");
    assert!(
        error.to_string().ends_with("invalid role or secret ID"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("wrong-secret"));
    let free = json!({"token_policies": ["reader"], "bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32"});
    let role = approle(&server, &free);
    works_and_is_revoked(&server, open(&server, role.auth(SecretId::None)));
}

#[test]
fn a_wrapped_secret_is_unwrapped_once_and_only_if_the_role_made_it() {
    let server = shared();
    let role = approle(&server, &json!({"token_policies": ["reader"]}));
    let root = open(&server, token(server.token()));
    let path = format!("{}/secret-id", role.path);
    let wrapped = root.write_wrapped(&path, &json!({}), 60).unwrap();
    assert_eq!(wrapped.creation_path, path);
    let auth = |of: Option<&str>, token: &Secret| {
        role.auth(SecretId::Wrapped {
            token: Held::Given(token.clone()),
            role: of.map(str::to_owned),
        })
    };
    // Not the role that it is for: it stays whole.
    let foreign = open(&server, auth(Some("other"), &wrapped.token));
    assert_eq!(
        kind(foreign.read("secret/data/allowed")),
        "vault.wrapped_secret_foreign"
    );
    works_and_is_revoked(&server, open(&server, auth(Some("host"), &wrapped.token)));
    let second = open(&server, auth(None, &wrapped.token));
    let error = second.read("secret/data/allowed").unwrap_err();
    assert_eq!(error.kind(), "vault.wrapped_secret_used");
    assert!(
        error.to_string().contains("somebody else has the secret"),
        "{error}"
    );
    assert!(!error.to_string().contains(wrapped.token.expose()));
    // Something else that was wrapped, in the place of the secret.
    let other = root
        .write_wrapped("sys/wrapping/wrap", &json!({"secret_id": "evil"}), 60)
        .unwrap();
    let error = open(&server, auth(None, &other.token))
        .read("secret/data/allowed")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.wrapped_secret_foreign");
    assert!(error.to_string().contains("sys/wrapping/wrap"), "{error}");
}

#[test]
fn a_client_certificate_logs_in_where_tls_is() {
    let (server, sandbox) = (shared(), Sandbox::new());
    let mount = mounted(&server, "cert");
    let certificate = Certificate::make(sandbox.path());
    let pem = String::from_utf8(certificate.pem.clone()).unwrap();
    let entry = json!({"certificate": pem, "token_policies": ["reader"]});
    server.api(&format!("auth/{mount}/certs/host"), &entry);
    let auth = |role: Option<&str>| Auth::Certificate {
        mount: mount.clone(),
        role: role.map(str::to_owned),
    };
    let identity = |certificate: &Certificate| web::Identity {
        chain: certificate.pem.clone(),
        private_key: certificate.key.clone(),
    };
    for role in [None, Some("host")] {
        let mut with = settings(&server, auth(role));
        with.identity = Some(identity(&certificate));
        works_and_is_revoked(&server, Vault::open(with).unwrap());
    }
    let without = open(&server, auth(None))
        .read("secret/data/allowed")
        .unwrap_err();
    assert_eq!(without.kind(), "vault.login_refused", "{without}");
    let stranger = Certificate::make(Sandbox::new().path());
    let mut with = settings(&server, auth(Some("host")));
    with.identity = Some(identity(&stranger));
    let error = Vault::open(with)
        .unwrap()
        .read("secret/data/allowed")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.login_refused", "{error}");
}

#[test]
fn a_token_of_an_identity_provider_logs_in() {
    let server = shared();
    let mount = mounted(&server, "jwt");
    let provider = JwtSigner::new();
    let config = json!({"jwt_validation_pubkeys": [provider.public_pem()]});
    server.api(&format!("auth/{mount}/config"), &config);
    let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["reader"]});
    server.api(&format!("auth/{mount}/role/host"), &role);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = |audience: &str| json!({"sub": "host1", "aud": audience, "iat": now - 60, "nbf": now - 60, "exp": now + 600});
    let auth = |jwt: String| Auth::Jwt {
        mount: mount.clone(),
        role: Some("host".to_owned()),
        jwt: Held::Given(Secret::new(jwt)),
    };
    works_and_is_revoked(
        &server,
        open(&server, auth(provider.token(&claims("vault")))),
    );
    let other = provider.token(&claims("somebody else"));
    let error = open(&server, auth(other.clone()))
        .read("secret/data/allowed")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.login_refused");
    assert!(!error.to_string().contains(&other), "{error}");
}

/// Kubernetes itself is not to be had; the server asks the stand-in whether the token is good, as it asks Kubernetes.
#[test]
fn a_service_account_logs_in_at_a_server_that_asks_a_stand_in_for_kubernetes() {
    let server = shared();
    let kubernetes = ServiceStandIn::start(|asked| {
        let token = asked.body["spec"]["token"].as_str().unwrap_or_default();
        let user = json!({"username": "system:serviceaccount:openstack:keystone", "uid": "1", "groups": []});
        let is_good = asked.path.ends_with("/tokenreviews") && token.split('.').count() == 3;
        (
            201,
            json!({"status": {"authenticated": is_good, "user": user}}),
        )
    });
    let mount = mounted(&server, "kubernetes");
    let issuer = JwtSigner::new();
    let reviewer = issuer.token(&json!({"sub": "reviewer"}));
    let config = json!({"kubernetes_host": kubernetes.url(), "token_reviewer_jwt": reviewer, "disable_local_ca_jwt": true, "kubernetes_ca_cert": String::from_utf8(server.ca_pem()).unwrap()});
    server.api(&format!("auth/{mount}/config"), &config);
    let role = json!({"bound_service_account_names": ["keystone"], "bound_service_account_namespaces": ["openstack"], "token_policies": ["reader"]});
    server.api(&format!("auth/{mount}/role/host"), &role);
    let claims = |name: &str| {
        let account = json!({"name": name, "uid": "1"});
        json!({"sub": format!("system:serviceaccount:openstack:{name}"), "kubernetes.io": {"namespace": "openstack", "serviceaccount": account}})
    };
    let auth = |role: &str, jwt: String| Auth::Kubernetes {
        mount: mount.clone(),
        role: role.to_owned(),
        jwt: Held::Given(Secret::new(jwt)),
    };
    let good = issuer.token(&claims("keystone"));
    works_and_is_revoked(&server, open(&server, auth("host", good.clone())));
    assert!(
        kubernetes
            .asked()
            .iter()
            .any(|asked| asked.path.ends_with("/tokenreviews"))
    );
    let error = open(&server, auth("unknown", good))
        .read("secret/data/allowed")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.login_refused", "{error}");
}

#[test]
fn a_name_and_a_password_log_in() {
    let server = shared();
    let mount = mounted(&server, "userpass");
    let user = json!({"password": "pass-word", "token_policies": ["reader"]});
    server.api(&format!("auth/{mount}/users/ada"), &user);
    let auth = |password: &str| Auth::Userpass {
        mount: mount.clone(),
        username: "ada".to_owned(),
        password: Held::Given(Secret::new(password)),
    };
    works_and_is_revoked(&server, open(&server, auth("pass-word")));
    assert_eq!(
        kind(open(&server, auth("wrong")).read("secret/data/allowed")),
        "vault.login_refused"
    );
}

#[test]
fn a_way_that_is_not_mounted_refuses_the_login() {
    let server = shared();
    let auth = Auth::AppRole {
        mount: "nowhere".to_owned(),
        role_id: Held::Given(Secret::new("some-role")),
        secret_id: SecretId::None,
    };
    let error = open(&server, auth).read("secret/data/allowed").unwrap_err();
    assert_eq!(error.kind(), "vault.login_refused");
    assert!(error.to_string().contains("mounted"), "{error}");
}

#[test]
fn batch_tokens_are_not_revoked_and_tokens_of_others_neither() {
    let server = shared();
    let fields = json!({"token_policies": ["reader"], "token_type": "batch", "token_ttl": "60s", "bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32"});
    let role = approle(&server, &fields);
    let vault = open(&server, role.auth(SecretId::None));
    let own = vault.read("auth/token/lookup-self").unwrap().unwrap();
    assert_eq!(own.text("type").unwrap(), "batch");
    assert_eq!(vault.close(), Vec::<String>::new());
    let fields = json!({"token_policies": ["reader"], "bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32"});
    let role = approle(&server, &fields);
    let mut kept = settings(&server, role.auth(SecretId::None));
    kept.revoke_after = false;
    let vault = Vault::open(kept).unwrap();
    let own = vault.read("auth/token/lookup-self").unwrap().unwrap();
    let lookup = json!({"accessor": own.text("accessor").unwrap()});
    drop(vault);
    assert_eq!(
        server.ask("POST", "auth/token/lookup-accessor", &lookup).0,
        200
    );
}

#[test]
fn a_token_that_ends_in_the_middle_of_the_work_is_got_again() {
    let server = shared();
    let fields = json!({"token_policies": ["reader"], "token_type": "batch", "token_ttl": "4s", "token_max_ttl": "4s", "bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32"});
    let role = approle(&server, &fields);
    let vault = open(&server, role.auth(SecretId::None));
    let before = vault.read("auth/token/lookup-self").unwrap().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    let after = vault.read("auth/token/lookup-self").unwrap().unwrap();
    assert_ne!(before.text("id").unwrap(), after.text("id").unwrap());
}

#[test]
fn threads_share_one_token() {
    let server = shared();
    let fields = json!({"token_policies": ["reader"], "bind_secret_id": false, "token_bound_cidrs": "127.0.0.1/32"});
    let role = approle(&server, &fields);
    let vault = open(&server, role.auth(SecretId::None));
    let id = || {
        let own = vault.read("auth/token/lookup-self").unwrap().unwrap();
        own.text("accessor").unwrap().to_owned()
    };
    let ids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(id)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
