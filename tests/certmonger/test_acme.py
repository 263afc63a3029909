# SPDX-License-Identifier: Apache-2.0
"""acme_dns_challenge as a helper of certmonger: certmonger makes the keys, tracks and renews, a real Pebble looks at real BINDs and signs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import time

import pytest
from lab import Certificate, Until
from module import TOP, call, command, done, entry, unchanged

PROGRAM = command("acme_dns_challenge")


@pytest.fixture(scope="module")
def world(shared):
    """The servers of the tests of the role letsencrypt."""
    found = importlib.util.spec_from_file_location("letsencrypt_servers", TOP / "tests/compatibility/letsencrypt/servers.py")
    servers = importlib.util.module_from_spec(found)
    found.loader.exec_module(servers)
    place = shared.place / "world"
    world = servers.World(place)
    yield world
    world.close()


@pytest.fixture
def authority(lab, world):
    """certmonger told of it as the CA `acme`; the file of its options."""
    options = lab.place / "acme.json"
    options.write_text(json.dumps({
        "directory": world.pebble.directory, "ca_file": str(world.pebble.place / "https.pem"), "account_key": str(lab.place / "account.key"),
        "terms_agreed": True, "provider": world.update(), "propagation": world.propagation(), "state_dir": str(lab.place / "orders"),
    }), encoding="utf-8")
    lab.getcert("add-ca", "-c", "acme", "-e", f"{' '.join(map(str, PROGRAM))} --certmonger {options}")
    yield options
    lab.getcert("remove-ca", "-c", "acme")


def wished(lab, host, **more):
    """A certificate for a host whose challenges lead into the signing zone."""
    return entry(lab, ca="acme", dns=[f"{host}.example.test"], **more)


def verified(lab, world, host):
    """openssl's word on it, with the chain that stands behind it in the file of the daemon's answer."""
    chain = lab.place / "orders"
    found = [path for path in chain.glob("certmonger-*.pem") if path.read_text().startswith(lab.file("web.crt").read_text().strip()[:200])]
    argv = ["openssl", "verify", "-CAfile", world.pebble.root(), "-untrusted", found[0], "-purpose", "sslserver", "-verify_hostname",
            f"{host}.example.test", lab.file("web.crt")]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout


def test_certmonger_tracks_and_renews_what_an_acme_server_signs(lab, world, authority):
    assert done(lab, wished(lab, "h0")).of()["action"] == "issue"
    assert ": OK" in verified(lab, world, "h0")
    assert world.primary.texts("acme-sign.test") == []
    before, issued = Certificate(lab.file("web.crt")).serial, world.pebble.issued()
    unchanged(lab, wished(lab, "h0"))
    time.sleep(1.5)  # the server's resolver keeps the record of the first for a second
    lab.getcert("resubmit", "-f", lab.file("web.crt"), "-w")
    assert Certificate(lab.file("web.crt")).serial != before and world.pebble.issued() == issued + 1
    assert ": OK" in verified(lab, world, "h0") and lab.listed(lab.file("web.crt"))["status"] == "MONITORING"
    unchanged(lab, wished(lab, "h0"))


def test_a_name_that_the_server_forbids_is_refused_with_its_words(lab, authority):
    answer = call(lab, wished(lab, "blocked"))
    assert answer.failure()["kind"] == "certmonger.refused", json.dumps(answer, indent=1)
    assert "rejectedIdentifier" in answer.failure()["msg"]
    assert lab.listed(lab.file("web.crt"))["status"] == "CA_REJECTED"


def test_what_may_pass_is_waited_for_and_goes_on_by_itself(lab, world, authority):
    """certmonger's own way with what is unreachable is to do nothing for a week."""
    options = json.loads(authority.read_text())
    authority.write_text(json.dumps({**options, "directory": "https://localhost:1/dir", "retry": {"max_wait": "1s"}}), encoding="utf-8")
    call(lab, wished(lab, "h1", issuer={"wait_timeout": "1s"}))
    Until()("it waits", lambda: lab.listed(lab.file("web.crt"))["status"] == "CA_WORKING")
    authority.write_text(json.dumps(options), encoding="utf-8")
    lab.getcert("refresh", "-f", lab.file("web.crt"))
    Until()("it is issued", lambda: lab.listed(lab.file("web.crt"))["status"] == "MONITORING")
    assert ": OK" in verified(lab, world, "h1")
