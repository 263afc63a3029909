#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: acme_dns_challenge
short_description: Certificates of an ACME server, with the names proved in the DNS
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Takes certificate requests (CSRs) of any hosts and has an ACME server such as Let's Encrypt sign them. The names are proved by text
    records, which one task publishes for all certificates together, waits for until every authoritative server shows them, and removes
    again. Private keys of certificates are never seen here.
  - A run that finds nothing due asks the server at most when to renew (ARI, RFC 9773), and that no more often than the server wants.
  - What the server has issued is never lost. The order is noted before each step that the server would not forget, and the next run
    goes on where a killed one ended.
  - CNAMEs of C(_acme-challenge) names are followed. Loops, dangling ones and those that leave O(target.zone) are named before
    the server is asked for anything.
  - One bad certificate does not spoil the others. All are tried, and the task fails if any failed.
options:
  phase:
    description:
      - V(all) does everything in one task. The others are its steps, for hosts that may not write the DNS.
      - V(request) orders and answers RV(txt_records). V(publish), V(wait) and V(cleanup) deal with O(records) where the DNS is written, and
        ask no server for certificates. V(complete) has the names validated and fetches the certificates.
      - V(revoke) revokes the certificates of O(certificates[].current) or O(certificates[].certificate), with the account's key, or with
        O(certificates[].private_key). What was revoked before is left as it is, and so are files. A later run that finds a revoked certificate
        in service orders another, if it has the same O(state_dir).
      - V(deactivate_authz) gives up all that was proved of the names of O(certificates), and open orders for them. Until they are proved anew
        nobody has certificates for them with this account. At a server that does not list orders, as Let's Encrypt, it costs an order or two.
      - V(rollover) gives the account another key, ECDSA P-256, each time it is run. It takes the place of the old one in O(account_key).
        Meanwhile it is in a file beside, with C(.next) behind its name. Wherever a run is cut off, the next task with the same O(account_key)
        finds out which of both counts. No other host may have a copy of the key.
      - V(deactivate_account) gives the account up, for ever. Its certificates stay valid. The file of its key stays.
      - In check mode these four ask nobody and say what they would do, though the server may have done it already.
    type: str
    choices: [all, request, publish, wait, complete, cleanup, revoke, deactivate_authz, rollover, deactivate_account]
    default: all
  directory:
    description:
      - V(letsencrypt), V(letsencrypt-staging), or the https URL of a server's directory. Phases that ask a server need it.
    type: str
  ca_file:
    description: Authorities of the server's own certificate in PEM, beside those that the host trusts.
    type: path
  account_key:
    description:
      - The private key of the account, ECDSA P-256 or P-384, or RSA, in PEM. Phases that ask a server need it.
      - Made if it is missing, O(account_create) allows it and O(account_uri) is not given. It is readable by its owner only.
    type: path
  account_create:
    description: Whether an account is made for a key that has none. If not, a lost account is an error.
    type: bool
    default: true
  account_uri:
    description: The only account that may be used. A key of another one is an error, before anything is ordered.
    type: str
  account_import:
    description:
      - The directory or the key file of an account that acme.sh, certbot or lego made, for example C(/root/.acme.sh/ca/acme-v02.api.letsencrypt.org),
        C(/etc/letsencrypt/accounts/acme-v02.api.letsencrypt.org) or C(/root/.lego/accounts). Its key, ECDSA P-256 or P-384, or RSA, is copied to
        O(account_key) if there is no such file yet and the server knows the account. What the other program has is only read.
      - If the other program noted the account's URL, the server must say the same.
    type: path
  contact:
    description:
      - URLs whom the server tells of what happens, as mailto:ADDRESS. Set when the account is made, and changed when they differ, whenever a
        task needs the account. A server that keeps none, as Let's Encrypt, is not told again.
    type: list
    elements: str
    default: []
  terms_agreed:
    description: Whether you agree to the server's terms of service. Most servers make no account without.
    type: bool
    default: false
  eab:
    description: Credentials from the server's operator that bind a new account to one of theirs (external account binding).
    type: dict
    suboptions:
      kid:
        description: The name of the key.
        type: str
        required: true
      hmac_key:
        description: The key, base64url.
        type: str
        required: true
      algorithm:
        description: What is made with it.
        type: str
        choices: [HS256, HS384, HS512]
        default: HS256
  certificates:
    description: The certificates. Without any there is nothing to do, and no server is asked.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How results and the files below O(state_dir) call it. Unique in the task and in that directory.
        type: str
        required: true
      csr:
        description: A file with the request, PEM. Its subjectAltName says for which names and addresses the certificate is.
        type: path
      csr_content:
        description: The request itself. Give exactly one of both.
        type: str
      current:
        description:
          - The certificate that is in service, to judge whether it is due. By default the copy that is kept below O(state_dir), else
            what is in O(certificates[].files).
          - A later certificate that is kept for the same request counts before it, as V(repaired). It was issued, and whoever had to bring
            it there was cut off.
          - In the phase V(revoke) the certificate that is revoked, and in V(deactivate_authz) where the names stand.
        type: path
      certificate:
        description: The same in PEM, for the phases V(revoke) and V(deactivate_authz). Of several the first counts.
        type: str
      private_key:
        description: The certificate's own private key, PEM. With it the phase V(revoke) needs no account.
        type: path
      reason:
        description: Why it is revoked, by its name in RFC 5280. By default none is told. Servers take only some.
        type: str
        choices:
          - unspecified
          - keyCompromise
          - cACompromise
          - affiliationChanged
          - superseded
          - cessationOfOperation
          - certificateHold
          - privilegeWithdrawn
          - aACompromise
      profile:
        description: One of the server's profiles, for example V(shortlived). It must come back in the order.
        type: str
      preferred_chain:
        description:
          - Which chain is taken where the server offers several, by the root that it leads to. A common name, a subject as C(CN=a, O=b), or a
            key identifier of 40 hexadecimal digits. If none leads there, the server's own is taken, with a warning.
        type: str
      files:
        description: Where the certificate goes on this host. All files are replaced or none. Without any, take it from the result.
        type: list
        elements: dict
        default: []
        suboptions:
          content:
            description: What is in it.
            type: str
            required: true
            choices: [certificate, chain, fullchain]
          path:
            description: Where.
            type: path
            required: true
          owner:
            description: Name or number.
            type: str
          group:
            description: Name or number.
            type: str
          mode:
            description: Octal text, number or symbolic.
            type: raw
  challenge:
    description:
      - How names are proved. V(dns-account-01) puts a label of the account before the name, V(dns-persist-01) a record that stays. Not
        every server offers those.
    type: str
    choices: [dns-01, dns-account-01, dns-persist-01]
    default: dns-01
  target:
    description: Where records may be written.
    type: dict
    suboptions:
      zone:
        description: The only zone. A name that does not lead there by CNAMEs is an error. Without it records go where the CNAMEs lead.
        type: str
  provider:
    description: How records are published. Phases V(all), V(publish) and V(cleanup) need exactly one of these.
    type: dict
    suboptions:
      rfc2136:
        description: Dynamic updates, one message for all records of a zone. Records of others at the same names stay.
        type: dict
        suboptions:
          server:
            description: Address of the primary server, with a port if it is not 53.
            type: str
            required: true
          zone:
            description: The zone to name in updates, where it is not the one that the DNS says.
            type: str
          key_name:
            description: The name of the TSIG key.
            type: str
          algorithm:
            description: Of the key, V(hmac-sha1), V(hmac-sha224), V(hmac-sha256), V(hmac-sha384) or V(hmac-sha512).
            type: str
            default: hmac-sha256
          secret:
            description: The key in base64, as C(tsig-keygen) writes it.
            type: str
          secret_file:
            description: A file with nothing but that. Give one of both with O(provider.rfc2136.key_name).
            type: path
          ttl:
            description: Seconds for which records may be kept.
            type: int
            default: 1
          timeout:
            description: How long the server has for an answer.
            type: str
            default: 10s
      zone_file:
        description:
          - A section of its own in a zone file of BIND or the like on this host. The rest of the file stays as it is, but for the serial.
        type: dict
        suboptions:
          path:
            description: The file.
            type: path
            required: true
          zone:
            description: Its zone.
            type: str
            required: true
          check:
            description: A program with arguments that judges the new file on its standard input before it takes the old one's place.
            type: list
            elements: str
          reload:
            description: A program with arguments that tells the server.
            type: list
            elements: str
          keep:
            description: For how long records of other runs stay.
            type: str
            default: 60m
          ttl:
            description: Seconds for which records may be kept.
            type: int
            default: 1
          timeout:
            description: How long each program may take.
            type: str
            default: 60s
      hook:
        description:
          - Any program. It gets C({"action":"publish","records":[...]}) (or C(withdraw)) as JSON on its standard input, each record with
            C(name), C(zone), C(value) and C(ttl), and ends with 0 when all is done. No shell is started.
        type: dict
        suboptions:
          command:
            description: The program and its arguments.
            type: list
            elements: str
            required: true
          ttl:
            description: Seconds for which records may be kept.
            type: int
            default: 60
          timeout:
            description: How long it may take.
            type: str
            default: 5m
      powerdns:
        description: The HTTP API of a PowerDNS authoritative server. Records of others at the same names stay.
        type: dict
        suboptions:
          url:
            description: The API without its path, as C(http://127.0.0.1:8081). The key goes in clear over http.
            type: str
            required: true
          api_key:
            description: The key of the API. Give exactly one of it and O(provider.powerdns.api_key_file).
            type: str
          api_key_file:
            description: A file with nothing but that.
            type: path
          server_id:
            description: Which server, where a proxy stands before several.
            type: str
            default: localhost
          ca_file:
            description: Authorities of the API's certificate in PEM, beside those that the host trusts.
            type: path
          ttl:
            description: Seconds for which records may be kept.
            type: int
            default: 1
          timeout:
            description: How long one answer may take.
            type: str
            default: 30s
      route53:
        description:
          - Amazon's Route 53. Neither the environment nor the role of the host is used, only what stands here.
        type: dict
        suboptions:
          access_key:
            description: The identifier of the access key.
            type: str
            required: true
          secret_key:
            description: Its secret. Give exactly one of it and O(provider.route53.secret_key_file).
            type: str
          secret_key_file:
            description: A file with nothing but that.
            type: path
          session_token:
            description: What comes with temporary credentials.
            type: str
          session_token_file:
            description: A file with nothing but that.
            type: path
          hosted_zone_id:
            description: The zone. By default the public one of the name is looked for.
            type: str
          region:
            description: The region that requests are signed for, V(us-gov-west-1) or V(cn-northwest-1) in other partitions than the usual.
            type: str
            default: us-east-1
          url:
            description: Where the service is, for example C(https://route53.us-gov.amazonaws.com).
            type: str
            default: https://route53.amazonaws.com
          ca_file:
            description: Authorities of the service's certificate in PEM, beside those that the host trusts.
            type: path
          ttl:
            description: Seconds for which records may be kept.
            type: int
            default: 1
          timeout:
            description: How long one answer may take.
            type: str
            default: 30s
      cloudflare:
        description: Cloudflare's DNS. One resource for each record, so nobody else's are touched.
        type: dict
        suboptions:
          token:
            description: An API token. Give exactly one of it and O(provider.cloudflare.token_file).
            type: str
          token_file:
            description: A file with nothing but that.
            type: path
          zone_id:
            description: The zone of all records. Without it the token must be allowed to read zones, and the zone is looked for by its name.
            type: str
          url:
            description: Where the API is.
            type: str
            default: https://api.cloudflare.com/client/v4
          ca_file:
            description: Authorities of the API's certificate in PEM, beside those that the host trusts.
            type: path
          ttl:
            description: Seconds for which records may be kept, 60 at least.
            type: int
            default: 60
          timeout:
            description: How long one answer may take.
            type: str
            default: 30s
      designate:
        description: OpenStack's DNS. Records of others at the same names stay.
        type: dict
        suboptions:
          cloud:
            description:
              - An entry of clouds.yaml, with what a secure.yaml beside it adds.
              - Give exactly one of it and O(provider.designate.auth).
            type: str
          clouds_files:
            description: Where clouds.yaml is looked for. The first file that exists is taken.
            type: list
            elements: path
            aliases: [clouds_file]
            default: [~/.config/openstack/clouds.yaml, /etc/openstack/clouds.yaml]
          auth:
            description: Who asks, in the words of clouds.yaml.
            type: dict
            suboptions:
              auth_url:
                description: Where Keystone is.
                type: str
                required: true
              username:
                description: The user, by name.
                type: str
              user_id:
                description: The user, by identifier.
                type: str
              user_domain_name:
                description: The domain of the user, by name. By default the one with the identifier V(default).
                type: str
              user_domain_id:
                description: The domain of the user, by identifier.
                type: str
              password:
                description: The user's password.
                type: str
              password_file:
                description: A file with nothing but that.
                type: path
              project_name:
                description: The project that owns the zone, by name.
                type: str
              project_id:
                description: The project that owns the zone, by identifier.
                type: str
              project_domain_name:
                description: The domain of the project, by name. By default the one with the identifier V(default).
                type: str
              project_domain_id:
                description: The domain of the project, by identifier.
                type: str
              application_credential_id:
                description: An application credential, by identifier.
                type: str
              application_credential_name:
                description: An application credential, by name. It needs the user.
                type: str
              application_credential_secret:
                description: Its secret.
                type: str
              application_credential_secret_file:
                description: A file with nothing but that.
                type: path
              token:
                description: A token that is there already.
                type: str
              token_file:
                description: A file with nothing but that.
                type: path
          auth_type:
            description: How Keystone is asked. By default told by what O(provider.designate.auth) or clouds.yaml has.
            type: str
            choices: [password, v3applicationcredential, token]
          region_name:
            description: The region. By default that of clouds.yaml, else the first that has the service.
            type: str
          interface:
            description: Which endpoint. By default that of clouds.yaml, else V(public).
            type: str
            choices: [public, internal, admin]
          ca_file:
            description: Authorities of the cloud's certificates in PEM, beside those that the host trusts. By default C(cacert) of clouds.yaml.
            type: path
          ttl:
            description: Seconds for which records may be kept.
            type: int
            default: 60
          timeout:
            description: How long one answer may take.
            type: str
            default: 30s
      rackspace:
        description: Rackspace's Cloud DNS. One resource for each record, so nobody else's are touched.
        type: dict
        suboptions:
          cloud:
            description:
              - An entry of clouds.yaml whose C(auth) has C(username) and C(api_key).
              - Give either it, or O(provider.rackspace.username) with a key.
            type: str
          clouds_files:
            description: Where clouds.yaml is looked for. The first file that exists is taken.
            type: list
            elements: path
            aliases: [clouds_file]
            default: [~/.config/openstack/clouds.yaml, /etc/openstack/clouds.yaml]
          username:
            description: The user.
            type: str
          api_key:
            description: The user's API key.
            type: str
          api_key_file:
            description: A file with nothing but that.
            type: path
          identity_url:
            description: Where tokens are given.
            type: str
            default: https://identity.api.rackspacecloud.com
          url:
            description: Where the API is.
            type: str
            default: https://dns.api.rackspacecloud.com/v1.0
          ca_file:
            description: Authorities of the service's certificates in PEM, beside those that the host trusts.
            type: path
          ttl:
            description: Seconds for which records may be kept, 300 at least.
            type: int
            default: 300
          timeout:
            description: How long one answer, and one job of the service, may take.
            type: str
            default: 60s
      acme_dns:
        description:
          - An acme-dns server. Each account of it is the target of one name's CNAME. It keeps the last two values of an account and
            removes none, so that phase V(cleanup) does nothing.
        type: dict
        suboptions:
          url:
            description: The server. Passwords go in clear over http.
            type: str
            required: true
          accounts:
            description:
              - The accounts, as the server answered their registration.
              - Give exactly one of it and O(provider.acme_dns.accounts_file).
            type: list
            elements: dict
            suboptions:
              fulldomain:
                description: The name that the CNAME leads to.
                type: str
                required: true
              subdomain:
                description: How the server calls it. By default the first label of the name.
                type: str
              username:
                description: Who writes it.
                type: str
                required: true
              password:
                description: The password.
                type: str
                required: true
          accounts_file:
            description: A file in JSON with an account for each name, as lego and cert-manager have it.
            type: path
          ca_file:
            description: Authorities of the server's certificate in PEM, beside those that the host trusts.
            type: path
          timeout:
            description: How long one answer may take.
            type: str
            default: 30s
  records:
    description: Phases V(publish), V(wait) and V(cleanup). What tasks with the phase V(request) answered as RV(txt_records), of all hosts.
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: The owner of the record.
        type: str
        required: true
      value:
        description: What it says.
        type: str
        required: true
      zone:
        description: The zone that holds it. Found out where it is not given.
        type: str
      ttl:
        description: Not used. That of O(provider) counts.
        type: int
      name:
        description: Not used. The name that the server asks for.
        type: str
      certificate:
        description: Not used. The certificate that it is for.
        type: str
      identifier:
        description: Not used. The name that it proves.
        type: str
  propagation:
    description: Who is asked whether records are there.
    type: dict
    default: {}
    suboptions:
      resolvers:
        description: Addresses of recursive servers. By default those of the host.
        type: list
        elements: str
        default: []
      nameservers:
        description: Addresses of authoritative servers, with ports if they are not 53. By default all that the zone names.
        type: list
        elements: str
        default: []
      timeout:
        description: How long it may take until all show all records.
        type: str
        default: 2m
      hold:
        description: Whether to wait until resolvers have forgotten records that were at the same name before, by their TTL.
        type: bool
        default: true
  renew:
    description: When certificates are renewed.
    type: dict
    default: {}
    suboptions:
      ari:
        description: Whether the server is asked (RFC 9773). If it cannot be asked, the lifetime tells. However late it wishes the renewal, that
          comes before the last tenth of the lifetime.
        type: bool
        default: true
      before:
        description:
          - How long before the end, as C(30d) or C(33%), where the server does not say. By default the last third of the lifetime, or the
            last half of one of up to ten days, spread so that many hosts do not come at once.
        type: str
      force:
        description: Renew now.
        type: bool
        default: false
  retry:
    description: How much the server is forgiven.
    type: dict
    default: {}
    suboptions:
      max_wait:
        description: The longest time that the server may ask us to wait within a run. If it asks for more, that certificate fails and says when.
        type: str
        default: 60s
      nonces:
        description: How many nonces in a row it may refuse.
        type: int
        default: 12
      http_timeout:
        description: How long one answer may take.
        type: str
        default: 30s
      deadline:
        description:
          - How long a task may ask the server, all certificates and steps together. What is not done by then fails, and the next run goes on
            with it. One order has at most ten minutes of it.
        type: str
        default: 15m
  state_dir:
    description: Where unfinished orders, what the server said of renewals, and copies of issued certificates are kept. Made if it is missing.
    type: path
    default: /var/lib/tls-everywhere/acme
  parallel:
    description: How many certificates are worked on at once. By default 8, as they wait for the server.
    type: int
extends_documentation_fragment:
  - tls.everywhere.attributes
  - tls.everywhere.attributes.actiongroup
notes:
  - The program is also a helper of certmonger, which then makes keys, tracks and renews certificates that an ACME server signs, as
    C(getcert add-ca -c NAME -e "/usr/local/libexec/tls-everywhere/acme_dns_challenge --certmonger FILE"). FILE holds the options of this
    module as JSON, O(certificates) at most one entry with C(profile) and C(preferred_chain). C(getcert request -T) names the profile. The
    role C(tls.everywhere.certmonger) sets it up. What the server refuses becomes CA_REJECTED, what is not set up CA_UNCONFIGURED, and
    what may pass is tried again after a quarter of an hour, or when the server says.
seealso:
  - module: tls.everywhere.cert_request
"""

EXAMPLES = r"""
- name: Keys and requests on each host
  tls.everywhere.cert_request:
    certificates:
      - name: www
        dns: ["{{ inventory_hostname }}"]
        issuer: {external: {}}
        files:
          - {content: private_key, path: /etc/ssl/private/www.key}
          - {content: fullchain, path: /etc/ssl/certs/www.pem}
  register: wished

- name: All certificates of all hosts in one task, where the key of the DNS is
  tls.everywhere.acme_dns_challenge:
    directory: letsencrypt
    account_key: /etc/letsencrypt/account.key
    terms_agreed: true
    contact: ["mailto:infra@example.org"]
    certificates:
      - name: host01
        csr_content: "{{ hostvars['host01'].wished.certificates.www.csr }}"
    target: {zone: acme.example.org}
    provider:
      rfc2136: {server: 192.0.2.53, key_name: acme, secret_file: /etc/letsencrypt/tsig.secret}
  delegate_to: localhost
  run_once: true
  register: issued

- name: OpenDev's way, on each host
  tls.everywhere.acme_dns_challenge:
    phase: request
    directory: letsencrypt-staging
    account_key: /etc/letsencrypt/account.key
    terms_agreed: true
    certificates:
      - name: main
        csr: /etc/letsencrypt-certs/main/main.csr
        files:
          - {content: fullchain, path: /etc/letsencrypt-certs/main/fullchain.cer, owner: root, group: letsencrypt, mode: "0644"}
  register: acme

# All of all hosts: "{{ ansible_play_hosts_all | map('extract', hostvars, ['acme', 'txt_records']) | flatten }}"
- name: Once, on the hidden primary
  tls.everywhere.acme_dns_challenge:
    phase: publish
    records:
      - {target: host01.acme.example.org, value: gfj9XqExampleValueRg85nM}
    provider:
      zone_file:
        path: /var/lib/bind/zones/acme.example.org/zone.db
        zone: acme.example.org
        reload: [rndc, reload, acme.example.org]

- name: Go on with the account of certbot
  tls.everywhere.acme_dns_challenge:
    directory: letsencrypt
    account_key: /etc/tls-everywhere/account.key
    account_import: /etc/letsencrypt/accounts/acme-v02.api.letsencrypt.org
    terms_agreed: true
    certificates:
      - {name: www, csr: /etc/ssl/www.csr}
    provider:
      rfc2136: {server: 192.0.2.53, key_name: acme, secret_file: /etc/letsencrypt/tsig.secret}

- name: A key was seen by others
  tls.everywhere.acme_dns_challenge:
    phase: revoke
    directory: letsencrypt
    certificates:
      - {name: www, current: /etc/ssl/certs/www.pem, private_key: /etc/ssl/private/www.key, reason: keyCompromise}

- name: Another key for the account
  tls.everywhere.acme_dns_challenge:
    phase: rollover
    directory: letsencrypt
    account_key: /etc/tls-everywhere/account.key
"""

RETURN = r"""
msg:
  description: What happened, in a sentence.
  returned: always
  type: str
  sample: "3 certificates: 1 issued, 2 valid"
phase:
  description: The phase.
  returned: unless nothing could be done
  type: str
  sample: all
certificates:
  description: What happened to each certificate, by its name.
  returned: unless nothing could be done
  type: dict
  contains:
    status:
      description:
        - V(valid) and left alone, V(due) in check mode, V(pending) until records are published, V(issued), V(repaired), if only its files
          were written, V(revoked), V(released), if what was proved of its names was given up, or V(failed).
      returned: always
      type: str
      sample: issued
    changed:
      description: Whether anything was changed, here or at the server.
      returned: always
      type: bool
      sample: true
    reasons:
      description:
        - Why it was ordered. V(missing), V(key), V(names), V(revoked), V(expiry) or V(force). In check mode V(revoke) or V(release) for
          those phases.
      returned: always
      type: list
      elements: dict
      contains:
        kind:
          description: The stable word.
          returned: always
          type: str
          sample: expiry
        detail:
          description: In words.
          returned: always
          type: str
          sample: "it was due at 2026-11-20T06:00:00Z: it ends at 2026-12-20T06:00:00Z"
    serial:
      description: Its serial number, hexadecimal.
      returned: where there is a certificate
      type: str
      sample: "3A:5F"
    fingerprint_sha256:
      description: SHA-256 of it.
      returned: where there is a certificate
      type: str
      sample: "AB:CD:…"
    previous_fingerprint_sha256:
      description: SHA-256 of the one that it took the place of.
      returned: when it was issued and there was one
      type: str
      sample: "12:34:…"
    issuer:
      description: Who signed it.
      returned: where there is a certificate
      type: str
      sample: "CN=R11, O=Let's Encrypt, C=US"
    not_before:
      description: When it begins.
      returned: where there is a certificate
      type: str
      sample: "2026-11-26T01:00:00Z"
    not_after:
      description: When it ends.
      returned: where there is a certificate
      type: str
      sample: "2027-02-24T01:00:00Z"
    renew_at:
      description: When it is due.
      returned: where there is a certificate that is not due
      type: str
      sample: "2027-01-24T01:00:00Z"
    certificate:
      description: It, PEM.
      returned: where there is a certificate
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    chain:
      description: What is between it and the root, PEM.
      returned: where the server sent any
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    fullchain:
      description: Both.
      returned: where there is a certificate
      type: str
      sample: "-----BEGIN CERTIFICATE-----\n…"
    changed_files:
      description: Files that were written.
      returned: always
      type: list
      elements: str
      sample: [/etc/ssl/certs/www.pem]
    restarted:
      description: Why an earlier order was not gone on with.
      returned: when there was one
      type: list
      elements: str
      sample: ["the order ends at 2026-11-25T00:00:00Z"]
    problem:
      description: The type of the server's problem, as RFC 8555 section 6.7 names it.
      returned: when the server named one
      type: str
      sample: rejectedIdentifier
    released:
      description: Names whose authorizations were given up.
      returned: in the phase V(deactivate_authz), when there were any
      type: list
      elements: str
      sample: [www.example.org]
    failed_identifiers:
      description: Names that the server does not accept, with its words.
      returned: when it named any
      type: list
      elements: dict
      contains:
        identifier:
          description: The name.
          returned: always
          type: str
          sample: www.example.org
        type:
          description: The kind of the server's problem.
          returned: always
          type: str
          sample: "urn:ietf:params:acme:error:caa"
        detail:
          description: Its words.
          returned: always
          type: str
          sample: "CAA record for example.org prevents issuance"
    retry_at:
      description: Before which the server is not to be asked for it again.
      returned: when the server said so
      type: str
      sample: "2026-11-27T01:00:00Z"
    warnings:
      description: What is worth to be looked at.
      returned: always
      type: list
      elements: str
      sample: []
    error:
      description: Why it failed, as RV(error) and with a RV(msg).
      returned: when it failed
      type: dict
      sample: {"kind": "dns.target_loop", "msg": "…", "hint": "…"}
updated:
  description:
    - Names of the certificates that were issued or repaired, for handlers. A run that was cut off after its certificate was issued is
      made up for by a repair in the next one.
  returned: unless nothing could be done
  type: list
  elements: str
  sample: [www]
pending:
  description: Names of those that wait for their records.
  returned: unless nothing could be done
  type: list
  elements: str
  sample: []
failures:
  description: Why certificates failed, by name, as RV(certificates.error).
  returned: unless nothing could be done
  type: dict
  sample: {}
txt_records:
  description: Records that are to be published before the phase V(complete). Not secret.
  returned: unless nothing could be done
  type: list
  elements: dict
  contains:
    name:
      description: The name that the server asks for.
      returned: always
      type: str
      sample: _acme-challenge.www.example.org
    target:
      description: The owner of the record, at the end of the CNAMEs.
      returned: always
      type: str
      sample: www.acme.example.org
    zone:
      description: The zone that holds it.
      returned: always
      type: str
      sample: acme.example.org
    value:
      description: What it says.
      returned: always
      type: str
      sample: gfj9Xq…Rg85nM
    ttl:
      description: Seconds for which it may be kept.
      returned: always
      type: int
      sample: 1
    certificate:
      description: The certificate that it is for.
      returned: always
      type: str
      sample: www
    identifier:
      description: The name that it proves.
      returned: always
      type: str
      sample: www.example.org
account_uri:
  description: The account that was used.
  returned: when the server was asked for certificates
  type: str
  sample: https://acme-v02.api.letsencrypt.org/acme/acct/1
account_changes:
  description:
    - What was changed of the account. V(key_made), V(imported), V(contact), V(rolled_over), also when a change of keys that was cut off was
      finished, or V(deactivated).
  returned: unless nothing could be done
  type: list
  elements: str
  sample: [imported]
requests:
  description: How many requests the server got.
  returned: unless nothing could be done
  type: int
  sample: 9
updates:
  description: How many messages, requests or runs of a program it took to publish and remove the records.
  returned: unless nothing could be done
  type: int
  sample: 2
timings:
  description: How long waiting took.
  returned: unless nothing could be done
  type: dict
  contains:
    visible_ms:
      description: Milliseconds until all servers showed all records.
      returned: always
      type: int
      sample: 350
    held_ms:
      description: Milliseconds until resolvers had forgotten what was there before.
      returned: always
      type: int
      sample: 0
faults:
  description: What is wrong with the options.
  returned: if they are faulty
  type: list
  elements: dict
  contains:
    path:
      description: The option.
      returned: always
      type: str
      sample: certificates[0].csr
    message:
      description: What is wrong with it.
      returned: always
      type: str
      sample: give exactly one of 'csr' and 'csr_content'
error:
  description: Why the task failed.
  returned: if it failed
  type: dict
  contains:
    kind:
      description:
        - V(input.invalid), the options are wrong; see RV(faults). V(certificates.failed), several failed with different kinds; see
          RV(failures). Kinds that begin with V(acme.) are the server's, with V(web.) the way to it, with V(dns.) name servers, with V(files.)
          files.
        - V(program.no_architecture), the collection has no program for the target. V(program.not_placed), the program could
          not be put on the target. V(program.no_answer), it ended without an answer.
      returned: always
      type: str
      sample: acme.rate_limited
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
      sample: set the clocks of both by NTP
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import ACME_DNS_CHALLENGE
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run('acme_dns_challenge', ACME_DNS_CHALLENGE)


if __name__ == "__main__":
    main()
