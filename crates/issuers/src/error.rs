// SPDX-License-Identifier: Apache-2.0
//! Why an issuer cannot do what it is asked.

use pki::Timestamp;

/// The failures of all issuers; each variant says which thing the operator must put right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operator should name the certificate of an authority.
    #[error(
        "the certificate '{subject}' is not a CA: {missing}; name the certificate of the authority"
    )]
    CaFlags {
        /// Subject of the certificate that was given.
        subject: String,
        /// What it lacks.
        missing: &'static str,
    },
    /// The operator should renew the authority first.
    #[error("the CA '{subject}' expired at {not_after}; renew the authority first")]
    CaExpired {
        /// Subject of the authority.
        subject: String,
        /// Its end.
        not_after: Timestamp,
    },
    /// The operator should name the key that belongs to the certificate.
    #[error(
        "the private key does not belong to the CA '{subject}'; name the key of this certificate"
    )]
    CaKeyMismatch {
        /// Subject of the authority.
        subject: String,
    },
    /// The operator should correct the clock, or wait.
    #[error(
        "the CA '{subject}' is not valid before {not_before} and the clock says {now}; correct the clock"
    )]
    CaNotYetValid {
        /// Subject of the authority.
        subject: String,
        /// Its begin.
        not_before: Timestamp,
        /// What this host takes for the present.
        now: Timestamp,
    },
    /// The operator should complete or correct the certificates above the authority.
    #[error(
        "the certificates above the CA '{subject}' do not lead to the given root '{root}'; put every intermediate into 'chain'"
    )]
    ChainIncomplete {
        /// Subject of the authority.
        subject: String,
        /// Subject of the root that was given.
        root: String,
    },
    /// The operator should name the revocation list of this authority.
    #[error(
        "the revocation list is of '{issuer}' and not signed by the CA '{subject}'; name the list of this authority"
    )]
    CrlForeign {
        /// Subject of the authority.
        subject: String,
        /// Issuer that the list names.
        issuer: String,
    },
    /// A mistake of this program: such an issuer takes no requests.
    #[error("certmonger makes keys and requests itself and signs none of ours")]
    KeepsItsKeys,
    /// A mistake of this program: it asks before it takes.
    #[error("nothing was ordered from the ACME server for this request")]
    NotOrdered,
    /// A mistake of this program: it asks before it takes.
    #[error("nothing was signed by the server for this request")]
    NotSigned,
    /// The operator should look at the file or option that `what` names.
    #[error("cannot read {what}")]
    Material {
        /// The option, with its path on the host when there is one.
        what: String,
        /// What is wrong with it.
        #[source]
        source: Box<pki::Error>,
    },
    /// The operator should look at the file or option that `what` names.
    #[error("cannot read {what}")]
    Bundle {
        /// The option, with its path on the host when there is one.
        what: String,
        /// What is wrong with it.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// The operator should look at the file that `what` names.
    #[error("cannot read {what}")]
    Crl {
        /// The option, with its path on the host.
        what: String,
        /// What is wrong with it.
        #[source]
        source: Box<pki::crl::Error>,
    },
    /// The operator should look at the file that `what` names.
    #[error("cannot read {what}: {why}")]
    Source {
        /// The option, with its path on the host.
        what: String,
        /// What the system says.
        why: String,
    },
    /// The authority refuses what is asked of it.
    #[error("the issuer '{issuer}' cannot issue the certificate")]
    Issue {
        /// Name of the issuer, as in the option.
        issuer: &'static str,
        /// Why.
        #[source]
        source: Box<pki::Error>,
    },
    /// The failure of an authority that several certificates share.
    #[error(transparent)]
    Shared(std::sync::Arc<Self>),
    /// The set that was provided does not hold together.
    #[error("the provided certificate cannot be installed")]
    Provided {
        /// Why.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// The operator should have the current request signed.
    #[error(
        "the signed certificate '{subject}' is not for the key of the pending request; have the current request signed"
    )]
    SignedForOtherKey {
        /// Subject of the certificate that was given.
        subject: String,
    },
    /// The key that was provided is not the key of the certificate that was provided.
    #[error(
        "the provided private key does not belong to the provided certificate '{subject}'; provide the pair"
    )]
    ProvidedKeyMismatch {
        /// Subject of the certificate that was given.
        subject: String,
    },
}

impl Error {
    /// A stable word for playbooks.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CaFlags { .. } => "issuer.not_a_ca",
            Self::CaExpired { .. } => "issuer.expired",
            Self::CaKeyMismatch { .. } => "issuer.key_mismatch",
            Self::CaNotYetValid { .. } => "issuer.not_yet_valid",
            Self::ChainIncomplete { .. } => "issuer.chain_incomplete",
            Self::Crl { .. } | Self::CrlForeign { .. } => "issuer.crl",
            Self::Bundle { .. } | Self::Material { .. } | Self::Source { .. } => {
                "issuer.unreadable"
            }
            Self::Issue { .. } | Self::KeepsItsKeys | Self::NotOrdered | Self::NotSigned => {
                "issuer.refused"
            }
            Self::Provided { source } => chain_kind(source),
            Self::Shared(error) => error.kind(),
            Self::SignedForOtherKey { .. } => "external.other_key",
            Self::ProvidedKeyMismatch { .. } => "provided.key_mismatch",
        }
    }
}

/// The stable word for a set of certificates that `pki::chain` refuses.
#[must_use]
pub fn chain_kind(error: &pki::chain::Error) -> &'static str {
    use pki::chain::Error as Chain;
    match error {
        Chain::Expired { .. } => "chain.expired",
        Chain::IssuerMissing { .. } => "chain.incomplete",
        Chain::MissingNames { .. } => "chain.names",
        Chain::NoMatchingKey { .. } => "chain.other_key",
        Chain::NotYetValid { .. } => "chain.not_yet_valid",
        Chain::Block { .. } | Chain::NoCertificates { .. } => "chain.unreadable",
        Chain::UntrustedRoot { .. } | Chain::NoRoots { .. } => "chain.untrusted",
        _ => "chain.invalid",
    }
}
