#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: cert_request
short_description: Gives a host its certificates and keeps them valid
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Takes a list of wished certificates and makes the host match it. For each it looks at what is on disk, decides with all
    reasons whether anything is due, makes a key and a request, has it signed, verifies what comes back, and replaces all
    files of the certificate as one.
  - A certificate is issued only when a reason says so, which RV(certificates) lists. Wrong owners and modes are put right
    without a new certificate.
  - A file that is there but cannot be read is never taken for a missing one; see O(certificates[].on_unreadable).
  - One bad entry does not spoil the others. All are tried, and the task fails if any failed.
options:
  certificates:
    description: The wished certificates. An entry takes from O(defaults) what it does not say itself.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Names the certificate in results and messages. Unique in the task.
          - Also the name of a directory below O(state_dir) while a request is pending.
        type: str
        required: true
      common_name: &common_name
        description:
          - Common name of the subject, at most 64 characters.
          - By default the first of O(certificates[].dns) that is short enough.
          - Where no alternative name is given at all, it becomes one, since clients look at nothing else.
        type: str
      subject: &subject
        description:
          - Further attributes of the subject, in the order in which they shall stand.
          - Long names (V(organization), V(organizational_unit), V(country), V(state), V(locality), V(email)), short names
            (V(O), V(OU), V(C)) and dotted object identifiers are known. A list repeats its attribute.
          - Merged attribute by attribute over that of O(defaults).
        type: dict
      dns: &dns
        description: DNS names. Names in other scripts are encoded; V(*) stands as the whole leftmost label only.
        type: list
        elements: str
      ip: &ip
        description: IP addresses, without a mask.
        type: list
        elements: str
      email: &email
        description: Mail addresses.
        type: list
        elements: str
      uri: &uri
        description: URIs, as in SPIFFE identities.
        type: list
        elements: str
      principal: &principal
        description:
          - Kerberos principals, as V(HTTP/web.example.org@EXAMPLE.ORG). Only O(certificates[].issuer.certmonger) can ask for
            them; the others refuse them.
          - One without a realm gets that of C(/etc/ipa/default.conf), else the default realm of C(/etc/krb5.conf).
        type: list
        elements: str
      other_name: &other_name
        description: Alternative names of other types.
        type: list
        elements: dict
        suboptions:
          type_id:
            description: The type, as a dotted object identifier.
            type: str
            required: true
          value:
            description: The value, which is encoded as a UTF8String.
            type: str
            required: true
      key: &key
        description: The private key. It is made on the target and never leaves it.
        type: dict
        suboptions:
          algorithm:
            description: Kind of key. V(rsa) where nothing is said.
            type: str
            choices: [rsa, ecdsa, ed25519, ed448]
          size:
            description: Bits of an RSA key, 2048 to 8192. V(2048) where nothing is said.
            type: int
          curve:
            description: Curve of an ECDSA key, V(P-256) (where nothing is said), V(P-384) or V(P-521).
            type: str
          reuse:
            description:
              - Keep the key when the certificate is renewed. A new certificate has a new key where nothing is said, but not
                with O(certificates[].issuer.certmonger), whose own renewals keep it as well.
            type: bool
          passphrase:
            description: Encrypts the key on disk. At least 4 characters.
            type: str
          format:
            description:
              - Form of the key in PEM files. V(traditional) is PKCS#1 or SEC1.
              - Where nothing is said, PKCS#8 for a new file, and any form for one that is there.
            type: str
            choices: [pkcs8, traditional]
      key_usage: &key_usage
        description:
          - Key usages, as V(digitalSignature), V(digital_signature) or C(Digital Signature).
          - Where nothing is said, what a TLS server and client needs.
        type: list
        elements: str
      extended_key_usage: &extended_key_usage
        description:
          - Extended key usages, as V(serverAuth), V(server_auth) or a dotted object identifier.
          - Where nothing is said, V(serverAuth) and V(clientAuth).
        type: list
        elements: str
      must_staple: &must_staple
        description: Ask for the TLS feature extension (status_request), also known as OCSP must-staple.
        type: bool
      ttl: &ttl
        description:
          - Lifetime that is asked for, as V(90d), V(12h), V(90m) or V(2w). V(398d) where nothing is said.
          - certmonger is told of none; its authority decides. O(certificates[].issuer.vault) decides where nothing is said.
        type: str
      renew: &renew
        description: When a certificate is replaced.
        type: dict
        suboptions:
          before:
            description:
              - How long before its end, as V(30d), or at which share of its whole lifetime, as V(33%).
              - Where nothing is said, 30 days or a third of the lifetime, whichever is shorter.
              - With O(certificates[].issuer.acme) the server is asked as well, and the earlier instant counts.
              - certmonger renews by itself, 28 days before the end. Where it does and nothing is said here, a run of the task
                replaces a certificate only when it has ended.
            type: str
          'on':
            description: Which reasons count. All where nothing is said. A missing file and a key that does not match always count.
            type: list
            elements: str
            choices: [expiry, names, key, issuer, revoked]
          force:
            description: Replace it now, in every run of the task.
            type: bool
      issuer: &issuer
        description: Who signs. Exactly one of its options, and taken as a whole from the entry or from O(defaults).
        type: dict
        suboptions:
          self_signed:
            description: The certificate's own key. Takes no options; write V({}).
            type: dict
          private_ca:
            description: An authority whose files are on the target, such as M(tls.everywhere.pki_ca) makes.
            type: dict
            suboptions:
              certificate:
                description: Certificate of the authority. Those above it may follow in the same file.
                type: path
                required: true
              private_key:
                description: Its private key.
                type: path
                required: true
              passphrase:
                description: Decrypts the key.
                type: str
              chain:
                description: Certificates above the authority, in any order.
                type: path
              root:
                description: The root, where neither the certificate's file nor the chain has it.
                type: path
              crl:
                description: Revocation list of the authority. A certificate that is on it is replaced.
                type: path
          external:
            description:
              - Somebody outside. The first run leaves a request in O(state_dir) and in RV(certificates), and the task reports
                it in RV(pending). A later run takes what came back.
            type: dict
            suboptions:
              signed:
                description: What came back, the certificate and those above it as PEM, in any order.
                type: str
              signed_path:
                description: The same in a file on the target.
                type: path
              trust:
                description: A file with the roots in one of which the chain must end.
                type: path
          provided:
            description: A set of your own. It is verified, then installed.
            type: dict
            suboptions:
              certificate:
                description: File with the certificate on the target.
                type: path
              private_key:
                description: File with the private key on the target.
                type: path
              chain:
                description: File with the certificates above, in any order.
                type: path
              certificate_content:
                description: The certificate itself, PEM, in the place of O(certificates[].issuer.provided.certificate).
                type: str
              private_key_content:
                description: The private key itself, PEM, in the place of O(certificates[].issuer.provided.private_key).
                type: str
              chain_content:
                description: The chain itself, PEM, in the place of O(certificates[].issuer.provided.chain).
                type: str
              passphrase:
                description: Decrypts the private key.
                type: str
          certmonger:
            description:
              - The daemon certmonger on the target. It makes the key, asks one of its CAs, writes key and certificate itself,
                and renews by itself. The task tells it what is wished, over D-Bus, and looks at its files afterwards.
              - A request that tracks the same certificate file is taken over as it is, whoever made it. What the options do not
                say is not compared and stays as it is in such a request; that holds for subject, usages, kind of key,
                principals, profile, issuer, commands and flags.
              - Commands, flags, owners and the CA's file are changed without a new certificate.
              - One file with content V(private_key) and one with V(certificate) are needed, which certmonger writes. Other
                contents are made of these by the task, and follow a renewal by certmonger with the next run of the task.
                Owners given by name and exact modes are told to certmonger, which sets them at each save.
              - A certificate that certmonger does not track yet is kept if certmonger knows it as one of the CA's, and
                replaced otherwise.
            type: dict
            suboptions:
              ca:
                description:
                  - The CA, by the name in C(getcert list-cas). V(ipa) is V(IPA), V(self-sign) is V(SelfSign), in any case;
                    V(local) is certmonger's own authority.
                  - What linux-system-roles calls V(self-sign) is V(local) here.
                type: str
                required: true
              profile:
                description: Profile at the CA. An empty one clears it.
                type: str
              issuer:
                description: Issuer at the CA, such as a sub-CA of IPA. An empty one clears it.
                type: str
              ca_file:
                description:
                  - Where certmonger writes the CA's root. certmonger runs the commands of all requests that share such a file
                    when it writes it.
                type: path
              wait:
                description:
                  - Wait until the certificate is there. A CA that refuses, or cannot be reached, then fails the certificate.
                  - Without it, RV(pending) names what is not there yet; certmonger goes on by itself.
                type: bool
                default: true
              wait_timeout:
                description: How long to wait, as V(5m), for each certificate. The commands of the user run within it.
                type: str
                default: 5m
              auto_renew:
                description: Whether certmonger renews by itself. It does where nothing is said and the request is new.
                type: bool
              pre_save:
                description: Command that certmonger runs before it writes the files. No shell runs it. An empty one clears it.
                type: str
              post_save:
                description:
                  - Command that certmonger runs after it wrote the files. No shell runs it; its exit status is ignored. An empty
                    one clears it.
                type: str
              nickname:
                description: Id of a new request. The name of the certificate where nothing is said.
                type: str
              address:
                description:
                  - D-Bus address of certmonger's own socket, as C(certmonger -L -P) opens it, for hosts without a system bus.
                  - Where nothing is said, that of C(CERTMONGER_PVT_ADDRESS) in the environment, else the system bus.
                  - certmonger 0.79.17 runs no command for a request that came over this socket.
                type: str
              challenge_password:
                description: Challenge password for SCEP. certmonger does not show it, so a new one is told only with a new request.
                type: str
              challenge_password_file:
                description: File with the challenge password.
                type: path
              key_pin_file:
                description: File with the PIN that encrypts the private key. It must exist.
                type: path
          acme:
            description:
              - An ACME server such as Let's Encrypt, asked by this host itself; the key never leaves it.
              - All certificates with the same settings share an account, and a responder or one publication of records. A certificate that the
                server has issued is never lost. The key lies in O(state_dir), readable by its owner only, from before the order until it
                is installed, and the next run goes on with a killed one's order.
              - Kept is what was ordered here from O(certificates[].issuer.acme.directory). Any other certificate at the same place is replaced.
              - The server chooses subject, usages and lifetime; O(certificates[].ttl) is not told to it. Alternative names are DNS names and
                addresses only, and a common name must be among them.
              - It is renewed when the server wishes it (ARI, RFC 9773), but before the last tenth of its lifetime, or at
                O(certificates[].renew.before) if that is earlier. Where neither says anything, in the last third of its lifetime, or the
                last half of one of up to ten days, spread over hosts.
              - The chain is verified as far as the server sends it. Its root is not known on a host, so contents V(root) and V(ca_bundle) cannot be
                made.
            type: dict
            suboptions:
              directory:
                description: V(letsencrypt), V(letsencrypt-staging), or the https URL of a server's directory.
                type: str
                required: true
              account_key:
                description:
                  - The private key of the account, ECDSA P-256 or P-384, or RSA, in PEM.
                  - Made if it is missing, O(certificates[].issuer.acme.account_create) allows it and
                    O(certificates[].issuer.acme.account_uri) is not given. It is readable by its owner only.
                type: path
                required: true
              profile:
                description: One of the server's profiles, for example V(shortlived). It must come back in the order.
                type: str
              preferred_chain:
                description:
                  - Which chain is taken where the server offers several, by the root that it leads to. A common name, a subject as C(CN=a, O=b),
                    or a key identifier of 40 hexadecimal digits. If none leads there, the server's own is taken, with a warning.
                type: str
              challenge:
                description:
                  - How names are proved. V(http-01) where nothing is said and there is no O(certificates[].issuer.acme.provider), else
                    V(dns-01). V(dns-persist-01) needs no provider if its record stands.
                type: str
                choices: [http-01, dns-01, dns-account-01, dns-persist-01]
              http:
                description:
                  - The responder for V(http-01), a small web server that is open only while something is ordered. It shows the proofs, a sign of
                    life at V(/) for health checks, and nothing else.
                  - The server looks at port 80 of each name. Have HAProxy or the like pass paths below C(/.well-known/acme-challenge/) to it.
                type: dict
                suboptions:
                  address:
                    description: IP addresses at which it listens. V(0.0.0.0) and V(::) are all.
                    type: list
                    elements: str
                    default: [127.0.0.1]
                  port:
                    description: Port at which it listens.
                    type: int
                    default: 8888
                  public_port:
                    description: Port at which the server looks. That is 80 for all but test servers.
                    type: int
                    default: 80
                  self_check:
                    description:
                      - Whether the host looks at its own proofs by their public URLs until they are there, before the server is told; what the
                        server does not see counts against the account. What is in front may need a moment to find the responder.
                      - V(auto) goes on with a warning where the name cannot be reached from here at all, as behind some NATs, or leads
                        elsewhere. V(true) fails then.
                    type: str
                    choices: [auto, 'true', 'false']
                    default: auto
                  timeout:
                    description: How long proofs may take to be seen.
                    type: str
                    default: 60s
              # What follows is acme_dns_challenge's: scripts/share-documentation.
              ca_file:
                description: Authorities of the server's own certificate in PEM, beside those that the host trusts.
                type: path
              account_create:
                description: Whether an account is made for a key that has none. If not, a lost account is an error.
                type: bool
                default: true
              account_import:
                description:
                  - The directory or the key file of an account that acme.sh, certbot or lego made, for example
                    C(/root/.acme.sh/ca/acme-v02.api.letsencrypt.org),
                    C(/etc/letsencrypt/accounts/acme-v02.api.letsencrypt.org) or C(/root/.lego/accounts). Its key, ECDSA P-256 or P-384, or RSA, is
                    copied to
                    O(certificates[].issuer.acme.account_key) if there is no such file yet and the server knows the account. What the other program
                    has is only read.
                  - If the other program noted the account's URL, the server must say the same.
                type: path
              account_uri:
                description: The only account that may be used. A key of another one is an error, before anything is ordered.
                type: str
              contact:
                description:
                  - URLs whom the server tells of what happens, as mailto:ADDRESS. Set when the account is made, and changed when they differ,
                    whenever a
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
              target:
                description: Where records may be written.
                type: dict
                suboptions:
                  zone:
                    description: The only zone. A name that does not lead there by CNAMEs is an error. Without it records go where the CNAMEs lead.
                    type: str
              provider:
                description: How records are published, where names are proved in the DNS. Exactly one of these.
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
                        description: A file with nothing but that. Give one of both with O(certificates[].issuer.acme.provider.rfc2136.key_name).
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
                        description: The key of the API. Give exactly one of it and O(certificates[].issuer.acme.provider.powerdns.api_key_file).
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
                        description: Its secret. Give exactly one of it and O(certificates[].issuer.acme.provider.route53.secret_key_file).
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
                        description: The region that requests are signed for, V(us-gov-west-1) or V(cn-northwest-1) in other partitions than the
                          usual.
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
                        description: An API token. Give exactly one of it and O(certificates[].issuer.acme.provider.cloudflare.token_file).
                        type: str
                      token_file:
                        description: A file with nothing but that.
                        type: path
                      zone_id:
                        description: The zone of all records. Without it the token must be allowed to read zones, and the zone is looked for by its
                          name.
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
                          - Give exactly one of it and O(certificates[].issuer.acme.provider.designate.auth).
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
                        description: How Keystone is asked. By default told by what O(certificates[].issuer.acme.provider.designate.auth) or
                          clouds.yaml has.
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
                        description: Authorities of the cloud's certificates in PEM, beside those that the host trusts. By default C(cacert) of
                          clouds.yaml.
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
                          - Give either it, or O(certificates[].issuer.acme.provider.rackspace.username) with a key.
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
                          - Give exactly one of it and O(certificates[].issuer.acme.provider.acme_dns.accounts_file).
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
              propagation:
                description: Who is asked for names, and whether records are there.
                type: dict
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
              retry:
                description: How much the server is forgiven.
                type: dict
                suboptions:
                  max_wait:
                    description: The longest time that the server may ask us to wait within a run. If it asks for more, that certificate fails and
                      says when.
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
                      - How long a task may ask the server, all certificates and steps together. What is not done by then fails, and the next run
                        goes on
                        with it. One order has at most ten minutes of it.
                    type: str
                    default: 15m
              # So far acme_dns_challenge's.
              state_dir:
                description:
                  - Where unfinished orders, what the server said of renewals, and copies of issued certificates are kept. C(acme) below
                    O(state_dir) where nothing is said.
                type: path
          vault:
            description:
              - A role of a PKI of Vault or OpenBao. The key is made on the target and only the request is sent.
              - What comes back is compared with the wish. Other names, and usages that O(certificates[].key_usage) or
                O(certificates[].extended_key_usage) ask for and the role does not give, are failures and nothing is installed. A shorter life and
                another subject are warnings; it is renewed in time for the life that it has.
              - All certificates with the same connection share one login, which happens only when one is due. About certificates that are fine the
                server is asked without a login, once for its issuer and once for each certificate whether it was revoked; a server that cannot be
                asked is a warning then. Take V(issuer) and V(revoked) out of O(certificates[].renew.on) and it is not asked at all.
              - Check mode logs in and asks whether the token may have it signed, but not with a wrapped secret, which serves once.
            type: dict
            suboptions:
              mount:
                description: Where the PKI is mounted.
                type: str
                default: pki
              role:
                description: The role that signs.
                type: str
                required: true
              issuer:
                description:
                  - The issuer that signs and by which certificates in service are judged, by its name or identifier. The default issuer of the
                    mount where nothing is said.
                  - Name it if the role has an issuer_ref of its own.
                type: str
              root:
                description: A file with the roots in one of which the chain must end. Without it the chain is verified as far as the server sends it.
                type: path
              revoke_old:
                description:
                  - Whether a certificate of this mount is revoked when it is not needed any more. V(after_install) does so when its successor is
                    installed, where a failure is a warning, and before O(state=absent) removes its files, where a failure keeps them.
                type: str
                choices: [never, after_install]
                default: never
              # What follows is the connection, the same in pki_ca: scripts/share-documentation.
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
                      - The way to log in. V(token) takes O(certificates[].issuer.vault.auth.token), else C(BAO_TOKEN) or C(VAULT_TOKEN).
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
      files: &files
        description:
          - What is written where. All files of an entry are replaced together, the key first. If anything fails, the old ones
            are back.
          - With O(certificates[].issuer.certmonger) key and certificate are written by certmonger, in place and one after the
            other.
          - One file must hold the private key and one the certificate, except with O(certificates[].issuer.external).
        type: list
        elements: dict
        suboptions:
          content:
            description:
              - V(private_key) is the key alone, V(certificate) the certificate alone, V(chain) what stands between it and the
                root, V(fullchain) the certificate and the chain, V(root) the root, V(ca_bundle) the chain and the root.
              - V(combined) has certificate, chain and key in one file, as HAProxy wants them; see
                O(certificates[].files[].parts).
              - V(pkcs12) and V(jks) are key stores, and V(csr) is the signing request.
            type: str
            required: true
            choices: [private_key, certificate, chain, fullchain, ca_bundle, root, combined, pkcs12, jks, csr]
          path:
            description: Absolute path. Its directory must exist. A key is not written into a directory that everybody may write to.
            type: path
            required: true
          owner:
            description: User name or number of the owner. As created where nothing is said.
            type: str
          group:
            description: Group name or number. As created where nothing is said.
            type: str
          mode:
            description:
              - Mode, as V("0640") or V(u=rw,g=r). Quote the number, since YAML has its own idea of a leading zero.
              - Where nothing is said, C(0600) for a new file with a key in it and C(0644) for others; a file that is there
                keeps its mode.
            type: raw
          context:
            description: SELinux context, as C(user:role:type:level), where the host has SELinux.
            type: str
            aliases: [secontext]
          setype:
            description: SELinux type alone.
            type: str
          backup:
            description: Keep a copy of a file that is replaced, beside it.
            type: bool
          parts:
            description: Order of a V(combined) file. Certificate, chain, private key where nothing is said.
            type: list
            elements: str
            choices: [certificate, chain, root, private_key]
          passphrase:
            description: Encrypts a V(pkcs12) or V(jks) file, which need one. At least 6 characters for V(jks).
            type: str
          alias:
            description: Name of the entry in a V(pkcs12) or V(jks) file. The name of the certificate where nothing is said.
            type: str
      containers: &containers
        description: Containers that use the files. Handed through to RV(restart).
        type: list
        elements: str
      on_unreadable: &on_unreadable
        description:
          - What happens to a file that is there and cannot be read as what it should be.
          - V(fail) leaves it alone and fails this certificate, which is what happens where nothing is said. V(replace)
            replaces it.
        type: str
        choices: [fail, replace]
  defaults:
    description: What holds for entries that do not say otherwise. The same options as in O(certificates), without the name.
    type: dict
    suboptions:
      common_name: *common_name
      subject: *subject
      dns: *dns
      ip: *ip
      email: *email
      uri: *uri
      principal: *principal
      other_name: *other_name
      key: *key
      key_usage: *key_usage
      extended_key_usage: *extended_key_usage
      must_staple: *must_staple
      ttl: *ttl
      renew: *renew
      issuer: *issuer
      files: *files
      containers: *containers
      on_unreadable: *on_unreadable
  state:
    description:
      - V(absent) removes the files of the entries and forgets their pending requests and orders.
      - With O(certificates[].issuer.certmonger) it first ends the tracking of these files.
    type: str
    choices: [present, absent]
    default: present
  parallel:
    description: How many certificates to work on at once. The number of cores where nothing is said.
    type: int
  state_dir:
    description: Where requests wait for a signature from outside, and where orders of O(certificates[].issuer.acme) are kept.
    type: path
    default: /var/lib/tls.everywhere
  lock_timeout:
    description:
      - How long to wait for another run on the same directories, as V(60s). One that orders with O(certificates[].issuer.acme) may take
        minutes.
    type: str
    default: 60s
