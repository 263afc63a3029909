# SPDX-License-Identifier: Apache-2.0
"""Bad days of the carrying, through ansible-playbook on the newest ansible-core."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from hosts import hosts
from plays import HERE, NEWEST, TOP, play

sys.path.insert(0, str(TOP / "plugins"))

from plugin_utils import placement  # noqa: E402

MACHINE = os.uname().machine


@pytest.fixture
def call(machine, collections, tmp_path):
    """Runs one task on the named kinds of hosts; more variables may be given for all of them."""
    tmp_path.chmod(0o755)

    def run(*names, copies=1, where=collections, play_environment=None, **variables):
        every = hosts(machine)
        chosen = {}
        for name in names:
            for copy in range(copies):
                directory = tmp_path / f"{name}-{copy}"
                seen = machine.chroot / directory.relative_to("/") if name == "nopython" else directory
                seen.mkdir(parents=True, exist_ok=True)
                shutil.chown(seen, every[name]["runs_as"])
                chosen[f"{name}-{copy}"] = {**every[name], "dir": str(directory), **variables}
        inventory = tmp_path / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": chosen}}), encoding="utf-8")
        return play(NEWEST, HERE / "faults.yml", inventory, where, machine, "-vvv", environment=play_environment)

    return run


def test_an_architecture_that_is_not_shipped_is_named_with_those_that_are(call, place):
    played = call("local", "ssh", where=place("foreign", "riscv64", "s390x"))
    for host in ("local-0", "ssh-0"):
        result = played.result(host, "call")
        assert result["status"] == "failed"
        assert result["msg"] == f"no 'cert_request' for '{MACHINE}'; this copy of the collection has it for riscv64, s390x"
        assert result["error"]["kind"] == "program.no_architecture"


def test_a_collection_without_programs_says_so(call, place):
    result = call("local", where=place("empty")).result("local-0", "call")
    assert result["msg"] == f"no 'cert_request' for '{MACHINE}'; this copy of the collection has it for no machine at all"


def test_tasks_at_once_place_one_program(call, tmp_path):
    played = call("local", "ssh", copies=4, cache=str(tmp_path / "shared"))
    assert played.status == 0, played.output[-3000:]
    assert len(list((tmp_path / "shared" / "tls.everywhere").iterdir())) == 1
    assert played.output.count("program placed:") >= 1


def test_the_program_is_sent_once_for_all_modules(call, tmp_path):
    first = call("ssh", cache=str(tmp_path / "shared"))
    again = call("ssh", cache=str(tmp_path / "shared"))
    assert first.output.count("program placed:") == 1 and again.output.count("program placed:") == 0
    assert first.output.count("SSH: EXEC") == 4 and again.output.count("SSH: EXEC") == 2, "one round trip for a task is the design"
    assert list(first.result("ssh-0", "call another")["contents"]) == [str(tmp_path / "ssh-0" / "web.crt")]
    (kept,) = (tmp_path / "shared" / "tls.everywhere").iterdir()
    assert kept.name.startswith("tls_everywhere-")


@pytest.mark.parametrize("tamper", [
    lambda path: (path.chmod(0o700), path.write_bytes(b"#!/bin/sh\necho '{\"changed\": false, \"tampered\": true}'\n"), path.chmod(0o500)),
    lambda path: shutil.chown(path, "nobody"),
    lambda path: path.chmod(0o577),
], ids=["content", "owner", "mode"])
def test_a_tampered_program_is_replaced_and_never_run(call, tmp_path, tamper):
    call("ssh", cache=str(tmp_path / "shared"))
    (path,) = (tmp_path / "shared" / "tls.everywhere").iterdir()
    good = path.read_bytes()
    tamper(path)
    played = call("ssh", cache=str(tmp_path / "shared"))
    result = played.result("ssh-0", "call")
    assert result["status"] == "ok" and "tampered" not in result
    assert played.output.count("program placed:") == 1
    assert path.read_bytes() == good and path.owner() == "root" and path.stat().st_mode & 0o777 == 0o500


@pytest.fixture
def mount(tmp_path):
    """Mounts a tmpfs; unmounted afterwards."""
    done = []

    def make(options):
        directory = tmp_path / f"mount-{len(done)}"
        directory.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], check=True, timeout=20)
        done.append(directory)
        return directory

    yield make
    for directory in done:
        subprocess.run(["umount", "--lazy", directory], check=True, timeout=20)


@pytest.mark.parametrize("options", ["noexec", "ro"])
def test_noexec_and_read_only_places_fall_through(call, mount, tmp_path, options):
    played = call("ssh", chosen=[str(mount(f"size=30m,{options}") / "here"), str(tmp_path / "second")])
    assert played.result("ssh-0", "call")["status"] == "ok", played.output[-3000:]
    assert len(list((tmp_path / "second").iterdir())) == 1


def test_a_full_disk_is_named(call, mount):
    result = call("ssh", chosen=str(mount("size=64k,mode=0700"))).result("ssh-0", "call")
    assert result["status"] == "failed" and result["error"]["kind"] == "program.not_placed"
    assert "is the file system full?" in result["msg"] and "tls_everywhere_program_directory" in result["error"]["hint"]


def test_a_relative_directory_is_refused(call):
    result = call("local", chosen="relative/path").result("local-0", "call")
    assert result["status"] == "failed"
    assert "tls_everywhere_program_directory: 'relative/path' is not an absolute path" in result["msg"]


def test_a_fake_uname_is_believed_only_for_the_name(call, tmp_path):
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "uname").write_text("#!/bin/sh\necho Linux mips64\n", encoding="ascii")
    (fake / "uname").chmod(0o755)
    played = call("local", play_environment={"PATH": f"{fake}:{os.environ['PATH']}"})
    assert "no 'cert_request' for 'mips64'; this copy of the collection has it for " in played.result("local-0", "call")["msg"]


def test_a_host_that_cannot_be_reached_is_unreachable(call):
    assert call("ssh", ansible_port=1).result("ssh-0", "call")["status"] == "unreachable"


def test_local_become_with_a_password_does_not_hang(machine, collections, tmp_path):
    """The local connection answers sudo's prompt on a terminal; standard input must not be waited for there."""
    from machine import PASSWORD

    user, home = "tlscarry-asked", machine.work / "home" / "tlscarry-asked"
    work = home / "local"
    work.mkdir()
    inventory = work / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"here": {
        **hosts(machine)["local"], "ansible_become": True, "ansible_become_password": PASSWORD, "dir": str(work)}}}}), encoding="utf-8")
    shutil.chown(work, user)
    # ansible-core of the repository's virtual environment may not be readable for another user.
    pathlib.Path(work / "core").mkdir()
    site = next((TOP / ".cache" / "venv" / f"ansible-{NEWEST}" / "lib").glob("python*")) / "site-packages"
    shutil.copytree(site, work / "core" / "site", symlinks=True)
    plugins = work / "collections"
    shutil.copytree(collections, plugins, symlinks=False)
    shutil.copy(HERE / "faults.yml", work)
    old = ["runuser", "-u", user, "--", "/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    if subprocess.run(old, check=False, timeout=20).returncode:
        pytest.fail("the system's Python is too old to be a controller for this test")
    done = subprocess.run(
        ["runuser", "-u", user, "--", "env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
         f"PYTHONPATH={work}/core/site", f"ANSIBLE_COLLECTIONS_PATH={plugins}", "ANSIBLE_NOCOLOR=1",
         "/usr/bin/python3", "-m", "ansible", "playbook", "-i", str(inventory), str(work / "faults.yml")],
        cwd=work, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert (work / "web.key").owner() == "root"
