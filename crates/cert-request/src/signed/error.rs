// SPDX-License-Identifier: Apache-2.0
//! Why a server did not sign what was wished.

/// Why there is no certificate of a server that may be installed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The server, or the way to it.
    #[error(transparent)]
    Server(#[from] vault::Error),
    /// The role lets other names through than those that were asked for; it, or the wish, must be changed.
    #[error("{who} gives other names than were asked for: {difference}; nothing was installed")]
    Names {
        /// The role.
        who: String,
        /// What is missing and what is too much.
        difference: String,
    },
    /// The role gives other usages than were asked for; it, or the wish, must be changed.
    #[error(
        "{who} gives a certificate that cannot be used as was asked for: {difference}; nothing was installed"
    )]
    Usages {
        /// The role.
        who: String,
        /// What is missing.
        difference: String,
    },
    /// The role names an issuer of its own, so each run would find the wrong one in service.
    #[error(
        "{who} signs with '{given}', but the issuer that was asked for is '{wished}'; nothing was installed"
    )]
    OtherIssuer {
        /// The role.
        who: String,
        /// Who signed.
        given: String,
        /// Who should have.
        wished: String,
    },
    /// A certificate of the answer cannot be read.
    #[error("{url} gives no certificate")]
    Unreadable {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// The token may do everything but this.
    #[error("the token may not write '{path}'; give it a policy with 'update' there")]
    NotAllowed {
        /// What would be asked.
        path: String,
    },
}

impl SignError {
    /// The stable word for playbooks.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Server(error) => error.kind(),
            Self::Names { .. } => "vault.names",
            Self::Usages { .. } => "vault.usages",
            Self::OtherIssuer { .. } => "vault.other_issuer",
            Self::Unreadable { .. } => "vault.answer",
            Self::NotAllowed { .. } => "vault.permission_denied",
        }
    }

    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Names { .. } => {
                "let the role take names from the request (use_csr_sans, or allowed_domains, allowed_uri_sans and the like for those in the call), or ask for others"
            }
            Self::Usages { .. } => {
                "set server_flag, client_flag, key_usage and ext_key_usage of the role, or ask for less"
            }
            Self::OtherIssuer { .. } => {
                "name the role's issuer_ref in 'issuer', or leave 'issuer' out of 'renew.on'"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether nobody else needs to try now.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Server(error) if error.is_outage())
    }
}