extends_documentation_fragment:
  - tls.everywhere.attributes
  - tls.everywhere.attributes.actiongroup
seealso:
  - module: tls.everywhere.pki_ca
"""

EXAMPLES = r"""
- name: Give HAProxy one certificate for each network, all in the form that it wants
  tls.everywhere.cert_request:
    defaults:
      key: {algorithm: ecdsa}
      issuer:
        private_ca:
          certificate: /etc/pki/CA/roots/Intermediate/certs/Intermediate-chain.crt
          private_key: /etc/pki/CA/roots/Intermediate/private/Intermediate.key.pem
    certificates:
      - name: haproxy-internal_api
        dns: [overcloud.internalapi.localdomain]
        ip: [172.17.0.10]
        files:
          - content: combined
            path: /etc/pki/tls/private/overcloud-haproxy-internal_api.pem
            owner: haproxy
            group: haproxy
            mode: "0600"
        containers: [haproxy]
      - name: haproxy-storage
        dns: [overcloud.storage.localdomain]
        ip: [172.18.0.10]
        files:
          - content: combined
            path: /etc/pki/tls/private/overcloud-haproxy-storage.pem
            owner: haproxy
            group: haproxy
            mode: "0600"
        containers: [haproxy]
  register: haproxy

- name: Say which certificates are new and why
  ansible.builtin.debug:
    msg: "{{ haproxy.certificates[item].reasons }}"
  loop: "{{ haproxy.renewed }}"

