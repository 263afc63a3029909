// SPDX-License-Identifier: Apache-2.0
//! The states of a request, and what each means for one who waits.
//!
//! certmonger has some ninety; their names are its interface. What is not known here is taken for on its way, and the
//! time limit of the one who waits ends it.

use std::fmt;

/// What a state means for one who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// At rest with a certificate. Also after a refused renewal: then certmonger keeps an error beside it.
    Monitoring,
    /// certmonger works on it.
    Transient,
    /// Its commands run, or files are written: the certificate is there.
    Saving,
    /// The authority has the request and will be asked again.
    CaWorking,
    /// The authority could not be asked.
    CaUnreachable,
    /// The authority said no.
    CaRejected,
    /// Somebody must do something, or nothing will happen.
    Stuck,
}

/// The state of a request, as certmonger names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State(String);

/// Nothing happens in these until somebody acts.
const STUCK: &[&str] = &[
    "CA_UNCONFIGURED",
    "INVALID",
    "NEED_CA",
    "NEED_CA_CERT_SAVE_PERMS",
    "NEED_CERTSAVE_PERMS",
    "NEED_CERTSAVE_PIN",
    "NEED_CERTSAVE_TOKEN",
    "NEED_CSR_GEN_PIN",
    "NEED_CSR_GEN_TOKEN",
    "NEED_GUIDANCE",
    "NEED_KEYINFO_READ_PIN",
    "NEED_KEYINFO_READ_TOKEN",
    "NEED_KEY_GEN_PERMS",
    "NEED_KEY_GEN_PIN",
    "NEED_KEY_GEN_TOKEN",
    "NEED_ONLY_CA_CERT_SAVE_PERMS",
    "NEED_SCEP_ENCRYPTION_CERT",
    "NEED_SCEP_GEN_PIN",
    "NEED_SCEP_GEN_TOKEN",
    "NEED_SCEP_RSA_CLIENT_KEY",
    "NEWLY_ADDED_NEED_KEYI_READ_PIN",
    "NEWLY_ADDED_NEED_KEYINFO_READ_PIN",
    "NEWLY_ADDED_NEED_KEYINFO_READ_TOKEN",
];

/// The new certificate is known in these, and on its way to the disk or through the commands.
const SAVING: &[&str] = &[
    "NEED_TO_SAVE_CA_CERTS",
    "NEED_TO_SAVE_CERT",
    "NEED_TO_SAVE_ONLY_CA_CERTS",
    "POST_SAVED_CERT",
    "PRE_SAVE_CERT",
    "SAVED_CERT",
    "SAVING_CA_CERTS",
    "SAVING_CERT",
    "SAVING_ONLY_CA_CERTS",
    "START_SAVING_CA_CERTS",
    "START_SAVING_CERT",
    "START_SAVING_ONLY_CA_CERTS",
];

/// On the way to the authority, or there: what comes of it is a new certificate or a refusal.
const ASKING: &[&str] = &[
    "CA_WORKING",
    "GENERATING_CSR",
    "GENERATING_KEY_PAIR",
    "GENERATING_SCEP_DATA",
    "HAVE_CSR",
    "HAVE_KEYINFO",
    "HAVE_KEY_PAIR",
    "HAVE_SCEP_DATA",
    "NEED_CSR",
    "NEED_KEYINFO",
    "NEED_KEY_PAIR",
    "NEED_SCEP_DATA",
    "NEED_TO_SUBMIT",
    "READING_KEYINFO",
    "SUBMITTING",
];

impl State {
    /// From certmonger's word.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self(word.to_owned())
    }

    /// certmonger's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means for one who waits.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.0.as_str() {
            "MONITORING" => Class::Monitoring,
            "CA_WORKING" => Class::CaWorking,
            "CA_UNREACHABLE" => Class::CaUnreachable,
            "CA_REJECTED" => Class::CaRejected,
            word if STUCK.contains(&word) => Class::Stuck,
            word if SAVING.contains(&word) => Class::Saving,
            _ => Class::Transient,
        }
    }

    /// Whether the authority is being asked, or will be as soon as key and request are made.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        ASKING.contains(&self.0.as_str())
    }

    /// What an operator should do about a state in which nothing happens.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        let word = self.0.as_str();
        if word.ends_with("_PIN") {
            "the key is encrypted or damaged: give 'key_pin_file', or remove the key"
        } else if word.ends_with("_TOKEN") {
            "the token that holds the key is missing"
        } else if word.ends_with("_PERMS") {
            "certmonger may not write there: look at the directory's mode and SELinux type"
        } else {
            match word {
                "CA_UNCONFIGURED" => {
                    "the CA lacks settings: for IPA, enrol the host first; see 'getcert list-cas'"
                }
                "NEED_CA" => "the CA that it names is gone: give 'ca'",
                _ => "see 'getcert list' and the journal of certmonger",
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, State};

    #[test]
    fn what_leads_to_the_authority_is_told_from_what_looks_at_files() {
        for word in ["NEED_CSR", "SUBMITTING", "CA_WORKING"] {
            assert!(State::new(word).is_asking(), "{word}");
        }
        for word in [
            "MONITORING",
            "NEWLY_ADDED_READING_CERT",
            "SAVING_CERT",
            "NEED_TO_NOTIFY_ISSUED_SAVED",
        ] {
            assert!(!State::new(word).is_asking(), "{word}");
        }
    }

    #[test]
    fn each_state_of_the_daemon_has_its_class() {
        let cases = [
            ("MONITORING", Class::Monitoring),
            ("NEWLY_ADDED_READING_CERT", Class::Transient),
            ("NEED_KEY_PAIR", Class::Transient),
            ("GENERATING_KEY_PAIR", Class::Transient),
            ("NEED_CSR", Class::Transient),
            ("SUBMITTING", Class::Transient),
            ("NEED_TO_NOTIFY_ISSUED_SAVED", Class::Transient),
            ("READING_CERT", Class::Transient),
            ("POST_SAVED_CERT", Class::Saving),
            ("SAVING_CERT", Class::Saving),
            ("CA_WORKING", Class::CaWorking),
            ("CA_UNREACHABLE", Class::CaUnreachable),
            ("CA_REJECTED", Class::CaRejected),
            ("CA_UNCONFIGURED", Class::Stuck),
            ("NEED_CERTSAVE_PERMS", Class::Stuck),
            ("NEWLY_ADDED_NEED_KEYINFO_READ_PIN", Class::Stuck),
            ("NEED_SCEP_RSA_CLIENT_KEY", Class::Stuck),
            ("A_STATE_OF_THE_FUTURE", Class::Transient),
        ];
        for (word, class) in cases {
            assert_eq!(State::new(word).class(), class, "{word}");
        }
    }
}
