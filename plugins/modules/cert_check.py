#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: cert_check
short_description: Checks what every service really serves, by whom, and when it ends
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Looks at endpoints by TLS handshakes, all at once, and at certificates in files. Tells of each what is wrong, how bad that is
    and what to do, and writes the whole as a page, as a textfile for Prometheus, and as JSON.
  - Checked are the chain (complete, in order, trusted by which root), names, dates, the strength of keys and signatures, whether
    the key belongs to the certificate, whether what is served is what is in the file, revocation, keys that more than one service
    uses, and certificates that nobody serves.
  - As root it finds out which process of this host answered, and in which container it lives.
  - An endpoint that hangs delays no other. All of them are through within O(timeout), however many hang.
  - Changes nothing but the reports that it is told to write. These hold the moment of the check, so they change with each run.
  - Runs without Ansible too, C(cert_check --config FILE), where FILE has the same options as JSON. It then tells people on standard
    output, and programs by its status. 0 is all is well, 1 there are warnings, 2 something has failed or a
    report could not be written, 3 nothing could be checked.
options:
  endpoints:
    description: Where to look.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description:
          - What the service is called. Endpoints of one service may have one key. The server name or the host where nothing is said.
        type: str
        aliases: [name]
      host:
        description: Name or address. A name is looked up in C(/etc/hosts) and then by DNS; its addresses are tried in turn.
        type: str
        required: true
      address:
        description: The address to connect to, whatever address the host has. For one of several nodes behind a name.
        type: str
      port:
        description: The port.
        type: int
        default: 443
      sni:
        description: The server name to send. The host where nothing is said; an empty string sends none.
        type: str
      starttls:
        description:
          - What comes before TLS. V(auto) is what is usual at the port, V(none) is TLS at once, as RabbitMQ, libvirt and LDAPS have it.
          - V(vnc) is VNC with VeNCrypt, as QEMU and TigerVNC speak it.
        type: str
        choices: [auto, none, imap, ldap, mysql, pop3, postgres, smtp, vnc, xmpp]
        default: auto
      names:
        description: Names and addresses that the certificate must be good for. The server name, or the host, where nothing is said.
        type: list
        elements: str
      certificate:
        description: The file whose first certificate it must serve, in PEM.
        type: path
      warn:
        description: As O(warn), for this one.
        type: str
      fail:
        description: As O(fail), for this one.
        type: str
      allow_shared:
        description: Other services may have the same key. It is in RV(shared_keys) and no warning then.
        type: bool
        default: false
  domains:
    description: More endpoints, each as C(host), C(host:port) or C(host port), as OpenDev's lists of domains have them.
    type: list
    elements: str
    default: []
  files:
    description: Certificates in files of this host.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description: What the service that uses it is called.
        type: str
        aliases: [name]
      path:
        description: The file, in PEM. The first certificate in it counts, the others are its chain. It may hold the key as well.
        type: path
        required: true
      private_key:
        description: The file of its key. Of an encrypted key nothing is said.
        type: path
      names:
        description: Names and addresses that it must be good for.
        type: list
        elements: str
      warn:
        description: As O(warn), for this one.
        type: str
      fail:
        description: As O(fail), for this one.
        type: str
      allow_shared:
        description: Other services may have the same key.
        type: bool
        default: false
      served:
        description: Some endpoint of the task must serve it. Nothing is said of it while an endpoint that may serve it does not answer.
        type: bool
        default: true
  warn:
    description:
      - How long before its end a certificate is warned of, as V(30d), V(12h) or V(20%) of its lifetime. A number alone is days.
      - Where nothing is said, 30 days or a third of its lifetime, whichever is less.
    type: str
  fail:
    description:
      - How long before its end a certificate counts as failed.
      - Where nothing is said, 7 days or a tenth of its lifetime, whichever is less, and no earlier than the warning.
    type: str
  trust:
    description: Whose certificates count.
    type: dict
    default: {ca_path: [], system: true}
    suboptions:
      ca_path:
        description: Files of roots in PEM, and directories of them. Only self-signed certificates in them count.
        type: list
        elements: path
        default: []
      system:
        description: The roots of the system count.
        type: bool
        default: true
  revocation:
    description: How to find out that a certificate was revoked.
    type: dict
    default: {crl: [], fetch: false, stapled: true}
    suboptions:
      crl:
        description: Lists of revoked certificates, files or URLs, PEM or DER. A list counts only for the authority that signed it.
        type: list
        elements: str
        default: []
      fetch:
        description: Fetch the lists that the certificates name, those over HTTP and HTTPS; at most four of a certificate and 200 in all.
        type: bool
        default: false
      stapled:
        description: Look at the OCSP answer that servers hand out with their certificate.
        type: bool
        default: true
  timeout:
    description: Seconds that one endpoint may take, name lookup and all.
    type: int
    default: 10
  deadline:
    description: Seconds that all endpoints together may take. What was not asked by then counts as failed.
    type: int
    default: 120
  parallel:
    description:
      - Endpoints at once, at most. It begins with 16 and doubles while those that are asked do not answer.
    type: int
    default: 512
  attribution:
    description: Whether to find out which process and container answer. V(auto) does so as root.
    type: str
    choices: [auto, never]
    default: auto
  engine_socket:
    description: The socket of the container engine that knows the names of containers, where it is in no usual place.
    type: path
  fail_on:
    description: When the task fails. V(fail) is when something has failed, V(warn) also when there are warnings, V(none) is never.
    type: str
    choices: [none, fail, warn]
    default: fail
  report:
    description: What to write. Each file is replaced as a whole, its directory must exist, and it is written also when the task fails.
    type: dict
    default: {include: []}
    suboptions:
      host:
        description: What this host is called in them. Its own name where nothing is said.
        type: str
      html:
        description: The page, one file without anything from outside.
        type: path
      prometheus:
        description: The textfile for node_exporter, a C(.prom) file in the directory of its textfile collector.
        type: path
      json:
        description: All that was found.
        type: path
      include:
        description: Reports of other hosts, JSON files or directories of C(.json) files, which the page shows as well.
        type: list
        elements: path
        default: []
