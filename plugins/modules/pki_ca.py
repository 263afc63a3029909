#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: pki_ca
short_description: Makes and keeps certificate authorities
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Makes roots and intermediates in a directory tree or in a PKI mount of Vault or OpenBao, signs requests, revokes certificates and keeps
    revocation lists fresh.
  - The tree is laid out as that of OpenStack-Ansible's PKI role. An existing one is adopted without issuing anything.
  - An authority is never overwritten silently. If the one that is there differs from what is wished, the task fails, says where, and how to
    get another.
  - In a Vault an authority is the issuer of its name. There is never a second one of that name, also when an answer of the server was lost.
  - One bad entry does not spoil the others. All are tried, and the task fails if any failed.
options:
  backend:
    description: Where the authorities live. Exactly one of its options.
    type: dict
    required: true
    suboptions:
      files:
        description: A directory tree on the target.
        type: dict
        suboptions:
          directory:
            description: Root of the tree. What is missing of its path is made.
            type: path
            required: true
          owner:
            description: User name or number of the owner of what is written. As created where nothing is said.
            type: str
          group:
            description: Group name or number of what is written. As created where nothing is said.
            type: str
          key_mode:
            description: Mode of private keys.
            type: raw
            default: "0600"
          key_directory_mode:
            description: Mode of the directories that hold private keys.
            type: raw
            default: "0700"
          certificate_mode:
            description: Mode of certificates, requests, revocation lists and the index.
            type: raw
            default: "0644"
          directory_mode:
            description: Mode of all other directories.
            type: raw
            default: "0755"
      vault:
        description:
          - A mount of the PKI of Vault (1.11 or later) or OpenBao. Keys are made in the server and never leave it.
          - Before anything is changed the token is asked whether it may do all that the task needs.
          - A Vault before 1.11 has one authority in a mount, which most of these steps would overwrite. There O(authorities), O(revoke) and
            O(crl) are refused with V(vault.too_old).
        type: dict
        suboptions:
          mount:
            description: Where the PKI is mounted.
            type: str
            default: pki
          # What follows is the connection, as cert_request has it: scripts/share-documentation.
          url:
            description:
              - The server's address, as V(https://vault.example.org:8200), or those of all nodes, of which the first that answers is asked.
              - Where nothing is said, that of C(BAO_ADDR) or C(VAULT_ADDR) in the environment of the task on the target. So it is with the
                other options of the connection that the servers' own programs take from there.
            type: list
            elements: str
          namespace:
            description: The namespace of everything that is asked for.
            type: str
          ca_path:
            description: A file, or a directory of files, with the authorities of the server's own certificate in PEM. No others count then.
            type: path
          ca_pem:
            description: The same as a text.
            type: str
          client_cert:
            description: A file with the client's certificate.
            type: path
          client_key:
            description: A file with its private key.
            type: path
          tls_server_name:
            description: The name that the server's certificate must have, where it is not that of the address.
            type: str
          validate_certs:
            description: Whether the server's certificate is verified. If not, whoever is on the way can read and change everything.
            type: bool
            default: true
          auth:
            description: Who we are. A secret is given as a text or, with C(_file) behind the option's name, in a file on the target.
            type: dict
            suboptions:
              method:
                description:
                  - The way to log in. V(token) takes O(backend.vault.auth.token), else C(BAO_TOKEN) or C(VAULT_TOKEN).
                    V(cert) uses the client's certificate. V(none) asks without a token.
                type: str
                choices: [token, approle, cert, jwt, kubernetes, userpass, none]
                default: token
              mount:
                description: Where the way to log in is mounted, without C(auth/). The name of the method where nothing is said.
                type: str
              role:
                description:
                  - The role, for V(cert), V(jwt) and V(kubernetes). With V(approle) the one for which a wrapped secret must have been made.
                type: str
              token:
                description: The token.
                type: str
              token_file:
                description: A file with the token.
                type: path
              role_id:
                description: Identifier of an AppRole.
                type: str
              role_id_file:
                description: A file with the identifier of an AppRole.
                type: path
              secret_id:
                description: The AppRole's secret.
                type: str
              secret_id_file:
                description: A file with the AppRole's secret.
                type: path
              wrapped_secret_id:
                description: A wrapping token with the AppRole's secret. It serves once; a second time is told as what it may be, a theft.
                type: str
              wrapped_secret_id_file:
                description: A file with a wrapping token.
                type: path
              jwt:
                description: The token of somebody whom the server trusts.
                type: str
              jwt_file:
                description: A file with that token. With V(kubernetes) that of the pod's service account where nothing is said.
                type: path
              username:
                description: The name, for V(userpass).
                type: str
              password:
                description: The password.
                type: str
              password_file:
                description: A file with the password.
                type: path
              revoke_after:
                description: Whether a token that was got by logging in is given back at the end of the task.
                type: bool
                default: true
          timeout:
            description: How long the server has for one answer.
            type: str
            default: 30s
          retry_window:
            description: For how long is waited for what passes by itself, such as the election of a leader.
            type: str
            default: 45s
          wait_unsealed:
            description: For how long is waited for somebody who unseals a sealed server.
            type: str
            default: 0s
          pin_active:
            description: Whether reads go to the node that leads. Others show what was written a moment ago too late.
            type: bool
            default: true
          allow_plaintext:
            description: Whether another host than this one may be asked by plain http, which shows tokens to the network.
            type: bool
            default: false
          # So far the connection.
  authorities:
    description: The wished authorities. Those that are there and not named are left alone.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Names its files, results and messages. With O(backend.vault) the name of the issuer, where V(default) and V(next) are words of the
            server.
        type: str
        required: true
      type:
        description: Whether it signs itself or is signed by O(authorities[].parent) or outside.
        type: str
        choices: [root, intermediate]
        default: root
      parent:
        description: The authority that signs it or, with O(authorities[].state=cross_signed), that signs its key as well.
        type: str
      state:
        description:
          - V(present) exists and may sign. V(active) exists, and signs what names no authority; only one can be.
          - V(csr) has a key and a request for a certificate that is signed outside. V(signed) takes that certificate from
            O(authorities[].signed), after checking all of it.
          - V(cross_signed) exists, and its parent has signed its key too.
          - V(retired) signs no more certificates, only its revocation list. V(revoked) is on the list of its parent.
          - V(absent) is gone. That is refused while certificates below it are valid, see O(authorities[].force).
          - With O(backend.vault) V(active) is the default issuer of the mount. It signs a certificate that is thrown away and must verify with
            its root alone, before it becomes the default and after; if it does not, the old one stays. V(csr) touches nothing that is in
            service, and asks again for the same key. V(cross_signed) makes a second issuer C(NAME-x-PARENT) of the same key. V(retired) takes
            the right to sign certificates from it. V(revoked) has the server revoke it, where its parent is in O(backend.vault.mount) or
            O(authorities[].parent_mount) on the list of that. V(absent) removes the issuer and its key, if no other has that; also the key
            O(authorities[].key_name) alone, where a request waits for its certificate. The default issuer is not retired, revoked or
            removed, unless another becomes the default in the same task.
        type: str
        choices: [present, csr, signed, cross_signed, active, retired, revoked, absent]
        default: present
      common_name:
        description: Common name of the subject. The name of the authority where neither this nor O(authorities[].subject) says one.
        type: str
      subject:
        description:
          - Attributes of the subject, in the order in which they shall stand.
          - Long names (V(organization), V(country)), short names (V(O), V(C)) and dotted object identifiers are known. A list
            repeats its attribute.
        type: dict
      key:
        description: The private key.
        type: dict
        suboptions:
          algorithm:
            description:
              - Kind of key. V(rsa) where nothing is said, with O(backend.vault) V(ecdsa) on V(P-384). A Vault makes no V(ed448).
            type: str
            choices: [rsa, ecdsa, ed25519, ed448]
          size:
            description: Bits of an RSA key, 2048 to 8192. V(4096) where nothing is said.
            type: int
          curve:
            description: Curve of an ECDSA key, V(P-256) (where nothing is said), V(P-384) or V(P-521).
            type: str
          passphrase:
            description: Encrypts the key on disk. At least 4 characters. Not with O(backend.vault).
            type: str
      ttl:
        description: Lifetime of its certificate. V(3650d) for a root and V(1825d) for an intermediate where nothing is said.
        type: str
      warn_before:
        description: When to begin to warn of its expiry, as V(30d) or as a share of its lifetime, V(10%).
        type: str
        default: 30d
      path_length:
        description: How many authorities may follow below it. Without a limit where nothing is said.
        type: int
      name_constraints:
        description:
          - The names that it, and all below it, may certify (RFC 5280 section 4.2.1.10).
          - Where a Vault makes the certificate, only O(authorities[].name_constraints.permitted_dns).
        type: dict
        suboptions:
          permitted_dns:
            description: Domains; only names in them may be certified.
            type: list
            elements: str
          permitted_ip:
            description: Networks, as V(10.0.0.0/8); only addresses in them may be certified.
            type: list
            elements: str
          permitted_email:
            description: Mailboxes, hosts, or domains with a leading dot; only mail addresses in them may be certified.
            type: list
            elements: str
          excluded_dns:
            description: Domains in which no name may be certified.
            type: list
            elements: str
          excluded_ip:
            description: Networks of which no address may be certified.
            type: list
            elements: str
          excluded_email:
            description: Mailboxes, hosts, or domains with a leading dot, of which no mail address may be certified.
            type: list
            elements: str
      key_usage:
        description: Key usages. Must have V(keyCertSign). V(keyCertSign) and V(cRLSign) where nothing is said.
        type: list
        elements: str
      crl_urls:
        description: Where its issuer's revocation list is published; written into its certificate; with O(backend.vault) that is O(vault_config.urls).
        type: list
        elements: str
      issuer_urls:
        description: Where its issuer's certificate is published; written into its certificate; with O(backend.vault) that is O(vault_config.urls).
        type: list
        elements: str
      policies:
        description: Certificate policies, as dotted object identifiers. Not with O(backend.vault).
        type: list
        elements: str
      signed:
        description:
          - For O(authorities[].state=signed), the certificate and those above it, PEM or base64 of PEM, in any order, with text between.
          - Checked before anything changes are the key, the signatures, the dates, that it is an authority which may sign
            certificates, its identifiers, path lengths and name constraints. With O(backend.vault) O(authorities[].validate) says what else.
          - A Vault takes all of them in with a success. If it does not bind the certificate to the key, or that does not prove itself by
            a certificate that is thrown away, what was taken in is removed again.
        type: str
      reason:
        description: For O(authorities[].state=revoked), why.
        type: str
        choices:
          - unspecified
          - keyCompromise
          - cACompromise
          - affiliationChanged
          - superseded
          - cessationOfOperation
          - privilegeWithdrawn
        default: unspecified
      force:
        description: With O(authorities[].state=absent), remove it even while certificates below it are valid.
        type: bool
        default: false
      key_name:
        description:
          - With O(backend.vault), the name of its key. Its own name where nothing is said. A key that is there is used, so that a new issuer can
            have the key of an old one.
        type: str
      parent_mount:
        description: With O(backend.vault), the mount of O(authorities[].parent), if that is another on the same server.
        type: str
      chain_issuers:
        description:
          - With O(backend.vault), the issuers that are served above it, by name or identifier, as the cross-signed one of
            O(authorities[].state=cross_signed). An empty list leaves the chain to the server.
        type: list
        elements: str
      leaf_not_after_behavior:
        description:
          - With O(backend.vault), what becomes of a certificate that would outlive it. V(err) refuses it, V(truncate) cuts its lifetime without a
            word, V(permit) lets it. A new intermediate has V(truncate), a new root what the server does where nothing is said.
        type: str
        choices: [err, truncate, permit]
      csr_path:
        description:
          - For O(authorities[].state=csr) with O(backend.vault), a file on the target for the request. One that holds a request of the same key and
            subject stays as it is.
        type: path
      root_ca:
        description:
          - For O(authorities[].state=signed) with O(backend.vault), the root to which the chain must lead, PEM or base64 of PEM. One of
            O(authorities[].signed) where nothing is said.
        type: str
      validate:
        description: For O(authorities[].state=signed) with O(backend.vault), what O(authorities[].signed) must be besides.
        type: dict
        suboptions:
          min_remaining:
            description: How long each certificate of the chain must still be valid.
            type: str
            default: 30d
          max_depth:
            description: How many certificates the chain may have, the first and the root included.
            type: int
          allow_unrelated:
            description: Whether certificates that are not above it may come with it. They are not sent.
            type: bool
            default: false
          required_eku:
            description:
              - The purposes that certificates below must be able to have, where authorities of the chain limit them. V(server), V(client), or
                any name or identifier of an extended key usage.
            type: list
            elements: str
            default: [server, client]
          require_root:
            description: Whether the chain must lead to a root. If not, it is checked as far as it goes.
            type: bool
            default: true
      confirm:
        description: For O(authorities[].state=absent) with O(backend.vault), the mount once more, to say that it is meant.
        type: str
  regenerate:
    description:
      - Not with O(backend.vault), where a new certificate is a new issuer with a name of its own.
      - Authorities whose certificate is made anew for the same key, in this run and in every run that says so.
      - A name, a list of names, or V(true) for all of O(authorities).
    type: raw
  regenerate_key:
    description:
      - Not with O(backend.vault).
      - Authorities whose key and certificate are made anew. Everything below them must be issued again.
      - A name, a list of names, or V(true) for all of O(authorities).
    type: raw
  sign:
    description:
      - Requests to be signed.
      - Not with O(backend.vault), which signs requests of hosts under its roles; see M(tls.everywhere.cert_request).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Keeps the certificate in the tree under this name, so that a second run answers it unchanged.
        type: str
      authority:
        description: Who signs. The active authority where nothing is said.
        type: str
      csr:
        description: The request, PEM.
        type: str
        required: true
      profile:
        description:
          - Decides usages and basic constraints. V(server), V(client) and V(peer) (both) are for leaves, V(ca) is for an
            authority, V(request) takes what the request asks for.
        type: str
        choices: [server, client, peer, ca, request]
        default: server
      key_usage:
        description: Key usages in the place of those of the profile.
        type: list
        elements: str
      extended_key_usage:
        description: Extended key usages in the place of those of the profile.
        type: list
        elements: str
      ttl:
        description: Lifetime of the certificate. V(398d) where nothing is said, and never beyond the end of its authority.
        type: str
      renew_before:
        description: With O(sign[].name), when a kept certificate is replaced, as V(30d) or V(33%).
        type: str
        default: 30d
      path_length:
        description: For O(sign[].profile=ca), how many authorities may follow below it.
        type: int
  revoke:
    description: Certificates to be revoked. Give either the serial number or the certificate.
    type: list
    elements: dict
    default: []
    suboptions:
      authority:
        description: The authority that issued it.
        type: str
        required: true
      serial:
        description: Its serial number, hexadecimal, with or without colons.
        type: str
      certificate:
        description: The certificate itself, PEM.
        type: str
      reason:
        description: Why.
        type: str
        choices:
          - unspecified
          - keyCompromise
          - cACompromise
          - affiliationChanged
          - superseded
          - cessationOfOperation
          - privilegeWithdrawn
        default: unspecified
      at:
        description: Since when, as V(2026-11-22T06:00:00Z). Now where nothing is said, and always with O(backend.vault).
        type: str
  crl:
    description:
      - Revocation lists to be kept fresh. A list that a revocation changes is always written.
      - A Vault makes its lists itself, for as long as O(vault_config.crl) says. One that is due is made anew all the same.
    type: dict
    suboptions:
      authorities:
        description: V(all), a name, or a list of names. In a Vault V(all) are the issuers with a name that may sign lists.
        type: raw
        default: all
      next_update:
        description: How long a list is good for.
        type: str
        default: 30d
      renew_before:
        description: When a list is replaced although nothing was revoked, as V(10d) or as a share of its time, V(33%).
        type: str
        default: 33%
  vault_config:
    description:
      - With backend V(vault), how the mount is configured. Each object is read, compared and changed where it differs, and read
        again. What is not said stays as somebody made it, and nothing is written where all is as wished.
      - Addresses and limits are written before the authorities of the task are made, roles, ACME and access after them.
      - Durations are V(30d), V(72h), V(1w), V(1h30m) or seconds; the server is told what it understands.
      - Before anything is written, also in check mode, the server is asked whether the token may do all that is planned. The
        lines that its policy lacks are told.
    type: dict
    suboptions:
      mount:
        description: The mount of the PKI engine.
        type: dict
        suboptions:
          create:
            description: Mount the engine where nothing is.
            type: bool
            default: true
          description:
            description: What it is for.
            type: str
          default_lease_ttl:
            description: Lifetime of what asks for none.
            type: str
          max_lease_ttl:
            description: The longest lifetime. The server cuts longer ones with no more than a warning, also those of authorities.
            type: str
          allowed_response_headers:
            description: Headers that answers of the mount may have. Those that clients of ACME need come with O(vault_config.acme).
            type: list
            elements: str
          passthrough_request_headers:
            description: Headers of requests that reach the mount.
            type: list
            elements: str
          audit_non_hmac_request_keys:
            description: Members of requests that the audit log shows in clear.
            type: list
            elements: str
          audit_non_hmac_response_keys:
            description: Members of answers that the audit log shows in clear.
            type: list
            elements: str
      cluster:
        description: Where clients reach the mount.
        type: dict
        suboptions:
          path:
            description: Address of the mount, as V(https://vault.example.org:8200/v1/pki). ACME needs it.
            type: str
          aia_path:
            description: The same for addresses in certificates, often by plain HTTP.
            type: str
      urls:
        description: Addresses in certificates. Those of an authority are written into it when it is made.
        type: dict
        suboptions:
          issuing_certificates:
            description: Where the certificate of the issuer is.
            type: list
            elements: str
          crl_distribution_points:
            description: Where its revocation list is.
            type: list
            elements: str
          delta_crl_distribution_points:
            description: Where its list of changes is.
            type: list
            elements: str
          ocsp_servers:
            description: Who answers OCSP.
            type: list
            elements: str
          enable_templating:
            description: Let the server fill in C({{issuer_id}}), C({{cluster_path}}) and C({{cluster_aia_path}}).
            type: bool
      crl:
        description: The server's revocation lists.
        type: dict
        suboptions:
          expiry:
            description: How long a list is good for.
            type: str
          disable:
            description: Make none.
            type: bool
          ocsp_disable:
            description: Do not answer OCSP.
            type: bool
          ocsp_expiry:
            description: How long an answer of OCSP is good for.
            type: str
          auto_rebuild:
            description: Make lists by the clock, not at each revocation.
            type: bool
          auto_rebuild_grace_period:
            description: How long before its end a list is made anew.
            type: str
          enable_delta:
            description: Make lists of changes too.
            type: bool
          delta_rebuild_interval:
            description: How often.
            type: str
          allow_expired_cert_revocation:
            description: Let expired certificates be revoked.
            type: bool
      auto_tidy:
        description: What the server removes by itself. Without it, what it stores grows for ever.
        type: dict
        suboptions:
          enabled:
            description: Switch it on. At least one of the C(tidy_) options must be on too.
            type: bool
          interval_duration:
            description: How often.
            type: str
          maintain_stored_certificate_counts:
            description: Count what is stored.
            type: bool
          publish_stored_certificate_count_metrics:
            description: Publish the counts as metrics.
            type: bool
          tidy_cert_store:
            description: Remove expired certificates.
            type: bool
          tidy_revoked_certs:
            description: Remove expired certificates that were revoked.
            type: bool
          tidy_revoked_cert_issuer_associations:
            description: Store with revoked certificates who issued them.
            type: bool
          tidy_invalid_certs:
            description: Remove what cannot be read.
            type: bool
          tidy_expired_issuers:
            description: Remove expired issuers that are not the default. Their keys stay.
            type: bool
          tidy_move_legacy_ca_bundle:
            description: Move away what a server before 1.11 left.
            type: bool
          tidy_acme:
            description: Remove orders and accounts of ACME that are not used.
            type: bool
          safety_buffer:
            description: For how long what has expired is kept.
            type: str
          revoked_safety_buffer:
            description: For how long what has expired and was revoked is kept. The same where nothing is said.
            type: str
          issuer_safety_buffer:
            description: For how long an expired issuer is kept.
            type: str
          acme_account_safety_buffer:
            description: For how long an account of ACME without orders is kept.
            type: str
          pause_duration:
            description: Pause between two certificates.
            type: str
          page_size:
            description: How many certificates are read at once.
            type: int
      roles:
        description:
          - Roles, by which certificates are issued. A role that is there is patched, so that what others set in it stays; where
            the server knows no patch, or the token may not, it is read whole and written whole.
          - A field that the server does not know is told before anything is written.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Its name.
            type: str
            required: true
          state:
            description: Whether it exists.
            type: str
            choices: [present, absent]
            default: present
          issuer_ref:
            description: Who signs, an issuer's name or V(default).
            type: str
          ttl:
            description: Lifetime of what asks for none.
            type: str
          max_ttl:
            description: The longest lifetime. The server cuts longer ones with no more than a warning.
            type: str
          not_before_duration:
            description: How long before now certificates begin.
            type: str
          not_before:
            description: When they begin. OpenBao.
            type: str
          not_before_bound:
            description: Whether a request may say when they begin, V(permit), V(duration) or V(forbid). OpenBao.
            type: str
          not_after:
            description: When they end, as V(2027-12-31T23:59:59Z).
            type: str
          not_after_bound:
            description: Whether a request may say when they end, V(permit), V(ttl-limited), V(forbid) or a time. OpenBao.
            type: str
          allow_any_name:
            description: Allow every name.
            type: bool
          allow_localhost:
            description: Allow V(localhost).
            type: bool
          allowed_domains:
            description: Domains.
            type: list
            elements: str
          allowed_domains_template:
            description: Let the server fill in C({{identity…}}) in them.
            type: bool
          allow_bare_domains:
            description: Allow the domains themselves.
            type: bool
          allow_subdomains:
            description: Allow names below them.
            type: bool
          allow_glob_domains:
            description: Take C(*) in them as any text.
            type: bool
          allow_globs_in_identity_templates:
            description: The same in what is filled in. OpenBao.
            type: bool
          allow_wildcard_certificates:
            description: Allow names that begin with C(*.).
            type: bool
          enforce_hostnames:
            description: Refuse names that are none of hosts.
            type: bool
          allow_ip_sans:
            description: Allow addresses.
            type: bool
          allowed_ip_sans_cidr:
            description: Networks of which addresses are allowed. OpenBao.
            type: list
            elements: str
          allowed_uri_sans:
            description: Patterns of URIs that are allowed.
            type: list
            elements: str
          allowed_uri_sans_template:
            description: Let the server fill in C({{identity…}}) in them.
            type: bool
          allowed_other_sans:
            description: Other names that are allowed, as V(1.3.6.1.4.1.311.20.2.3;utf8:*).
            type: list
            elements: str
          allowed_serial_numbers:
            description: Patterns of serial numbers in subjects.
            type: list
            elements: str
          allowed_user_ids:
            description: Patterns of user IDs in subjects.
            type: list
            elements: str
          cn_validations:
            description: What a common name must be, V(email), V(hostname) or V(disabled).
            type: list
            elements: str
          require_cn:
            description: Require a common name.
            type: bool
          use_csr_common_name:
            description: Take the common name of the request.
            type: bool
          use_csr_sans:
            description: Take the alternative names of the request.
            type: bool
          server_flag:
            description: For servers.
            type: bool
          client_flag:
            description: For clients.
            type: bool
          code_signing_flag:
            description: For signing programs.
            type: bool
          email_protection_flag:
            description: For mail.
            type: bool
          key_usage:
            description:
              - Key usages. V(DigitalSignature), V(ContentCommitment), V(KeyEncipherment), V(DataEncipherment), V(KeyAgreement),
                V(CertSign), V(CRLSign), V(EncipherOnly), V(DecipherOnly), in any case. The server would ignore other words.
            type: list
            elements: str
          ext_key_usage:
            description:
              - Extended key usages besides those of the flags. V(Any), V(ServerAuth), V(ClientAuth), V(CodeSigning),
                V(EmailProtection), V(IPSECEndSystem), V(IPSECTunnel), V(IPSECUser), V(TimeStamping), V(OCSPSigning) and those
                of Microsoft and Netscape, in any case. The server would ignore other words.
            type: list
            elements: str
          ext_key_usage_oids:
            description: Further ones, as dotted object identifiers.
            type: list
            elements: str
          policy_identifiers:
            description: Certificate policies, as dotted object identifiers.
            type: list
            elements: str
          basic_constraints_valid_for_non_ca:
            description: Say in leaves that they are no authorities.
            type: bool
          key_type:
            description: Which keys are allowed. With another type, bits that are not said become the type's own.
            type: str
            choices: [rsa, ec, ed25519, mldsa, any]
          key_bits:
            description: Bits of keys.
            type: int
          signature_bits:
            description: Bits of the hash of signatures.
            type: int
          use_pss:
            description: Sign by RSA-PSS.
            type: bool
          organization:
            description: Organization of subjects.
            type: list
            elements: str
          ou:
            description: Organizational unit of subjects.
            type: list
            elements: str
          country:
            description: Country of subjects.
            type: list
            elements: str
          province:
            description: State or province of subjects.
            type: list
            elements: str
          locality:
            description: Locality of subjects.
            type: list
            elements: str
          street_address:
            description: Street of subjects.
            type: list
            elements: str
          postal_code:
            description: Postal code of subjects.
            type: list
            elements: str
          generate_lease:
            description: Make a lease with each certificate. Its end revokes.
            type: bool
          no_store:
            description: Do not store what is issued. Then nothing can be revoked by its serial number, and ACME fails.
            type: bool
          serial_number_source:
            description: Where the serial number of a subject comes from. Vault from 1.19 on.
            type: str
            choices: [json-csr, json]
      acme:
        description: The server's own ACME. The headers that its clients need are added to those of the mount.
        type: dict
        suboptions:
          enabled:
            description: Switch it on. Needs O(vault_config.cluster.path), which may have been set before.
            type: bool
          default_directory_policy:
            description: What the directory without a role allows, V(sign-verbatim), V(forbid), V(external-policy) or V(role:NAME).
            type: str
          allowed_roles:
            description: Roles that have a directory, or V(*).
            type: list
            elements: str
          allowed_issuers:
            description: Issuers that have a directory, or V(*).
            type: list
            elements: str
          allow_role_ext_key_usage:
            description: Let the role decide the extended key usages.
            type: bool
          eab_policy:
            description: Whether accounts need external credentials.
            type: str
            choices: [not-required, new-account-required, always-required]
          dns_resolver:
            description: Who is asked for records of challenges, as V(192.0.2.53:53). That of the host where nothing is said.
            type: str
      access:
        description: Who may have certificates signed. Policies, and roles of AppRole with the secrets of hosts.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the policy, and of the role of AppRole where that has none of its own.
            type: str
            required: true
          state:
            description: Whether the policy, and the role if O(vault_config.access[].approle) is given, exist.
            type: str
            choices: [present, absent]
            default: present
          policy:
            description: The policy, in the server's language.
            type: str
          sign:
            description: Roles by which may be signed, and nothing else. The policy is made of them.
            type: list
            elements: str
          approle:
            description:
              - A role by which hosts log in. The method is mounted where it is not.
              - A role that is made gets V(token_type=batch), V(token_ttl=60s) and the policy, where nothing else is said. Later
                they are left as they are.
            type: dict
            suboptions:
              name:
                description: Its name.
                type: str
              mount:
                description: Where the method is mounted.
                type: str
                default: approle
              bind_secret_id:
                description: Whether a secret is needed to log in.
                type: bool
              secret_id_bound_cidrs:
                description: Networks from which one may log in.
                type: list
                elements: str
              secret_id_num_uses:
                description: How often one may log in by a secret. V(0) is without end.
                type: int
              secret_id_ttl:
                description: How long a secret is good.
                type: str
              token_bound_cidrs:
                description: Networks from which tokens are good.
                type: list
                elements: str
              token_ttl:
                description: How long a token is good.
                type: str
              token_max_ttl:
                description: How long it can be renewed.
                type: str
              token_explicit_max_ttl:
                description: When it ends whatever happens.
                type: str
              token_period:
                description: Period of a token that is renewed without end.
                type: str
              token_num_uses:
                description: How often a token can be used. V(0) is without end.
                type: int
              token_policies:
                description: Policies of tokens.
                type: list
                elements: str
              token_no_default_policy:
                description: Do not give them the policy V(default).
                type: bool
              token_strictly_bind_ip:
                description: Bind a token to the address that logged in. OpenBao.
                type: bool
              token_type:
                description: Kind of tokens. A V(batch) token leaves no lease behind.
                type: str
                choices: [default, service, batch, default-service, default-batch]
              secret_ids:
                description:
                  - Secrets to be issued, each wrapped. The server gives a token that can be exchanged for the secret once, within
                    O(vault_config.access[].approle.secret_ids[].wrap_ttl). It is written to a file on the target that only its
                    owner may read, and is in no answer. Whoever finds it exchanged already knows that somebody else has the secret.
                  - The connection option C(wrapped_secret_id_file) takes such a file.
                type: list
                elements: dict
                default: []
                suboptions:
                  name:
                    description: For whom. The audit log shows it with each login.
                    type: str
                    required: true
                  path:
                    description: The file. Its directory must exist.
                    type: path
                    required: true
                  issue:
                    description:
                      - V(missing), when the file is not there. V(spent), also when what it holds cannot be exchanged any more.
                        V(always), in every run.
                    type: str
                    choices: [missing, spent, always]
                    default: missing
                  wrap_ttl:
                    description: How long it can be exchanged, up to V(7d).
                    type: str
                    default: 10m
                  owner:
                    description: User name or number of the owner of the file.
                    type: str
                  group:
                    description: Group name or number of the file.
                    type: str
                  cidr_list:
                    description: Networks from which one may log in by this secret.
                    type: list
                    elements: str
                  token_bound_cidrs:
                    description: Networks from which its tokens are good.
                    type: list
                    elements: str
                  num_uses:
                    description: How often one may log in by it.
                    type: int
                  ttl:
                    description: How long it is good.
                    type: str
                  metadata:
                    description: What the audit log shows besides its name.
                    type: dict
      tidy:
        description: A tidy that the task starts, once in each run or by O(vault_config.tidy.every).
        type: dict
        suboptions:
          every:
            description: Do not start one if the last has finished within this time.
            type: str
          wait:
            description: How long to wait for its end. It goes on by itself after that.
            type: str
            default: 60s
          tidy_cert_store:
            description: Remove expired certificates.
            type: bool
          tidy_revoked_certs:
            description: Remove expired certificates that were revoked.
            type: bool
          tidy_revoked_cert_issuer_associations:
            description: Store with revoked certificates who issued them.
            type: bool
          tidy_invalid_certs:
            description: Remove what cannot be read.
            type: bool
          tidy_expired_issuers:
            description: Remove expired issuers that are not the default. Their keys stay.
            type: bool
          tidy_move_legacy_ca_bundle:
            description: Move away what a server before 1.11 left.
            type: bool
          tidy_acme:
            description: Remove orders and accounts of ACME that are not used.
            type: bool
          safety_buffer:
            description: For how long what has expired is kept.
            type: str
          revoked_safety_buffer:
            description: For how long what has expired and was revoked is kept. The same where nothing is said.
            type: str
          issuer_safety_buffer:
            description: For how long an expired issuer is kept.
            type: str
          acme_account_safety_buffer:
            description: For how long an account of ACME without orders is kept.
            type: str
          pause_duration:
            description: Pause between two certificates.
            type: str
          page_size:
            description: How many certificates are read at once.
            type: int
      disable:
        description:
          - The end of the mount with all its keys, issuers, roles and lists. No other option of O(vault_config) counts then.
          - Certificates of issuers and their revocation lists are written to files first.
        type: dict
        suboptions:
          confirm:
            description: The path of the mount, to say that it is meant.
            type: str
            required: true
          export:
            description: The directory on the target that receives the files. It is made where it is missing.
            type: path
            required: true
  inspect:
    description:
      - With O(backend.vault), report all issuers of the mount in RV(issuers). If nothing else is asked for, a server that is sealed or not
        initialized is told in RV(server) and is no failure.
    type: bool
    default: false
  lock_timeout:
    description: How long to wait for another run on the same tree, as V(60s).
    type: str
    default: 60s
  parallel:
    description: How many signatures to make at once. The number of cores where nothing is said.
    type: int
notes:
  - The program is also a helper of certmonger, which then makes keys, tracks and renews certificates that an authority of the tree
    signs, as C(getcert add-ca -c NAME -e "/usr/local/libexec/tls-everywhere/pki_ca --certmonger FILE"). FILE holds the options of
    this module as JSON, O(sign) one entry without C(csr) and C(name). C(getcert request -T) names the profile (not V(ca)) and C(-X)
    the authority. What is not set up is told from what is refused, by the states CA_UNCONFIGURED and CA_REJECTED.
extends_documentation_fragment:
  - tls.everywhere.attributes
  - tls.everywhere.attributes.actiongroup
seealso:
  - module: tls.everywhere.cert_request
"""

EXAMPLES = r"""
- name: Make a root, and an intermediate below it that signs
  tls.everywhere.pki_ca:
    backend: {files: {directory: /etc/pki/CA}}
    authorities:
      - name: Root
        common_name: Example Root CA
        subject: {country: DE, organization: Example}
        key: {algorithm: ecdsa, curve: P-384, passphrase: "{{ vault_root_passphrase }}"}
      - name: Intermediate
        type: intermediate
        parent: Root
        state: active
        common_name: Example Intermediate CA
        key: {algorithm: ecdsa}
        path_length: 0
        name_constraints: {permitted_dns: [example.org]}
    crl: {}

- name: Sign the requests of all hosts in one call
  tls.everywhere.pki_ca:
    backend: {files: {directory: /etc/pki/CA}}
    sign:
      - {name: web01, csr: "{{ lookup('ansible.builtin.file', 'web01.csr') }}"}
      - {name: web02, csr: "{{ lookup('ansible.builtin.file', 'web02.csr') }}"}
  register: signed

- name: Make an intermediate that an authority outside signs, first its request
  tls.everywhere.pki_ca:
    backend: {files: {directory: /etc/pki/CA}}
    authorities:
      - {name: Department, type: intermediate, state: csr, common_name: Department CA}
  register: department

- name: Then, on a later day, what came back
  tls.everywhere.pki_ca:
    backend: {files: {directory: /etc/pki/CA}}
    authorities:
      - name: Department
        type: intermediate
        state: signed
        common_name: Department CA
        signed: "{{ lookup('ansible.builtin.file', 'department-and-chain.pem') }}"

- name: Revoke a certificate of which the key is lost
  tls.everywhere.pki_ca:
    backend: {files: {directory: /etc/pki/CA}}
    revoke:
      - {authority: Intermediate, serial: "5F:3A:9C:0E:71:D2", reason: keyCompromise}

- name: Give the root a new certificate for its old key
  tls.everywhere.pki_ca:
    backend: {files: {directory: /etc/pki/CA}}
    authorities:
      - {name: Root, common_name: Example Root CA, key: {passphrase: "{{ vault_root_passphrase }}"}}
    regenerate: Root

- name: Configure a mount, and let the hosts of the cloud have certificates of servers signed
  tls.everywhere.pki_ca:
    backend: {vault: {url: "https://vault.example.org:8200", mount: pki, auth: {token_file: /root/.vault-token}}}
    vault_config:
      mount: {max_lease_ttl: 3650d, default_lease_ttl: 90d}
      cluster: {path: "https://vault.example.org:8200/v1/pki", aia_path: "http://vault.example.org:8200/v1/pki"}
      urls:
        enable_templating: true
        issuing_certificates: ["{% raw %}{{cluster_aia_path}}/issuer/{{issuer_id}}/der{% endraw %}"]
        crl_distribution_points: ["{% raw %}{{cluster_aia_path}}/issuer/{{issuer_id}}/crl/der{% endraw %}"]
      auto_tidy: {enabled: true, tidy_cert_store: true, tidy_revoked_certs: true}
      roles:
        - {name: server, allowed_domains: [example.org], allow_subdomains: true, key_type: any, max_ttl: 90d, client_flag: false}
      access:
        - name: hosts
          sign: [server]
          approle:
            token_bound_cidrs: [10.0.0.0/8]
            secret_ids:
              - {name: compute1, path: /root/secrets/compute1.wrapped, cidr_list: [10.0.0.11]}

- name: The mount and the roles of Charmed OpenStack
  tls.everywhere.pki_ca:
    backend: {vault: {mount: charm-pki-local}}
    vault_config:
      mount: {default_lease_ttl: 8759h, max_lease_ttl: 87600h}
      roles:
        - {name: local, allow_any_name: true, allow_glob_domains: true, enforce_hostnames: false, max_ttl: 8760h,
           server_flag: true, client_flag: true}
        - {name: local-client, allow_any_name: true, allow_glob_domains: true, enforce_hostnames: false, max_ttl: 8760h,
           server_flag: false, client_flag: true}

- name: Make a root in OpenBao, and an intermediate that takes over from it once it has proven itself
  tls.everywhere.pki_ca:
    backend: &bao {vault: {url: "https://bao.example.org:8200", mount: pki, auth: {token_file: /root/.bao-token}}}
    vault_config: {urls: {issuing_certificates: ["https://bao.example.org:8200/v1/pki/ca"]}}
    authorities:
      - {name: root-1, common_name: Example Root CA, subject: {organization: Example}}
      - {name: int-1, type: intermediate, parent: root-1, state: active, common_name: Example Intermediate CA}

- name: Ask for an intermediate that the company's authority signs; what is in service goes on
  tls.everywhere.pki_ca:
    backend: *bao
    authorities:
      - name: int-2
        type: intermediate
        state: csr
        common_name: Example Intermediate CA 2
        csr_path: /root/int-2.csr

- name: Then take in what came back, checked before it is sent
  tls.everywhere.pki_ca:
    backend: *bao
    authorities:
      - name: int-2
        type: intermediate
        state: signed
        signed: "{{ lookup('ansible.builtin.file', 'int-2-and-chain.pem') }}"
        root_ca: "{{ lookup('ansible.builtin.file', 'company-root.pem') }}"

- name: Make it the default
  tls.everywhere.pki_ca:
    backend: *bao
    authorities:
      - {name: int-2, type: intermediate, state: active}
      - {name: int-1, type: intermediate, state: retired}

- name: Look at the server and all issuers of the mount
  tls.everywhere.pki_ca:
    backend: *bao
    inspect: true
  register: vault_state
"""

RETURN = r"""
authorities:
  description:
    - What became of each authority, by name; in check mode what it would be. Private keys are never in it. A fact that does
      not exist has no key.
    - Authorities that were not named are here too if they changed.
  returned: always, unless the options were refused
  type: dict
  contains:
    changed:
      description: Whether anything of it changed, or would.
      returned: always
      type: bool
    action:
      description:
        - What was done, or would be. V(created), V(reissued) for its old key, V(rekeyed), V(requested), V(installed) from
          outside, V(cross_signed), V(activated), V(retired), V(returned) to service, V(revoked), V(removed), V(repaired) or
          V(kept).
      returned: always
      type: str
      sample: created
    reasons:
      description: Why, each with C(kind) and C(detail).
      returned: always
      type: list
      elements: dict
      sample: [{kind: missing, detail: "it does not exist"}]
    state:
      description: What it is now. V(present), V(active), V(retired), V(revoked), V(csr) or V(absent).
      returned: always
      type: str
      sample: active
    certificate:
      description: Its certificate, PEM.
      returned: when it has one
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    chain:
      description: Its certificate and all above it, PEM.
      returned: when it has a certificate
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    root:
      description: The root at the end of the chain, PEM.
      returned: when the chain reaches one
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    csr:
      description: Its request, PEM.
      returned: when there is one
      type: str
      sample: "-----BEGIN CERTIFICATE REQUEST-----\n…"
    subject:
      description: Subject of its certificate.
      returned: when it has a certificate or will have one
      type: str
      sample: "O=Example, CN=Example Root CA"
    serial:
      description: Serial number, hexadecimal.
      returned: when it has a certificate
      type: str
      sample: 5F3A9C0E71D24B8896A1C4D07E55B21903FE6A4C
    fingerprint_sha256:
      description: SHA-256 of its certificate.
      returned: when it has a certificate
      type: str
      sample: "3A:6F:…"
    not_before:
      description: Start of its validity.
      returned: when it has a certificate or will have one
      type: str
      sample: "2026-11-22T06:00:00Z"
    not_after:
      description: End of its validity.
      returned: when it has a certificate or will have one
      type: str
      sample: "2036-11-19T06:00:00Z"
    renew_at:
      description: From when on a run of the task warns, see O(authorities[].warn_before).
      returned: when it was named in the task, and has a certificate or will have one
      type: str
      sample: "2036-10-20T06:00:00Z"
    issuer_id:
      description: The identifier of the issuer.
      returned: when it is in a Vault
      type: str
      sample: 33fd8989-d6bd-258e-1852-fc8542da9b40
    key_id:
      description: The identifier of its key. None if the mount does not have it.
      returned: when it is in a Vault
      type: str
      sample: cbc78094-6f94-4019-4e83-e7c50c177737
    root_ca:
      description: The same as C(root).
      returned: when it is in a Vault
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    is_default:
      description: Whether it is the default issuer of the mount.
      returned: when it is in a Vault
      type: bool
    is_root:
      description: Whether it has signed itself.
      returned: when it is in a Vault
      type: bool
    usage:
      description: What it may be used for, in the server's words.
      returned: when it is in a Vault
      type: str
      sample: crl-signing,issuing-certificates,ocsp-signing,read-only
    leaf_not_after_behavior:
      description: What becomes of a certificate that would outlive it.
      returned: when it is in a Vault
      type: str
      sample: truncate
    chain_issuers:
      description: The identifiers of the chain that was set by hand, itself first. Empty if none was.
      returned: when it is in a Vault
      type: list
      elements: str
      sample: []
    default_before:
      description: The default issuer before the task.
      returned: with O(backend.vault)
      type: str
      sample: root-1
    server_version:
      description: Version of the server.
      returned: with O(backend.vault)
      type: str
      sample: 2.7.2
    paths:
      description: Its files on the target, C(certificate), C(chain), C(private_key), C(csr) and C(crl).
      returned: unless it was removed, with O(backend.files)
      type: dict
      sample: {certificate: /etc/pki/CA/roots/Root/certs/Root.crt, private_key: /etc/pki/CA/roots/Root/private/Root.key.pem}
    warnings:
      description: What the operator should look at.
      returned: always
      type: list
      elements: str
      sample: []
signed:
  description: What became of each element of O(sign), in the same order.
  returned: always, unless the options were refused
  type: list
  elements: dict
  contains:
    index:
      description: Its place in O(sign).
      returned: when it failed before anything was done
      type: int
      sample: 3
    name:
      description: Its name.
      returned: when it has one
      type: str
      sample: web01
    authority:
      description: Who signed.
      returned: when that was decided
      type: str
      sample: Intermediate
    changed:
      description: Whether a certificate was made, or would be.
      returned: when that was decided
      type: bool
    failed:
      description: Whether it failed; see RV(failures).
      returned: always
      type: bool
    reasons:
      description: Why a certificate was made, each with C(kind) and C(detail).
      returned: when that was decided
      type: list
      elements: dict
      sample: [{kind: missing, detail: "no certificate is kept under this name"}]
    ignored_extensions:
      description: Extensions that the request asked for and the profile does not grant.
      returned: when that was decided
      type: list
      elements: str
      sample: []
    warnings:
      description: What the operator should look at.
      returned: when that was decided
      type: list
      elements: str
      sample: []
    certificate:
      description: The certificate, PEM.
      returned: when there is one
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    chain:
      description: What stands between it and the root, PEM.
      returned: when there is a certificate
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    fullchain:
      description: The certificate and the chain, PEM.
      returned: when there is a certificate
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    ca_bundle:
      description: All above the certificate, the root too, PEM.
      returned: when there is a certificate
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    serial:
      description: Serial number, hexadecimal.
      returned: when there is a certificate
      type: str
      sample: 5F3A9C0E71D24B8896A1C4D07E55B21903FE6A4C
    fingerprint_sha256:
      description: SHA-256 of the certificate.
      returned: when there is a certificate
      type: str
      sample: "3A:6F:…"
    not_before:
      description: Start of its validity.
      returned: when there is a certificate
      type: str
      sample: "2026-11-22T06:00:00Z"
    not_after:
      description: End of its validity.
      returned: when there is a certificate or will be one
      type: str
      sample: "2027-12-25T06:00:00Z"
revoked:
  description: What became of each element of O(revoke), in the same order.
  returned: always, unless the options were refused
  type: list
  elements: dict
  contains:
    authority:
      description: Whose list it is on.
      returned: always
      type: str
      sample: Intermediate
    serial:
      description: Serial number, hexadecimal.
      returned: always
      type: str
      sample: 5F3A9C0E71D2
    at:
      description: Since when.
      returned: always
      type: str
      sample: "2026-11-22T06:00:00Z"
    reason:
      description: Why.
      returned: always
      type: str
      sample: keyCompromise
    changed:
      description: Whether it was not revoked before.
      returned: always
      type: bool
crls:
  description: The revocation lists that the task looked after, by authority.
  returned: always, unless the options were refused
  type: dict
  contains:
    path:
      description: Where it is on the target.
      returned: with O(backend.files)
      type: str
      sample: /etc/pki/CA/roots/Root/crl/Root.crl
    number:
      description: Its number.
      returned: unless it would be made, in check mode
      type: int
      sample: 4
    next_update:
      description: Until when it is good.
      returned: always
      type: str
      sample: "2026-12-22T06:00:00Z"
    changed:
      description: Whether it was made anew.
      returned: always
      type: bool
    reasons:
      description: Why it was, each with C(kind) and C(detail).
      returned: always
      type: list
      elements: dict
      sample: [{kind: revoked, detail: "1 more certificate is revoked"}]
vault_config:
  description:
    - What became of each object of O(vault_config); in check mode what it would be. Objects of which there can be several are
      below C(roles), C(policies), C(auth), C(approles) and C(secret_ids), by name. No secret is in it.
    - Each has C(changed), C(action) (V(created), V(updated), V(removed) or V(none)) and C(fields), the fields that change with
      C(before) and C(after).
    - Roles of AppRole have C(role_id) too, unless no secret is needed to log in, which makes it one.
    - Secrets have C(action) (V(issued) or V(none)), C(reason), C(path) and C(accessor), by which they can be destroyed. C(tidy) has
      C(action) (V(started) or V(none)), C(disable) the list C(exported) of files.
  returned: when O(vault_config) is given
  type: dict
  sample: {roles: {web: {changed: true, action: updated, fields: {max_ttl: {before: 3600, after: 86400}}}}}
server:
  description: The state of the server.
  returned: with O(backend.vault)
  type: dict
  contains:
    url:
      description: The node that was asked.
      returned: always
      type: str
      sample: https://vault.example.org:8200
    version:
      description: Its version.
      returned: always
      type: str
      sample: 2.7.2
    initialized:
      description: Whether it was initialized.
      returned: always
      type: bool
    sealed:
      description: Whether it is sealed.
      returned: always
      type: bool
    standby:
      description: Whether another node leads.
      returned: always
      type: bool
    cluster:
      description: Whether there can be more than one node.
      returned: always
      type: bool
    leader:
      description: Who leads. Empty during an election.
      returned: when there can be more than one node
      type: str
      sample: https://vault-1.example.org:8200
    clock_skew:
      description: By how many seconds its clock is ahead of the target's. More than a minute is a warning.
      returned: always
      type: int
      sample: 0
issuers:
  description: All issuers of the mount, with the facts of RV(authorities), their C(name), which may be empty, and C(state).
    A server that is sealed or was not initialized does not tell them, and then there is no such list; an empty one says that there are none.
  returned: with O(inspect), where the server serves
  type: list
  elements: dict
  sample: [{name: root-1, state: active, serial: 5F3A9C0E71D2, not_after: "2036-11-19T06:00:00Z", is_default: true}]
failures:
  description: What failed, each with C(item), C(kind), C(msg), C(caused_by), perhaps C(hint), and facts of its kind.
  returned: always, unless the options were refused
  type: list
  elements: dict
  sample: [{item: "authorities[Root]", kind: authority.drift, msg: "authority 'Root' differs from what is wished: …"}]
msg:
  description: What was done, or why the task failed.
  returned: always
  type: str
  sample: created Intermediate, Root
faults:
  description: Everything that is wrong with the options.
  returned: when the options were refused
  type: list
  elements: dict
  contains:
    path:
      description: Which option. Empty where it is the whole.
      returned: always
      type: str
      sample: "authorities[1].parent"
    message:
      description: What is wrong with it.
      returned: always
      type: str
      sample: "a root signs itself; leave parent out or give type: intermediate"
error:
  description: Why the task failed, for playbooks to act on.
  returned: when the task failed
  type: dict
  contains:
    kind:
      description:
        - V(input.invalid), the options are wrong; see RV(faults). V(entries.failed), several failed; see RV(failures). Else
          the kind of the only one that failed.
        - "Authorities: V(authority.drift), V(authority.expired), V(authority.not_yet_valid), V(authority.in_use),
          V(authority.missing), V(authority.no_issuer), V(authority.out_of_service), V(authority.dependency),
          V(authority.key_foreign), V(authority.key_lost), V(authority.key_unavailable)."
        - "Signing and revoking: V(sign.no_active_authority), V(sign.name_not_permitted), V(sign.path_length),
          V(sign.unverified), V(revoke.foreign), V(revoke.issuer_outside), V(revoke.root), V(crl.failed)."
        - "What was uploaded: V(signed.expired), V(signed.not_yet_valid), V(signed.key_mismatch), V(signed.not_authority),
          V(signed.no_key_cert_sign), V(signed.path_length), V(signed.name_constraints), V(signed.signature),
          V(signed.chain_incomplete), V(signed.key_identifier), V(signed.unknown_critical), V(signed.invalid), V(signed.no_key),
          V(signed.self_signed), V(signed.ambiguous). With O(backend.vault) also V(signed.unrelated), V(signed.root_mismatch),
          V(signed.depth), V(signed.short_life), V(signed.extended_key_usage), V(signed.not_mapped)."
        - "In a Vault: V(authority.is_default), V(authority.not_proven), V(authority.subject), V(crl.not_allowed), V(revoke.unknown),
          V(vault.no_mount), V(vault.ttl_too_long), V(vault.too_old), V(vault.permission_denied), V(vault.token_invalid), V(vault.login_refused),
          V(vault.wrapped_secret_used), V(vault.sealed), V(vault.not_initialized), V(vault.no_leader), V(vault.unreachable),
          V(vault.namespace_unknown), V(vault.plaintext), V(vault.redirect_refused), V(vault.quota), V(vault.refused) and other
          words that begin with C(vault.)."
        - "The tree: V(tree.damaged), V(tree.os)."
        - "The configuration of a mount: V(vault_config.contradiction), V(vault_config.field_unknown), V(vault_config.held),
          V(vault_config.mount_missing), V(vault_config.mount_below), V(vault_config.mount_foreign), V(vault_config.not_taken), V(vault_config.permissions),
          V(vault_config.tidy)."
        - V(program.no_architecture), the collection has no program for the target. V(program.not_placed), the program could
          not be put on the target. V(program.no_answer), it ended without an answer.
      returned: always
      type: str
      sample: authority.drift
    caused_by:
      description: The chain of causes.
      returned: always
      type: list
      elements: str
      sample: []
    hint:
      description: What to do.
      returned: where there is something to say
      type: str
      sample: "renew it with 'regenerate: Root'"
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import PKI_CA
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run('pki_ca', PKI_CA)


if __name__ == "__main__":
    main()