- name: Make a self-signed certificate in two files
  tls.everywhere.cert_request:
    certificates:
      - name: bootstrap
        dns: [bootstrap.example.org]
        issuer: {self_signed: {}}
        files:
          - {content: private_key, path: /etc/ssl/private/bootstrap.key, mode: "0600"}
          - {content: certificate, path: /etc/ssl/certs/bootstrap.crt}

- name: Leave a request for an authority outside
  tls.everywhere.cert_request:
    certificates:
      - name: public
        dns: [cloud.example.org]
        issuer: {external: {trust: /etc/ssl/certs/ca-certificates.crt}}
        files:
          - {content: combined, path: /etc/haproxy/public.pem, mode: "0600"}
  register: public

- name: Fetch the request
  ansible.builtin.copy:
    content: "{{ public.certificates.public.csr }}"
    dest: public.csr
    mode: "0644"
  delegate_to: localhost
  when: "'public' in public.pending"

- name: Install what came back, on a later day
  tls.everywhere.cert_request:
    certificates:
      - name: public
        dns: [cloud.example.org]
        issuer:
          external:
            signed: "{{ lookup('ansible.builtin.file', 'public-and-chain.pem') }}"
            trust: /etc/ssl/certs/ca-certificates.crt
        files:
          - {content: combined, path: /etc/haproxy/public.pem, mode: "0600"}