extends_documentation_fragment:
  - tls.everywhere.attributes
  - tls.everywhere.attributes.actiongroup
attributes:
  check_mode:
    support: full
    description: Looks at everything and writes no report.
  diff_mode:
    support: none
    description: Nothing of a service is changed.
  idempotent:
    support: partial
    description: Changes nothing without O(report). A report holds the moment of its check and is written by each run.
seealso:
  - module: tls.everywhere.cert_request
  - module: tls.everywhere.container_restart
"""

EXAMPLES = r"""
- name: What the control plane serves
  tls.everywhere.cert_check:
    endpoints:
      - {service: internal-api, host: internal.cloud.example, port: 5000, certificate: /etc/haproxy/ssl/internal_api.pem}
      - {service: rabbitmq, host: "{{ inventory_hostname }}", port: 5671, certificate: /etc/rabbitmq/rabbitmq.pem}
      - {service: mariadb, host: "{{ inventory_hostname }}", port: 3306}
      - {service: libvirt, host: "{{ inventory_hostname }}", port: 16514}
      - {service: ldap, host: ldap.cloud.example, port: 389, starttls: ldap}
    files:
      - {service: mariadb, path: /etc/mysql/server.crt, private_key: /etc/mysql/server.key}
    trust: {ca_path: [/etc/pki/cloud/roots/CloudRoot/certs/CloudRoot.crt]}
    report:
      json: /var/lib/certcheck/report.json
      prometheus: /var/lib/prometheus/node-exporter/certcheck.prom

- name: OpenDev's list of domains, only reported
  tls.everywhere.cert_check:
    domains: ["opendev.example 443", "lists.opendev.example 443", "mail.opendev.example 25"]
    warn: 30d
    fail_on: none
  register: checked

- name: One page of all hosts, where their reports were fetched to
  tls.everywhere.cert_check:
    domains: [cloud.example]
    report:
      html: /var/www/certcheck/index.html
      include: [/var/lib/certcheck/hosts]

- name: Revoked certificates count
  tls.everywhere.cert_check:
    endpoints: [{host: api.cloud.example}]
    revocation: {crl: [/etc/pki/cloud/cloud.crl], fetch: true}
"""

RETURN = r"""
status:
  description: The worst of everything.
  returned: when it could be checked
  type: str
  sample: warn
