// SPDX-License-Identifier: Apache-2.0
//! The fields of each object, as servers from Vault 1.8 to OpenBao 2.7 have them. A server that lacks a wished one is told
//! of before anything is written.

use super::field::{Field, Sort};

const fn field(name: &'static str, sort: Sort) -> Field {
    Field::new(name, sort)
}

/// What a mount can be tuned to.
pub const MOUNT: [Field; 7] = [
    field("description", Sort::Text),
    field("default_lease_ttl", Sort::Seconds),
    field("max_lease_ttl", Sort::Seconds),
    field("allowed_response_headers", Sort::Set),
    field("passthrough_request_headers", Sort::Set),
    field("audit_non_hmac_request_keys", Sort::Set),
    field("audit_non_hmac_response_keys", Sort::Set),
];

/// `config/urls`.
pub const URLS: [Field; 5] = [
    field("issuing_certificates", Sort::Urls),
    field("crl_distribution_points", Sort::Urls),
    field("delta_crl_distribution_points", Sort::Urls),
    field("ocsp_servers", Sort::Urls),
    field("enable_templating", Sort::Bool),
];

/// `config/cluster`.
pub const CLUSTER: [Field; 2] = [field("path", Sort::Url), field("aia_path", Sort::Url)];

/// `config/crl`.
pub const CRL: [Field; 9] = [
    field("expiry", Sort::SpanText),
    field("disable", Sort::Bool),
    field("ocsp_disable", Sort::Bool),
    field("ocsp_expiry", Sort::SpanText),
    field("auto_rebuild", Sort::Bool),
    field("auto_rebuild_grace_period", Sort::SpanText),
    field("enable_delta", Sort::Bool),
    field("delta_rebuild_interval", Sort::SpanText),
    field("allow_expired_cert_revocation", Sort::Bool),
];

/// What a tidy removes, and how long it lets it be; `config/auto-tidy` has more.
pub const TIDY: [Field; 13] = [
    field("tidy_cert_store", Sort::Bool),
    field("tidy_revoked_certs", Sort::Bool),
    field("tidy_revoked_cert_issuer_associations", Sort::Bool),
    field("tidy_invalid_certs", Sort::Bool),
    field("tidy_expired_issuers", Sort::Bool),
    field("tidy_move_legacy_ca_bundle", Sort::Bool),
    field("tidy_acme", Sort::Bool),
    field("safety_buffer", Sort::Seconds),
    field("revoked_safety_buffer", Sort::Seconds),
    field("issuer_safety_buffer", Sort::Seconds),
    field("acme_account_safety_buffer", Sort::Seconds),
    field("pause_duration", Sort::SpanText),
    field("page_size", Sort::Count),
];

/// `config/auto-tidy`.
pub const AUTO_TIDY: [Field; 17] = [
    field("enabled", Sort::Bool),
    field("interval_duration", Sort::Seconds),
    field("maintain_stored_certificate_counts", Sort::Bool),
    field("publish_stored_certificate_count_metrics", Sort::Bool),
    TIDY[0],
    TIDY[1],
    TIDY[2],
    TIDY[3],
    TIDY[4],
    TIDY[5],
    TIDY[6],
    TIDY[7],
    TIDY[8],
    TIDY[9],
    TIDY[10],
    TIDY[11],
    TIDY[12],
];

/// `config/acme`.
pub const ACME: [Field; 7] = [
    field("enabled", Sort::Bool),
    field("default_directory_policy", Sort::Text),
    field("allowed_roles", Sort::Set),
    field("allowed_issuers", Sort::Set),
    field("allow_role_ext_key_usage", Sort::Bool),
    field(
        "eab_policy",
        Sort::Choice(&["not-required", "new-account-required", "always-required"]),
    ),
    field("dns_resolver", Sort::Text),
];

/// The headers without which a client of ACME gets no nonce.
pub const ACME_HEADERS: [&str; 3] = ["Location", "Replay-Nonce", "Link"];

const KEY_USAGE: Sort = Sort::Words(
    "KeyUsage",
    &[
        "DigitalSignature",
        "ContentCommitment",
        "KeyEncipherment",
        "DataEncipherment",
        "KeyAgreement",
        "CertSign",
        "CRLSign",
        "EncipherOnly",
        "DecipherOnly",
    ],
);

