# SPDX-License-Identifier: Apache-2.0
"""From OpenStack-Ansible's variables to the certificates of an HAProxy node."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST
from ansible_collections.tls.everywhere.plugins.plugin_utils import haproxy_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles/haproxy_letsencrypt"

inside_the_repository = pytest.mark.skipif(not ROLE.exists(), reason="a placed collection may have no roles")


def settings(**more):
    """The settings of the role where nobody says anything but the external address."""
    return {
        "acme": {}, "adopt": True, "address": "172.29.236.11", "after": [], "cert_path": "/etc/haproxy/ssl", "certbot_directory": "/etc/letsencrypt/live",
        "challenge": "http-01", "directory": "/etc/haproxy/letsencrypt", "domains": ["cloud.example.com"], "email": "ops@example.net",
        "external": {"address": "cloud.example.com", "interface": "", "extra": []}, "extra_params": "", "group": "haproxy", "hostname": "node1", "key": {},
        "mode": "0640", "owner": "haproxy", "port": 8888, "renew": {}, "server": "", "vip_binds": [], **more,
    }


def planned(**more):
    """The plan, what is wrong, and the settings."""
    notes, given = haproxy_plan.Notes(), settings(**more)
    return haproxy_plan.plan(given, notes), notes, given


def wish(**more):
    """What cert_request is asked for, once per certificate; there is no fault."""
    plan, notes, given = planned(**more)
    assert notes.faults == []
    return [haproxy_plan.wished(each, plan, given, "own") for each in plan.certificates]


def faults(**more):
    """What is refused."""
    return planned(**more)[1].faults


def test_defaults_ask_for_the_external_name_and_fill_its_file():
    [entry] = wish()
    assert entry["dns"] == ["cloud.example.com"] and entry["ip"] == [] and entry["key"] == {"algorithm": "ecdsa"}
    assert [file["path"] for file in entry["files"]] == [
        "/etc/haproxy/letsencrypt/cloud.example.com/privkey.pem", "/etc/haproxy/letsencrypt/cloud.example.com/fullchain.pem",
        "/etc/haproxy/ssl/haproxy_node1-cloud.example.com.pem"]
    assert entry["files"][2] == {"content": "combined", "path": "/etc/haproxy/ssl/haproxy_node1-cloud.example.com.pem", "owner": "haproxy", "group": "haproxy",
                                 "mode": "0640", "parts": ["certificate", "chain", "private_key"]}
    assert entry["issuer"]["acme"] == {
        "directory": "letsencrypt", "account_key": "/etc/haproxy/letsencrypt/account.key", "account_create": True, "terms_agreed": True,
        "challenge": "http-01", "contact": ["mailto:ops@example.net"], "http": {"address": "172.29.236.11", "port": 8888}}


def test_every_external_address_has_a_file_and_no_internal_one():
    binds = [{"address": "*", "interface": "bond0", "type": "external"}, {"address": "10.0.0.1", "type": "internal"},
             {"address": "192.0.2.7", "type": "external"}, {"address": "10.0.0.2"}]
    [entry] = wish(vip_binds=binds)
    assert [file["path"] for file in entry["files"][2:]] == ["/etc/haproxy/ssl/haproxy_node1-*-bond0.pem", "/etc/haproxy/ssl/haproxy_node1-192.0.2.7.pem"]


def test_without_binds_they_are_those_that_openstack_ansible_makes():
    [entry] = wish(external={"address": "192.0.2.1", "interface": "br-ext", "extra": ["192.0.2.2"]})
    assert [file["path"] for file in entry["files"][2:]] == [
        "/etc/haproxy/ssl/haproxy_node1-192.0.2.1-br-ext.pem", "/etc/haproxy/ssl/haproxy_node1-192.0.2.2.pem"]


def test_an_address_can_have_a_certificate_of_its_own():
    binds = [{"address": "192.0.2.1", "type": "external"},
             {"address": "192.0.2.2", "type": "external", "letsencrypt_domains": ["s3.example.com"], "pem": "/srv/s3.pem"}]
    first, second = wish(vip_binds=binds)
    assert first["dns"] == ["cloud.example.com"] and second["dns"] == ["s3.example.com"]
    assert second["files"][2]["path"] == "/srv/s3.pem" and second["files"][0]["path"] == "/etc/haproxy/letsencrypt/s3.example.com/privkey.pem"


def test_two_certificates_are_not_put_into_one_place():
    binds = [{"address": "192.0.2.1", "type": "external"},
             {"address": "192.0.2.2", "type": "external", "letsencrypt_domains": ["cloud.example.com", "b.example.com"]}]
    assert faults(vip_binds=binds) == [
        "haproxy_vip_binds: two certificates would be in '/etc/haproxy/letsencrypt/cloud.example.com'; begin 'letsencrypt_domains' with different names"]


def test_addresses_are_asked_for_as_addresses():
    [entry] = wish(domains=["192.0.2.1", "2001:db8::1", "cloud.example.com"])
    assert entry["ip"] == ["192.0.2.1", "2001:db8::1"] and entry["dns"] == ["cloud.example.com"]


def test_certbots_words_are_taken_at_their_meaning():
    [entry] = wish(extra_params="--key-type rsa --preferred-chain 'ISRG Root X1' --staging --domains a.example.com,b.example.com --reuse-key --must-staple "
                                "--required-profile shortlived --http-01-port 9999 --no-eff-email -v -n", acme={"http": {"timeout": "90s"}})
    assert entry["dns"] == ["cloud.example.com", "a.example.com", "b.example.com"] and entry["must_staple"] is True
    assert entry["key"] == {"algorithm": "rsa", "reuse": True, "size": 4096}
    acme = entry["issuer"]["acme"]
    assert (acme["directory"], acme["preferred_chain"], acme["profile"]) == ("letsencrypt-staging", "ISRG Root X1", "shortlived")
    assert acme["http"] == {"address": "172.29.236.11", "port": 9999, "timeout": "90s"}


def test_a_curve_of_openssl_is_that_of_ours():
    assert wish(extra_params="--elliptic-curve=secp384r1 --rsa-key-size 4096")[0]["key"] == {"algorithm": "ecdsa", "curve": "P-384"}


@pytest.mark.parametrize(("words", "says"), [
    ("--force-renewal", "'--force-renewal': set 'haproxy_letsencrypt_renew: {force: true}' for one run"),
    ("--no-verify-ssl", "'--no-verify-ssl': name the authority of the server with 'haproxy_letsencrypt_acme: {ca_file: …}'"),
    ("--eab-hmac-key c2VjcmV0", "'--eab-hmac-key': the key would be seen in logs"),
    ("--post-hook 'systemctl restart x'", "'--post-hook': put the command into 'haproxy_letsencrypt_after'"),
    ("--dns-cloudflare", "'--dns-cloudflare': say how to publish records with 'haproxy_letsencrypt_acme: {provider: {cloudflare: …}}'"),
    ("--dns-rfc2136-credentials /root/rfc2136.ini", "{provider: {rfc2136: …}}'"),
    ("--prefered-chain X", "'--prefered-chain': has no meaning here; is '--preferred-chain' meant?"),
    ("--server", "'--server': has no value"),
    ("certonly", "'certonly' is no option of certbot"),
    ("--rsa-key-size big", "'big' is no number"),
    ("--key-type 'rsa", "cannot be split into words"),
])
def test_what_has_no_meaning_is_refused_by_its_name(words, says):
    fault = faults(extra_params=words)[0]
    assert fault.startswith("haproxy_ssl_letsencrypt_setup_extra_params: ") and says in fault
    assert "c2VjcmV0" not in fault


def test_all_that_is_wrong_is_said_at_once():
    found = faults(domains=[], vip_binds=[{"address": "10.0.0.1", "type": "internal"}], port="x", challenge="tls-alpn-01")
    assert [fault.split(":")[0] for fault in found] == [
        "haproxy_ssl_letsencrypt_domains", "haproxy_vip_binds", "haproxy_ssl_letsencrypt_certbot_challenge"]
    assert faults(address="node1.example.com") == ["haproxy_ssl_letsencrypt_certbot_bind_address: 'node1.example.com' is no IP address of this node"]
    assert faults(address="node1.example.com", acme={"http": {"address": "0.0.0.0"}}) == []
    assert faults(port="x") == ["haproxy_ssl_letsencrypt_certbot_backend_port: 'x' is no port"]


def test_a_wildcard_needs_the_dns():
    assert faults(domains=["*.example.com"]) == ["haproxy_ssl_letsencrypt_domains: '*.example.com' is a wildcard, which http-01 cannot prove; use dns-01"]
    assert "needs 'haproxy_letsencrypt_acme: {provider: …}'" in faults(domains=["*.example.com"], challenge="dns-01")[0]
    provider = {"provider": {"rfc2136": {"server": "192.0.2.53"}}}
    [entry] = wish(domains=["*.example.com"], challenge="dns-01", acme=provider)
    assert "http" not in entry["issuer"]["acme"] and entry["files"][0]["path"] == "/etc/haproxy/letsencrypt/example.com/privkey.pem"


def test_the_address_that_is_only_an_example_is_not_sent():
    plan, notes, _given = planned(email="example@example.com")
    assert "contact" not in plan.issuer and "haproxy_ssl_letsencrypt_email" in notes.warnings[0]


def test_before_the_first_certificate_what_is_there_is_a_placeholder():
    plan, _notes, given = planned(renew={"before": "20d"})
    [certificate] = plan.certificates
    assert haproxy_plan.wished(certificate, plan, given, "none")["renew"] == {"before": "20d", "force": True}
    assert haproxy_plan.wished(certificate, plan, given, "own")["renew"] == {"before": "20d"}


def test_what_certbot_got_stays_until_it_is_due():
    plan, _notes, given = planned()
    [certificate] = plan.certificates
    assert haproxy_plan.wished(certificate, plan, given, "certbot")["renew"] == {"on": ["expiry", "names", "revoked"]}


def test_what_is_in_service_is_told_by_the_certificate_alone():
    one, two, chain = (f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n" for text in ("AAAA", "BBBB", "CCCC"))
    assert haproxy_plan.in_service(None, one) == "none"
    assert haproxy_plan.in_service(one + chain, one.replace("\n", "\r\n")) == "certbot"
    assert haproxy_plan.in_service(two + chain, one + chain) == haproxy_plan.in_service(one, None) == "own"


def test_only_files_that_are_not_there_get_a_placeholder():
    binds = [{"address": "192.0.2.1", "type": "external"}, {"address": "192.0.2.2", "type": "external"}]
    plan, _notes, given = planned(vip_binds=binds)
    [certificate] = plan.certificates
    entry = haproxy_plan.placeholder(certificate, plan, given, {"/etc/haproxy/ssl/haproxy_node1-192.0.2.2.pem"})
    assert [file["path"] for file in entry["files"]] == ["/etc/haproxy/ssl/haproxy_node1-192.0.2.2.pem"] and entry["issuer"] == {"self_signed": {}}
    assert haproxy_plan.placeholder(certificate, plan, given, set()) is None


def test_certbots_certificate_is_looked_for_under_the_name_that_it_has_there():
    plan, _notes, given = planned(extra_params="--cert-name main")
    [certificate] = plan.certificates
    assert haproxy_plan.adopted(certificate, plan, given)["issuer"] == {
        "provided": {"certificate": "/etc/letsencrypt/live/main/fullchain.pem", "private_key": "/etc/letsencrypt/live/main/privkey.pem"}}


@pytest.mark.parametrize(("server", "place"), [
    ("", "acme-v02.api.letsencrypt.org/directory"),
    ("https://acme-staging-v02.api.letsencrypt.org/directory", "acme-staging-v02.api.letsencrypt.org/directory"),
    ("https://ca.example.net:14000/acme/dir", "ca.example.net:14000/acme/dir"),
])
def test_certbots_account_is_looked_for_where_certbot_has_it(server, place):
    plan, _notes, given = planned(server=server)
    assert haproxy_plan.certbots_accounts(plan, given) == f"/etc/letsencrypt/accounts/{place}"


def test_no_account_is_taken_over_where_the_operator_names_one_or_wants_nothing_of_certbot():
    for more in ({"acme": {"account_key": "/root/account.key"}}, {"acme": {"account_import": None}}, {"adopt": False}):
        plan, _notes, given = planned(**more)
        assert haproxy_plan.certbots_accounts(plan, given) is None


def test_certbots_renewal_and_upstreams_hooks_are_put_out_of_service():
    plan, _notes, given = planned(extra_params="--cert-name main")
    assert haproxy_plan.retired(plan, given) == [
        {"path": "/etc/letsencrypt/renewal/main.conf", "state": "retired"}, {"path": "/etc/letsencrypt/renewal-hooks/pre/haproxy-pre", "state": "absent"},
        {"path": "/etc/letsencrypt/renewal-hooks/post/haproxy-renew", "state": "absent"}]


@pytest.mark.parametrize("step", ["placeholder", "adopted"])
def test_what_is_asked_of_cert_request_it_can_be_asked(step):
    plan, _notes, given = planned(domains=["192.0.2.1", "cloud.example.com"])
    [certificate] = plan.certificates
    entry = haproxy_plan.adopted(certificate, plan, given) if step == "adopted" else haproxy_plan.placeholder(
        certificate, plan, given, {pem.path for pem in certificate.pems})
    assert review(CERT_REQUEST, {"certificates": [entry]}).faults == []


@inside_the_repository
def test_the_roles_defaults_and_its_specification_agree():
    """Beside what upstream defines elsewhere, each default is documented as it is."""
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    elsewhere = {"haproxy_ssl_letsencrypt_certbot_server", "haproxy_vip_binds", "haproxy_tls_vip_binds", "haproxy_bind_external_lb_vip_address",
                 "haproxy_bind_external_lb_vip_interface", "extra_lb_tls_vip_addresses"}
    assert set(options) == set(defaults) | elsewhere
    fixed = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert {name: options[name].get("default") for name in fixed} == fixed


@inside_the_repository
def test_upstreams_variables_have_upstreams_defaults():
    """As in openstack/openstack-ansible-haproxy_server at b86fdd53 (November 2025)."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    assert {name: value for name, value in defaults.items() if name.startswith("haproxy_ssl_letsencrypt_")} == {
        "haproxy_ssl_letsencrypt_enable": False, "haproxy_ssl_letsencrypt_certbot_binary": "certbot", "haproxy_ssl_letsencrypt_certbot_backend_port": 8888,
        "haproxy_ssl_letsencrypt_pre_hook_timeout": 5,
        "haproxy_ssl_letsencrypt_certbot_bind_address": "{{ management_address | default(ansible_host | default(inventory_hostname)) }}",
        "haproxy_ssl_letsencrypt_certbot_challenge": "http-01", "haproxy_ssl_letsencrypt_email": "example@example.com",
        "haproxy_ssl_letsencrypt_config_path": "/etc/letsencrypt/live", "haproxy_ssl_letsencrypt_setup_extra_params": "",
        "haproxy_ssl_letsencrypt_domains": ["{{ external_lb_vip_address }}"]}
