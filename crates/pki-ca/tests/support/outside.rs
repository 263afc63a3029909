// SPDX-License-Identifier: Apache-2.0
//! An authority outside of the server, run by the openssl command line.

use serde_json::{Value, json};

use super::bao::Bao;
use super::{openssl, sh};

/// Profiles of the authority outside.
pub(crate) const CONFIG: &str = "
[req]
distinguished_name = dn
[dn]
[good]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[no_ca]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
[no_sign]
basicConstraints = critical,CA:TRUE
keyUsage = critical,cRLSign
subjectKeyIdentifier = hash
[no_crl]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[clients]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
[wrong_aki]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = DER:30:16:80:14:00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13
[disjoint]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
nameConstraints = critical,permitted;DNS:example.net
[critical]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
1.2.3.4 = critical,DER:0500
[policy]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[root_no_room]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[root_constrained]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical,permitted;DNS:example.org
[ca]
default_ca = d
[d]
database = ca/index.txt
serial = ca/serial
new_certs_dir = ca
default_md = sha256
policy = p
unique_subject = no
[p]
commonName = supplied
";

pub(crate) const DAYS: &[&str] = &["-days", "500"];

/// A key with its request in the server, and authorities outside of it.
pub(crate) struct Outside {
    pub(crate) bao: Bao,
}

impl Outside {
    /// The request lies in `int.csr`; `root.pem` signs a policy authority, `policy.pem`.
    pub(crate) fn new() -> Self {
        let outside = Self { bao: Bao::new() };
        let sandbox = &outside.bao.sandbox;
        sandbox.write("ca.cnf", CONFIG);
        sandbox.write("ca/index.txt", "");
        sandbox.write("ca/serial", "01\n");
        for (name, profile) in [
            ("root", "root"),
            ("policy", "root"),
            ("narrow", "root_no_room"),
            ("constrained", "root_constrained"),
        ] {
            outside.authority(name, profile);
        }
        let done = outside.bao.run(outside.csr());
        assert!(done.changed() && !done.failed(), "{}", done.report());
        outside
    }

    pub(crate) fn csr(&self) -> Value {
        json!({"authorities": [{"name": "int-1", "type": "intermediate", "state": "csr",
            "common_name": "Outside Signed", "subject": {"organization": "Example"},
            "csr_path": self.bao.sandbox.join("int.csr")}]})
    }

    pub(crate) fn signed(&self, pem: &str) -> Value {
        json!({"authorities": [{"name": "int-1", "type": "intermediate", "state": "signed", "signed": pem}]})
    }

    pub(crate) fn rules(&self, pem: &str, rules: Value) -> Value {
        let mut wish = self.signed(pem);
        wish["authorities"][0]["validate"] = rules;
        wish
    }

    pub(crate) fn authority(&self, name: &str, profile: &str) {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        sh(
            self.bao.sandbox.path(),
            &format!(
                "openssl req -x509 {key} -keyout {name}.key -out {name}.pem -subj '/CN=Outside {name}' -days 900 \
                 -config ca.cnf -extensions {profile} 2>/dev/null"
            ),
        );
    }

    /// What the authority outside makes of `request`, alone.
    pub(crate) fn leaf(&self, request: &str, signer: &str, profile: &str, more: &[&str]) -> String {
        let (ca, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let mut arguments = vec!["x509", "-req", "-in", request, "-CAcreateserial"];
        arguments.extend(["-extfile", "ca.cnf", "-extensions", profile]);
        arguments.extend(["-CA", &ca, "-CAkey", &key]);
        arguments.extend(more);
        openssl(self.bao.sandbox.path(), &arguments)
    }

    /// The same with its signer behind it.
    pub(crate) fn upload(&self, request: &str, signer: &str, profile: &str) -> String {
        self.leaf(request, signer, profile, DAYS) + &self.pem(signer)
    }

    /// The certificate of an authority outside.
    pub(crate) fn pem(&self, name: &str) -> String {
        String::from_utf8(self.bao.sandbox.read(format!("{name}.pem"))).unwrap()
    }

    /// `int.csr` signed for a time that is over, or to come.
    pub(crate) fn dated(&self, start: &str, end: &str) -> String {
        let mut arguments = vec!["ca", "-batch", "-notext", "-config", "ca.cnf"];
        arguments.extend(["-extensions", "good", "-in", "int.csr", "-cert", "root.pem"]);
        arguments.extend(["-keyfile", "root.key", "-startdate", start, "-enddate", end]);
        openssl(self.bao.sandbox.path(), &arguments) + &self.pem("root")
    }
}
