// SPDX-License-Identifier: Apache-2.0
//! A tree as OpenStack-Ansible's PKI role leaves it is adopted: read, used, not touched.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Tree, sh};
use testbed::witness;

/// As the upstream role makes them: RSA-4096 in PKCS#1, non-critical key usage, the common name as SAN, a
/// serial that numbers files, relative links, an intermediate's chain of itself and its parent.
const UPSTREAM: &str = r#"
umask 022
mkdir -p tree/roots tree/certs/csr tree/certs/certs tree/certs/private
ca() { # name, common name, constraints, then how it is signed
  name=$1 cn=$2 constraints=$3; shift 3
  d=tree/roots/$name
  mkdir -p $d/csr $d/private $d/certs; chmod 0700 $d/csr $d/private
  printf 1000 > $d/serial
  openssl genrsa -traditional 4096 > $d/private/$name.key.pem 2>/dev/null; chmod 0600 $d/private/$name.key.pem
  openssl req -new -key $d/private/$name.key.pem -subj "/C=GB/ST=England/CN=$cn" -out $d/csr/ca_csr-1000.csr
  printf 'basicConstraints=critical,%s\nkeyUsage=digitalSignature,cRLSign,keyCertSign\nsubjectAltName=DNS:%s\nsubjectKeyIdentifier=hash\n' "$constraints" "$cn" > ext
  "$@" "$d"
  echo "issuer: upstream writes this" > $d/certs/$name-1000.crt.info
  ln -s $name-1000.crt $d/certs/$name.crt
}
selfsigned() { openssl x509 -req -in $1/csr/ca_csr-1000.csr -signkey $1/private/$name.key.pem -days 3650 -extfile ext -out $1/certs/$name-1000.crt 2>/dev/null
  ln -s $name.crt $1/certs/$name-chain.crt; }
ownca() { echo 'authorityKeyIdentifier=keyid' >> ext; r=tree/roots/ExampleCorpRoot
  openssl x509 -req -in $1/csr/ca_csr-1000.csr -CA $r/certs/ExampleCorpRoot.crt -CAkey $r/private/ExampleCorpRoot.key.pem \
    -set_serial 0x5a17c0de5a17c0de -days 3650 -extfile ext -out $1/certs/$name-1000.crt 2>/dev/null
  cat $1/certs/$name-1000.crt $r/certs/ExampleCorpRoot.crt > $1/certs/$name-chain.crt; }
ca ExampleCorpRoot 'Example Corp Root CA' CA:TRUE selfsigned
ca ExampleCorpIntermediate 'Example Corp Intermediate CA' CA:TRUE,pathlen:0 ownca
i=tree/roots/ExampleCorpIntermediate
openssl ecparam -genkey -name prime256v1 -noout -out tree/certs/private/web.key.pem
openssl req -new -key tree/certs/private/web.key.pem -subj /CN=web.example.org -addext subjectAltName=DNS:web.example.org -out tree/certs/csr/web.csr
printf 'subjectAltName=DNS:web.example.org\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' > ext
openssl x509 -req -in tree/certs/csr/web.csr -CA $i/certs/ExampleCorpIntermediate.crt -CAkey $i/private/ExampleCorpIntermediate.key.pem \
  -set_serial 0x1234567890abcdef -days 3650 -extfile ext -out tree/certs/certs/web.crt 2>/dev/null
cat tree/certs/certs/web.crt $i/certs/ExampleCorpIntermediate.crt > tree/certs/certs/web-chain.crt
cp $i/certs/ExampleCorpIntermediate-chain.crt tree/certs/certs/web-ca_bundle.crt
"#;

fn authorities() -> Value {
    json!([
        {"name": "ExampleCorpRoot", "subject": {"C": "GB", "ST": "England"}, "common_name": "Example Corp Root CA",
         "key": {"algorithm": "rsa", "size": 4096}, "key_usage": ["digitalSignature", "cRLSign", "keyCertSign"]},
        {"name": "ExampleCorpIntermediate", "type": "intermediate", "parent": "ExampleCorpRoot",
         "subject": {"country": "GB", "state": "England"}, "common_name": "Example Corp Intermediate CA",
         "path_length": 0, "key": {"algorithm": "rsa", "size": 4096}}])
}

fn upstream() -> Tree {
    let tree = Tree::new();
    sh(tree.sandbox.path(), UPSTREAM);
    tree
}

#[test]
fn an_upstream_tree_is_adopted_without_touching_it() {
    let tree = upstream();
    let csr = tree.read("certs/csr/web.csr");
    let sign = json!([{"name": "web", "authority": "ExampleCorpIntermediate", "csr": csr, "profile": "request"}]);
    assert!(
        !tree
            .check(json!({"authorities": authorities(), "sign": sign}))
            .changed()
    );
    // `crl/` is ours and made when a list is; nothing else is missing.
    let adopted = tree.quiet(json!({"authorities": authorities(), "sign": sign}));
    let found = &adopted.value["authorities"];
    assert_eq!(
        found["ExampleCorpIntermediate"]["serial"],
        "5A17C0DE5A17C0DE"
    );
    assert_eq!(adopted.value["signed"][0]["serial"], "1234567890ABCDEF");
    assert_eq!(
        found["ExampleCorpRoot"]["paths"]["csr"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next(),
        Some("ca_csr-1000.csr")
    );
    assert!(
        !tree
            .check(json!({"authorities": [{"name": "ExampleCorpRoot"}]}))
            .changed()
    );
}

#[test]
fn an_adopted_tree_goes_on_as_upstream_would() {
    let tree = upstream();
    let root = tree.read("roots/ExampleCorpRoot/certs/ExampleCorpRoot-1000.crt");
    let done = tree.run(json!({"authorities": authorities(), "regenerate": "ExampleCorpRoot"}));
    assert_eq!(
        done.value["authorities"]["ExampleCorpRoot"]["action"],
        "reissued",
        "{}",
        done.report()
    );
    tree.quiet(json!({"authorities": authorities()}));
    assert_eq!(
        tree.read("roots/ExampleCorpRoot/certs/ExampleCorpRoot-1000.crt"),
        root
    );
    assert_eq!(tree.read("roots/ExampleCorpRoot/serial"), "1001");
    let leaf = tree.read("certs/certs/web.crt");
    let chain = tree.read("roots/ExampleCorpIntermediate/certs/ExampleCorpIntermediate.crt");
    for trusted in [&root, &tree.certificate("ExampleCorpRoot")] {
        witness::verify(trusted, &chain, &leaf, "web.example.org").unwrap();
    }
    let revoke = json!({"revoke": [{"authority": "ExampleCorpIntermediate", "certificate": leaf}]});
    tree.converge(revoke);
    witness::crl_verify(
        tree.path("roots/ExampleCorpIntermediate/crl/ExampleCorpIntermediate.crl"),
        tree.path("roots/ExampleCorpIntermediate/certs/ExampleCorpIntermediate.crt"),
    )
    .unwrap();
}

#[test]
fn an_adopted_authority_in_use_is_not_removed() {
    let tree = upstream();
    let absent = json!({"authorities": [{"name": "ExampleCorpIntermediate", "type": "intermediate", "state": "absent"}]});
    let refused = tree.refused(absent, "authority.in_use");
    assert!(refused.msg().contains("'web'"), "{}", refused.msg());
}