summary:
  description: How many endpoints and files are at each level.
  returned: when it could be checked
  type: dict
  contains:
    ok:
      description: As they should be.
      returned: always
      type: int
      sample: 41
    warn:
      description: With warnings.
      returned: always
      type: int
      sample: 1
    fail:
      description: Failed.
      returned: always
      type: int
      sample: 0
problems:
  description: Each problem in words, the worst first.
  returned: when it could be checked
  type: list
  elements: str
  sample: ["warn: mariadb (node-1:3306): it expires at 2026-12-09T06:00:00Z, in 13 days; renew it [expires_soon]"]
endpoints:
  description: The endpoints, in the order in which they were given.
  returned: when it could be checked
  type: list
  elements: dict
  contains:
    service:
      description: What the service is called.
      returned: always
      type: str
      sample: mariadb
    host:
      description: The name or address that was asked for.
      returned: always
      type: str
      sample: node-1
    address:
      description: The address that answered, or was tried last.
      returned: when the host has one
      type: str
      sample: 10.0.0.11
    port:
      description: The port.
      returned: always
      type: int
      sample: 3306
    sni:
      description: The server name that was sent.
      returned: when one was sent
      type: str
      sample: node-1
    protocol:
      description: V(tls), or the protocol that went over to TLS.
      returned: always
      type: str
      sample: mysql
    status:
      description: The worst of its findings.
      returned: always
      type: str
      sample: warn
    findings: &findings
      description: What is wrong; empty if all is well.
      returned: always
      type: list
      elements: dict
      contains:
        kind:
          description:
            - "A stable word. Time and names: V(expired), V(not_yet_valid), V(expires_soon), V(name_mismatch), V(not_for_servers)."
            - "The chain: V(chain_incomplete), V(chain_order), V(chain_unneeded), V(chain_expired), V(chain_expires_soon),
              V(chain_signature), V(chain_invalid), V(self_signed), V(untrusted)."
            - "Strength and keys: V(weak_key), V(weak_signature), V(key_mismatch), V(key_unreadable), V(shared_key)."
            - "What is served: V(stale) for the certificate before that of the file, V(other_certificate), V(certificate_damaged),
              V(handshake_broken), V(unserved), V(file_unreadable)."
            - "Revocation: V(revoked), V(revocation_unknown), V(crl_outdated), V(staple_invalid), V(staple_missing)."
            - "Not reached: V(name_lookup), V(deadline), V(probe.connect), V(probe.timed_out), V(probe.not_tls), V(probe.starttls),
              V(probe.tls), V(probe.closed), V(probe.no_certificate), V(probe.too_much), V(probe.io)."
          returned: always
          type: str
          sample: expires_soon
        level:
          description: V(warn) or V(fail).
          returned: always
          type: str
          sample: warn
        detail:
          description: What, why, and what to do.
          returned: always
          type: str
          sample: "it expires at 2026-12-09T06:00:00Z, in 13 days; renew it"
    chain: &chain
      description: The certificates in the order in which they came, the server's own first.
      returned: always
      type: list
      elements: dict
      contains:
        subject:
          description: Its subject.
          returned: always
          type: str
          sample: CN=node-1
        issuer:
          description: Its issuer.
          returned: always
          type: str
          sample: CN=Cloud Services CA
        names:
          description: What it is good for.
          returned: always
          type: list
          elements: str
          sample: [node-1, 10.0.0.11]
        not_before:
          description: Valid from.
          returned: always
          type: str
          sample: "2026-09-10T06:00:00Z"
        not_after:
          description: Valid until.
          returned: always
          type: str
          sample: "2026-12-09T06:00:00Z"
        serial:
          description: Its number, hexadecimal.
          returned: always
          type: str
          sample: 1A64652BDF917604E735D25C53E123361370F267
        fingerprint_sha256:
          description: SHA-256 of all of it.
          returned: always
          type: str
          sample: "43:CD:…"
        key:
          description: Its public key.
          returned: always
          type: dict
          contains:
            algorithm:
              description: V(rsa), V(ecdsa), V(ed25519), V(ed448) or V(other).
              returned: always
              type: str
              sample: ecdsa
            bits:
              description: The size of an RSA key.
              returned: for RSA
              type: int
              sample: 2048
            curve:
              description: The curve of an ECDSA key.
              returned: for ECDSA
              type: str
              sample: P-256
            sha256:
              description: SHA-256 of it. Two certificates with the same have one key.
              returned: always
              type: str
              sample: f01a26c6…
        signature:
          description: How its issuer signed.
          returned: always
          type: str
          sample: ecdsa-with-SHA256
    trusted_by: &trusted_by
      description: The trusted root that the chain leads to.
      returned: when there is one
      type: dict
      contains:
        subject:
          description: Its subject.
          returned: always
          type: str
          sample: CN=Cloud Root CA
        fingerprint_sha256:
          description: Its SHA-256.
          returned: always
          type: str
          sample: "9F:01:…"
        not_after:
          description: Valid until.
          returned: always
          type: str
          sample: "2036-09-10T06:00:00Z"
    chain_not_after:
      description: When the first ends of those that a client needs, its own certificate, the root, and what is between.
      returned: when a certificate came
      type: str
      sample: "2027-02-24T06:00:00Z"
    served_by:
      description: The process of this host that answered.
      returned: as root, when it is one of this host
      type: dict
      contains:
        process:
          description: Its name.
          returned: always
          type: str
          sample: mariadbd
        pid:
          description: Its number on this host.
          returned: always
          type: int
          sample: 4711
        container:
          description: The container that it lives in.
          returned: when it lives in one
          type: str
          sample: mariadb
    seconds:
      description: How long it took.
      returned: always
      type: float
      sample: 0.012
  sample: []
