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
  - Makes roots and intermediates in a directory tree, signs requests, revokes certificates and keeps revocation lists fresh.
  - The tree is laid out as that of OpenStack-Ansible's PKI role. An existing one is adopted without issuing anything.
  - An authority is never overwritten silently. If the one on disk differs from what is wished, the task fails, says where, and
    which option makes a new one.
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
            description: Root of the tree. Its parent must exist.
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
  authorities:
    description: The wished authorities. Those in the tree that are not named are left alone.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Names its files, results and messages.
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
            description: Kind of key. V(rsa) where nothing is said.
            type: str
            choices: [rsa, ecdsa, ed25519, ed448]
          size:
            description: Bits of an RSA key, 2048 to 8192. V(4096) where nothing is said.
            type: int
          curve:
            description: Curve of an ECDSA key, V(P-256) (where nothing is said), V(P-384) or V(P-521).
            type: str
          passphrase:
            description: Encrypts the key on disk. At least 4 characters.
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
        description: The names that it, and all below it, may certify (RFC 5280 section 4.2.1.10).
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
        description: Where its issuer's revocation list is published; written into its certificate.
        type: list
        elements: str
      issuer_urls:
        description: Where its issuer's certificate is published; written into its certificate.
        type: list
        elements: str
      policies:
        description: Certificate policies, as dotted object identifiers.
        type: list
        elements: str
      signed:
        description:
          - For O(authorities[].state=signed), the certificate and those above it, PEM, in any order.
          - Checked before anything changes are the key, the signatures, the dates, that it is an authority which may sign
            certificates, its identifiers, path lengths and name constraints.
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
  regenerate:
    description:
      - Authorities whose certificate is made anew for the same key, in this run and in every run that says so.
      - A name, a list of names, or V(true) for all of O(authorities).
    type: raw
  regenerate_key:
    description:
      - Authorities whose key and certificate are made anew. Everything below them must be issued again.
      - A name, a list of names, or V(true) for all of O(authorities).
    type: raw
  sign:
    description: Requests to be signed.
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
        description: Since when, as V(2026-11-22T06:00:00Z). Now where nothing is said.
        type: str
  crl:
    description: Revocation lists to be kept fresh. A list that a revocation changes is always written.
    type: dict
    suboptions:
      authorities:
        description: V(all), a name, or a list of names.
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
  lock_timeout:
    description: How long to wait for another run on the same tree, as V(60s).
    type: str
    default: 60s
  parallel:
    description: How many signatures to make at once. The number of cores where nothing is said.
    type: int
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
"""

RETURN = r"""
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
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import PKI_CA
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run(PKI_CA)


if __name__ == "__main__":
    main()
