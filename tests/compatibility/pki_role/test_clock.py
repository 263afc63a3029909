# SPDX-License-Identifier: Apache-2.0
"""Clocks that are an hour wrong, on the setup host and on targets behind ssh, for keys on either side: the run does its work,
the wrong clock is named, and nothing is issued again, neither while the clock is wrong nor when it has been set.

The clock is that of libfaketime, which does not reach static executables, so the one here is that of `cargo build`: the
same code, linked to the C library of this machine."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest
from cloud import INTERMEDIATE, ROOT, TOP, certificate, openssl
from remote import Remote

HOSTS = ("node1", "node2", "deploy")
LOCATIONS = ("setup_host", "host")


@pytest.fixture(scope="module")
def native():
    """A directory with an executable that libfaketime reaches."""
    target = next(line for line in output("rustc", "-vV").splitlines() if line.startswith("host: "))[len("host: "):]
    more = {"OPENSSL_DIR": output("scripts/build-openssl", target).strip(), "OPENSSL_NO_VENDOR": "1", "OPENSSL_STATIC": "1"}
    # The directory that `cargo test` has filled before.
    build = ["cargo", "build", "--quiet", "--workspace", "--bins", "--locked"]
    subprocess.run(build, cwd=TOP, env={**os.environ, **more}, check=True, timeout=900)
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-native.", dir="/var/tmp"))
    programs = place / f"linux-{os.uname().machine}"
    programs.mkdir()
    built = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")) / "debug"
    output("strip", "-o", programs / "tls_everywhere", built / "tls_everywhere")  # it travels to the hosts
    assert "not a dynamic executable" not in output("ldd", programs / "tls_everywhere")
    yield str(place)
    shutil.rmtree(place)
    # libfaketime leaves a file in shared memory for each process that was killed.
    for left in pathlib.Path("/dev/shm").glob("*faketime_*_*"):
        if not pathlib.Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)


def output(*command):
    """What a command prints."""
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=900).stdout


@pytest.fixture
def cloud(work, native):
    """Two targets and a setup host behind ssh."""
    it = Remote(work, hosts=HOSTS[:2], native=native)
    yield it
    it.stop()


def with_clocks(cloud, **clocks):
    """All hosts, some with a wrong clock."""
    for name in HOSTS:
        if name in cloud.far:
            cloud.far[name].lose()
            cloud.far[name].set_clock(clocks.get(name))
            cloud.far[name].start()
        else:
            cloud.add(name, clocks.get(name))


def own(location, host="{{ inventory_hostname }}"):
    """The name of a host's certificate with its key at one place or the other."""
    return f"{location}_{host}"


def wishes(cloud, *locations, **more):
    """A certificate of its own for each host and place of the key."""
    at = f"{cloud.work}/{{{{ inventory_hostname }}}}"
    return {
        "pki_setup_host": "deploy", "pki_setup_host_python_interpreter": "/usr/bin/python3", "pki_authorities": [ROOT, INTERMEDIATE],
        "pki_certificates": [certificate(own(location), key_location=location, **more) for location in locations],
        "pki_install_certificates": [
            {"name": own(location), "type": kind, "dest": f"{at}/{location}.{ending}"}
            for location in locations for kind, ending in (("certificate_chain", "pem"), ("private_key", "key"))],
    }


def check(cloud, *clocks):
    """openssl verifies what is installed, by the right clock and by those that are given, in seconds from it; the serials."""
    found = {}
    for chain in sorted(path for host in cloud.hosts for path in cloud.dest(host, "").glob("*.pem")):
        for clock in (0, *clocks):
            at = int(time.time()) + clock
            assert openssl("verify", "-attime", at, "-CAfile", cloud.authority("ExampleCorpRoot"), "-untrusted", chain, chain).strip().endswith("OK")
        assert openssl("x509", "-in", chain, "-noout", "-pubkey") == openssl("pkey", "-in", chain.with_suffix(".key"), "-pubout")
        found[own(chain.stem, chain.parent.name)] = cloud.serial(chain)
    return found


@pytest.mark.parametrize("clocks", [{"deploy": "+1h"}, {"deploy": "-1h"}, {"node1": "+1h", "node2": "-1h"}], ids=lambda clocks: "-".join(clocks.values()))
def test_an_hour_breaks_nothing_is_named_and_makes_nothing_twice(cloud, clocks):
    with_clocks(cloud, **clocks)
    asked = wishes(cloud, *LOCATIONS)
    ran = cloud.run(**asked)
    for host, clock in clocks.items():
        assert f"the clock of '{host}' is 60 minutes {'ahead of' if clock == '+1h' else 'behind'} the controller's" in ran.flat()
    assert ran.flat().count("the clock of") == len(clocks)
    first = check(cloud, *[] if "deploy" in clocks else [-3600, 3600])
    assert len(first) == 4
    assert cloud.run(**asked).changed() == 0, "while the clock is wrong"
    with_clocks(cloud)
    again = cloud.run(**asked)
    assert again.changed() == 0 and "the clock of" not in again.flat(), "when it has been set"
    assert check(cloud) == first


def test_a_target_that_is_hours_behind_refuses_is_named_and_takes_the_same_certificate_later(cloud):
    with_clocks(cloud)
    cloud.run(**wishes(cloud, "host"))
    before = check(cloud)
    with_clocks(cloud, node2="-3h")
    changed = wishes(cloud, "host", san={"dns": ["new.example.org"]})
    failed = cloud.run("main_certs.yml", ok=False, **changed)
    assert failed.recap("node1", "failed") == 0 and failed.recap("node2", "failed") == 1
    assert "is not valid before" in failed.flat() and "check the clock" in failed.flat()
    assert "the clock of 'node2' is 180 minutes behind the controller's" in failed.flat()
    assert check(cloud)[own("host", "node2")] == before[own("host", "node2")]
    signed = {own("host", host): cloud.serial(cloud.leaf(own("host", host))) for host in cloud.hosts}
    with_clocks(cloud)
    cloud.run("main_certs.yml", **changed)
    assert check(cloud) == signed
    assert cloud.run("main_certs.yml", **changed).changed() == 0


def test_what_a_setup_host_signed_that_was_hours_ahead_is_refused_and_signed_again_when_its_clock_is_set(cloud):
    with_clocks(cloud)
    cloud.run(**wishes(cloud, "host"))
    before = check(cloud)
    with_clocks(cloud, deploy="+3h")
    changed = wishes(cloud, "host", san={"dns": ["new.example.org"]})
    failed = cloud.run("main_certs.yml", ok=False, **changed)
    assert "is not valid before" in failed.flat()
    assert "the clock of 'deploy' is 180 minutes ahead of the controller's" in failed.flat()
    assert check(cloud) == before
    with_clocks(cloud)
    cloud.run("main_certs.yml", **changed)
    assert set(check(cloud).values()).isdisjoint(before.values())
    assert cloud.run("main_certs.yml", **changed).changed() == 0