const EXT_KEY_USAGE: Sort = Sort::Words(
    "ExtKeyUsage",
    &[
        "Any",
        "ServerAuth",
        "ClientAuth",
        "CodeSigning",
        "EmailProtection",
        "IPSECEndSystem",
        "IPSECTunnel",
        "IPSECUser",
        "TimeStamping",
        "OCSPSigning",
        "MicrosoftServerGatedCrypto",
        "NetscapeServerGatedCrypto",
        "MicrosoftCommercialCodeSigning",
        "MicrosoftKernelCodeSigning",
    ],
);

/// A role.
pub const ROLE: [Field; 52] = [
    field("issuer_ref", Sort::Text),
    field("ttl", Sort::Seconds),
    field("max_ttl", Sort::Seconds),
    field("not_before_duration", Sort::Seconds),
    field("not_before", Sort::Text),
    field("not_before_bound", Sort::Text),
    field("not_after", Sort::Text),
    field("not_after_bound", Sort::Text),
    field("allow_any_name", Sort::Bool),
    field("allow_localhost", Sort::Bool),
    field("allowed_domains", Sort::Set),
    field("allowed_domains_template", Sort::Bool),
    field("allow_bare_domains", Sort::Bool),
    field("allow_subdomains", Sort::Bool),
    field("allow_glob_domains", Sort::Bool),
    field("allow_globs_in_identity_templates", Sort::Bool),
    field("allow_wildcard_certificates", Sort::Bool),
    field("enforce_hostnames", Sort::Bool),
    field("allow_ip_sans", Sort::Bool),
    field("allowed_ip_sans_cidr", Sort::Networks),
    field("allowed_uri_sans", Sort::Set),
    field("allowed_uri_sans_template", Sort::Bool),
    field("allowed_other_sans", Sort::Set),
    field("allowed_serial_numbers", Sort::Set),
    field("allowed_user_ids", Sort::Set),
    field("cn_validations", Sort::Set),
    field("require_cn", Sort::Bool),
    field("use_csr_common_name", Sort::Bool),
    field("use_csr_sans", Sort::Bool),
    field("server_flag", Sort::Bool),
    field("client_flag", Sort::Bool),
    field("code_signing_flag", Sort::Bool),
    field("email_protection_flag", Sort::Bool),
    field("key_usage", KEY_USAGE),
    field("ext_key_usage", EXT_KEY_USAGE),
    field("ext_key_usage_oids", Sort::Set),
    field("policy_identifiers", Sort::Set),
    field("basic_constraints_valid_for_non_ca", Sort::Bool),
    field(
        "key_type",
        Sort::Choice(&["rsa", "ec", "ed25519", "mldsa", "any"]),
    ),
    field("key_bits", Sort::Bits),
    field("signature_bits", Sort::Bits),
    field("use_pss", Sort::Bool),
    field("organization", Sort::Set),
    field("ou", Sort::Set),
    field("country", Sort::Set),
    field("province", Sort::Set),
    field("locality", Sort::Set),
    field("street_address", Sort::Set),
    field("postal_code", Sort::Set),
    field("generate_lease", Sort::Bool),
    field("no_store", Sort::Bool),
    field("serial_number_source", Sort::Choice(&["json-csr", "json"])),
];

/// What the answer for a role holds and a whole write would be told to be unrecognized.
pub const ROLE_READ_ONLY: [&str; 1] = ["allow_token_displayname"];

/// A role of AppRole.
pub const APPROLE: [Field; 14] = [
    field("bind_secret_id", Sort::Bool),
    field("secret_id_bound_cidrs", Sort::Networks),
    field("secret_id_num_uses", Sort::Count),
    field("secret_id_ttl", Sort::Seconds),
    field("token_bound_cidrs", Sort::Networks),
    field("token_ttl", Sort::Seconds),
    field("token_max_ttl", Sort::Seconds),
    field("token_explicit_max_ttl", Sort::Seconds),
    field("token_period", Sort::Seconds),
    field("token_num_uses", Sort::Count),
    field("token_policies", Sort::Set),
    field("token_no_default_policy", Sort::Bool),
    field("token_strictly_bind_ip", Sort::Bool),
    field(
        "token_type",
        Sort::Choice(&[
            "default",
            "service",
            "batch",
            "default-service",
            "default-batch",
        ]),
    ),
];

/// What is written of an access policy.
pub const POLICY: [Field; 1] = [field("policy", Sort::Text)];
