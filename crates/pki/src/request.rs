// SPDX-License-Identifier: Apache-2.0
//! Certificate signing requests (PKCS#10, RFC 2986).

use openssl::x509::X509Req;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::prelude::FromDer;

use crate::extensions::{self, Extensions};
use crate::{
    Error, ExtendedKeyUsage, KeyUsage, Oid, PrivateKey, PublicKey, Result, Subject,
    SubjectAltNames, der, pem,
};

/// What a request is called in messages.
const WHAT: &str = "certificate request";

/// extensionRequest (RFC 2985 §5.4.2).
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

/// What a certificate shall say about its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTemplate {
    /// The subject; may be empty if there are names.
    pub subject: Subject,
    /// subjectAltName.
    pub names: SubjectAltNames,
    /// keyUsage; empty: no such extension.
    pub key_usage: Vec<KeyUsage>,
    /// extendedKeyUsage; empty: no such extension.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// TLS feature status_request (RFC 7633): clients insist on a stapled OCSP answer.
    pub must_staple: bool,
    /// basicConstraints; `None`: no such extension.
    pub basic_constraints: Option<BasicConstraints>,
}

/// basicConstraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BasicConstraints {
    /// Whether the subject is an authority.
    pub ca: bool,
    /// How many authorities may follow below; `None`: any number. Only with `ca`.
    pub path_length: Option<u8>,
}

/// A certificate signing request: its DER and what it asks for.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    der: Vec<u8>,
    template: RequestTemplate,
    public_key: PublicKey,
    ignored: Vec<Oid>,
    unrecognized_names: Vec<String>,
}

impl PartialEq for CertificateRequest {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for CertificateRequest {}

impl CertificateRequest {
    /// Makes a request and signs it with its own key.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a template that RFC 5280 forbids, [`Error::Crypto`].
    pub fn create(template: &RequestTemplate, key: &PrivateKey) -> Result<Self> {
        let extensions = extensions::of_request(template)?;
        let mut attributes = Vec::new();
        if !extensions.is_empty() {
            let values = der::set_of(vec![der::sequence(&extensions)]);
            attributes = der::sequence(&[
                der::object_identifier(&Oid::known(EXTENSION_REQUEST)),
                values,
            ]);
        }
        let info = der::sequence(&[
            der::unsigned(0),
            template.subject.to_der(),
            key.public_key()?.spki_der().to_vec(),
            der::context_constructed(0, &attributes),
        ]);
        Self::from_der(&key.sign_structure(info)?)
    }

    /// Reads the one request in a PEM text.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongBlock`], [`Error::Several`], [`Error::Truncated`], [`Error::Malformed`].
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        let block = pem::single(
            text,
            WHAT,
            &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"],
        )?;
        Self::from_der(&block.der)
    }

    /// Reads a request in DER. Does not check its signature.
    pub fn from_der(request: &[u8]) -> Result<Self> {
        der::check_complete(request, WHAT)?;
        let (_, parsed) = X509CertificationRequest::from_der(request)
            .map_err(|_| Error::malformed(WHAT, "its structure is damaged"))?;
        let info = &parsed.certification_request_info;
        let requested =
            info.iter_attributes()
                .filter_map(|attribute| match attribute.parsed_attribute() {
                    ParsedCriAttribute::ExtensionRequest(request) => Some(&request.extensions),
                    _ => None,
                });
        let extensions = Extensions::read(requested.flatten(), WHAT)?;
        Ok(Self {
            der: request.to_vec(),
            public_key: PublicKey::from_spki_der(info.subject_pki.raw)?,
            ignored: extensions.beyond_template(),
            unrecognized_names: extensions.unrecognized_names,
            template: RequestTemplate {
                subject: Subject::from_x509(&info.subject)?,
                names: extensions.names,
                key_usage: extensions.key_usage,
                extended_key_usage: extensions.extended_key_usage,
                must_staple: extensions.must_staple,
                basic_constraints: extensions.basic_constraints,
            },
        })
    }

    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// `CERTIFICATE REQUEST` in PEM, with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", &self.der)
    }

    /// What it asks for.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it asks for a name that this crate cannot issue: leaving it out silently would give
    /// a certificate that its owner did not ask for.
    pub fn template(&self) -> Result<RequestTemplate> {
        if self.unrecognized_names.is_empty() {
            return Ok(self.template.clone());
        }
        let names = self.unrecognized_names.join(", ");
        Err(Error::malformed(
            WHAT,
            format!("it asks for names that are invalid or not supported: {names}"),
        ))
    }

    /// Requested extensions that the template cannot hold: an authority does not follow them and should say so.
    pub fn ignored_extensions(&self) -> &[Oid] {
        &self.ignored
    }

    /// The key that it is for.
    pub fn public_key(&self) -> PublicKey {
        self.public_key.clone()
    }

    /// Whether the one who asks holds the private key.
    ///
    /// # Errors
    /// [`Error::SignatureInvalid`].
    pub fn verify_signature(&self) -> Result<()> {
        let key = self.public_key.pkey()?;
        let valid = X509Req::from_der(&self.der).and_then(|request| request.verify(&key));
        match valid {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::SignatureInvalid {
                what: format!("the request for '{}'", self.template.subject),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