- name: Let certmonger keep a certificate of IPA, and restart one container when it renews it
  tls.everywhere.cert_request:
    certificates:
      - name: novnc-proxy
        dns: [overcloud.internalapi.example.org]
        principal: [novnc-proxy/overcloud.internalapi.example.org@EXAMPLE.ORG]
        issuer:
          certmonger:
            ca: ipa
            post_save: /usr/bin/podman restart nova_vnc_proxy
        files:
          - {content: certificate, path: /etc/pki/tls/certs/novnc_proxy.crt, mode: "0644"}
          - {content: private_key, path: /etc/pki/tls/private/novnc_proxy.key, mode: "0600"}

- name: Order a certificate of Let's Encrypt behind HAProxy, which passes /.well-known/acme-challenge/ to port 8888
  tls.everywhere.cert_request:
    certificates:
      - name: haproxy-public
        dns: [cloud.example.org]
        key: {algorithm: ecdsa}
        issuer:
          acme:
            directory: letsencrypt
            account_key: /etc/ssl/private/acme-account.key
            contact: ["mailto:infra@example.org"]
            terms_agreed: true
        files:
          - {content: combined, path: /etc/haproxy/ssl/public.pem, mode: "0600"}

- name: Let a role of Vault sign, with the key made here
  tls.everywhere.cert_request:
    defaults:
      ttl: 90d
      issuer:
        vault:
          url: [https://vault-1.example.org:8200, https://vault-2.example.org:8200]
          ca_path: /etc/pki/vault/ca.pem
          mount: pki
          role: server
          auth: {method: approle, role_id_file: /etc/vault/role-id, secret_id_file: /etc/vault/secret-id}
    certificates:
      - name: keystone
        dns: [keystone.internal.example.org]
        files:
          - {content: private_key, path: /etc/keystone/ssl/keystone.key, owner: keystone}
          - {content: fullchain, path: /etc/keystone/ssl/keystone.pem}
"""

RETURN = r"""
certificates:
  description: What became of each certificate, by name. A fact that does not exist has no key.
  returned: always, unless the options were refused
  type: dict
  contains:
    changed:
      description: Whether anything of it changed on the machine, or would in check mode.
      returned: always
      type: bool
    action:
      description:
        - What was done, or would be. V(issue), V(rewrite) files of the certificate in service, V(fix_attributes), V(request)
          from an issuer outside, V(wait) for one, V(track) with certmonger without a new certificate, V(remove), V(keep) or
          V(failed).
      returned: always
      type: str
      sample: issue
    reasons:
      description:
        - Why. Kinds are V(attributes), V(chain), V(expiry), V(forced), V(issuer), V(key), V(missing), V(names),
          V(not_yet_valid), V(refused), V(renewal_information), V(revoked), V(subject), V(tracking), V(unreadable) and V(usages).
      returned: always
      type: list
      elements: dict
      sample: [{kind: expiry, detail: "the certificate ends at 2026-12-01T00:00:00Z and is due since 2026-11-01T00:00:00Z"}]
    serial:
      description: Serial number, hexadecimal.
      returned: when a certificate is in service
      type: str
      sample: 5F3A9C0E71D24B8896A1C4D07E55B21903FE6A4C
    fingerprint_sha256:
      description: SHA-256 of the certificate.
      returned: when a certificate is in service
      type: str
      sample: "3A:6F:…"
    previous_fingerprint_sha256:
      description: SHA-256 of the certificate that this run replaced. What still serves it is stale.
      returned: when one was replaced
      type: str
      sample: "91:C2:…"
    not_before:
      description: Start of its validity.
      returned: when a certificate is in service
      type: str
      sample: "2026-11-22T06:00:00Z"
    not_after:
      description: End of its validity.
      returned: when a certificate is in service
      type: str
      sample: "2027-12-25T06:00:00Z"
    renew_at:
      description: From when on a run of the task replaces it.
      returned: when a certificate is in service
      type: str
      sample: "2027-11-25T06:00:00Z"
    issuer:
      description: Subject of its issuer.
      returned: when a certificate is in service
      type: str
      sample: "CN=Demo Intermediate CA"
    files:
      description: The files of the certificate.
      returned: always
      type: list
      elements: dict
      sample: [{content: combined, path: /etc/haproxy/public.pem}]
    changed_files:
      description: Those of them that this run wrote, repaired or removed.
      returned: always
      type: list
      elements: str
      sample: [/etc/haproxy/public.pem]
    backup_files:
      description: Copies of replaced files.
      returned: when copies were made
      type: list
      elements: str
      sample: ["/etc/haproxy/public.pem.4711.2026-11-22@06:00:00~"]
    containers:
      description: What O(certificates[].containers) said.
      returned: always
      type: list
      elements: str
      sample: [haproxy]
    csr:
      description: The signing request, PEM.
      returned: when it waits for an issuer outside
      type: str
      sample: "-----BEGIN CERTIFICATE REQUEST-----\n…"
    retry_at:
      description: Before which an ACME server does not want to be asked, and is not asked.
      returned: when it said so
      type: str
      sample: "2026-11-23T06:00:00Z"
    failed_identifiers:
      description: The names that an ACME server did not accept, with C(identifier), its C(type) of problem and its words as C(detail).
      returned: always
      type: list
      elements: dict
      sample: []
    warnings:
      description: What the operator should look at.
      returned: always
      type: list
      elements: str
      sample: []
    error:
      description: Why this certificate failed, with C(kind), C(msg) and perhaps C(hint).
      returned: when it failed
      type: dict
      sample: {kind: files.unreadable, msg: "the file with content 'certificate' '/etc/x.crt' cannot be read: …"}
renewed:
  description: Names of the certificates of which key or certificate in service changed, or would.
  returned: always, unless the options were refused
  type: list
  elements: str
  sample: [haproxy-internal_api]
pending:
  description: Names of the certificates that wait for an issuer outside, for certmonger, or for an ACME server that is not done.
  returned: always, unless the options were refused
  type: list
  elements: str
  sample: []
restart:
  description:
    - What a task that restarts or reloads services needs, for each of RV(renewed) and for each certificate of which files
      were written again.
  returned: always, unless the options were refused
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      returned: always
      type: str
      sample: haproxy-internal_api
    certificate:
      description: File that holds the certificate.
      returned: when one does
      type: str
      sample: /etc/pki/tls/private/overcloud-haproxy-internal_api.pem
    private_key:
      description: File that holds the private key.
      returned: when one does
      type: str
      sample: /etc/pki/tls/private/overcloud-haproxy-internal_api.pem
    replaces:
      description: SHA-256 fingerprints of what is stale now.
      returned: always
      type: list
      elements: str
      sample: ["91:C2:…"]
    containers:
      description: What O(certificates[].containers) said.
      returned: always
      type: list
      elements: str
      sample: [haproxy]
recovered:
  description:
    - Sets of files that an earlier run had left halfway because it was killed, with C(set), C(files) and what was done with
      them as C(action).
  returned: when there were any
  type: list
  elements: dict
  sample: [{set: web, action: finished, files: [/etc/haproxy/public.pem]}]
failures:
  description: The certificates that failed, by name, each with C(kind), C(msg) and perhaps C(hint).
  returned: always, unless the options were refused
  type: dict
  sample: {}
msg:
  description: What was done, or why the task failed.
  returned: when there is something to say
  type: str
  sample: "certificate 'web': '/etc/x.crt' (content certificate) cannot be read: …"
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
      sample: "certificates[3].dns[0]"
    message:
      description: What is wrong with it.
      returned: always
      type: str
      sample: "'foo bar' is not a DNS name"
error:
  description: Why the task failed, for playbooks to act on.
  returned: when the task failed
  type: dict
  contains:
    kind:
      description:
        - V(input.invalid), the options are wrong; see RV(faults). V(certificates.failed), several failed for different
          reasons; see RV(failures). Else the kind that the failed certificates share, as V(files.unreadable).
        - V(program.no_architecture), the collection has no program for the target. V(program.not_placed), the program could
          not be put on the target. V(program.no_answer), it ended without an answer.
      returned: always
      type: str
      sample: files.unreadable
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
      sample: set on_unreadable to replace
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run('cert_request', CERT_REQUEST)


if __name__ == "__main__":
    main()