files:
  description: The files, in the order in which they were given.
  returned: when it could be checked
  type: list
  elements: dict
  contains:
    service:
      description: What the service is called; empty if nothing was said.
      returned: always
      type: str
      sample: mariadb
    path:
      description: Where it is.
      returned: always
      type: str
      sample: /etc/mysql/server.crt
    status:
      description: The worst of its findings.
      returned: always
      type: str
      sample: ok
    findings: *findings
    chain: *chain
    trusted_by: *trusted_by
    served_at:
      description: The endpoints that serve it.
      returned: always
      type: list
      elements: str
      sample: ["node-1:3306"]
  sample: []
shared_keys:
  description: Keys that more than one service uses, also where that is allowed.
  returned: when it could be checked
  type: list
  elements: dict
  contains:
    sha256:
      description: SHA-256 of the public key.
      returned: always
      type: str
      sample: f01a26c6…
    users:
      description: Who.
      returned: always
      type: list
      elements: str
      sample: ["mariadb at node-1:3306", "rabbitmq at node-1:5671"]
  sample: []
unserved:
  description: Certificates of the files that no endpoint serves.
  returned: when it could be checked
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      returned: always
      type: str
      sample: /etc/pki/old.pem
    subject:
      description: Its subject.
      returned: always
      type: str
      sample: CN=old
    fingerprint_sha256:
      description: Its SHA-256.
      returned: always
      type: str
      sample: "12:34:…"
  sample: []
written:
  description: The reports that were written, in check mode those that would be.
  returned: when it could be checked
  type: list
  elements: str
  sample: [/var/lib/certcheck/report.json]
faults:
  description: Every fault of the options.
  returned: when the options are wrong
  type: list
  elements: dict
  contains:
    path:
      description: Where.
      returned: always
      type: str
      sample: endpoints[0].host
    message:
      description: What is wrong there.
      returned: always
      type: str
      sample: "'a b' is neither a name nor an address"
msg:
  description: One sentence for people.
  returned: always
  type: str
  sample: "41 ok, 1 with warnings, 0 failed; warn: mariadb (node-1:3306): it expires at 2026-12-09T06:00:00Z, in 13 days; renew it [expires_soon]"
error:
  description: Why the task failed.
  returned: on failure
  type: dict
  contains:
    kind:
      description:
        - V(check.failed), something that was checked has failed; V(check.warned), there are warnings, and O(fail_on=warn).
        - V(input.invalid), the options are wrong, see RV(faults). V(trust.unreadable), the roots cannot be read.
        - Kinds that begin with V(probe.) say that TLS cannot be prepared; those that begin with V(files.) that a report cannot be
          written.
        - V(program.no_architecture), the collection has no program for the target. V(program.not_placed), the program could
          not be put on the target. V(program.no_answer), it ended without an answer.
      returned: always
      type: str
      sample: check.failed
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
      sample: "'problems' has each with what to do; fail_on: none only reports"
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_CHECK
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run('cert_check', CERT_CHECK)


if __name__ == "__main__":
    main()
