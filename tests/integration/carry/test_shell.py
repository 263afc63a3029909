# SPDX-License-Identifier: Apache-2.0
"""carry.sh by itself, under every shell that a target's /bin/sh may be, with a program that is a small script."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

import pytest

from plays import TOP

sys.path.insert(0, str(TOP / "plugins"))

from plugin_utils import placement  # noqa: E402

SHELLS = {"dash": ["/bin/dash"], "bash": ["/bin/bash"], "busybox ash": ["/bin/busybox", "sh"]}
PROGRAM = b'#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "{\\"$1 got\\": \\"$(cat "${2#-}" 2>/dev/null || cat)\\"}"\n'
SHA256 = hashlib.sha256(PROGRAM).hexdigest()
MACHINE = os.uname().machine
NAME = f"tls_everywhere-{SHA256}"


class Target:
    """One shell with a home of its own; what a test puts there is gone afterwards."""

    def __init__(self, shell, home, uid):
        self.shell, self.home, self.uid = shell, home, uid
        self.cache = home / ".cache" / "tls.everywhere"

    def ask(self, verb, data=b"", *directories, file="-", module="probe", machine=MACHINE, sha256=SHA256, home=None, **environment):
        """The answer to one verb."""
        program = placement.Program(machine, "", sha256, len(PROGRAM))
        words = shlex.split(placement.command(verb, module, [program], file, directories))
        settings = {"PATH": os.defpath, "HOME": str(home or self.home), **environment}
        done = subprocess.run([*self.shell, *words[1:]], input=data, env=settings, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (done, verb)
        return done.stdout.decode()

    def place(self, *directories, **more):
        """Sends the program and says where it is now."""
        said = placement.remarks(self.ask("place", PROGRAM, *directories, **more))
        assert said[-1].word == "placed", said
        return pathlib.Path(said[-1].detail)


@pytest.fixture(params=SHELLS)
def target(request, tmp_path):
    """A fresh target for each shell."""
    shell = SHELLS[request.param]
    assert os.path.exists(shell[0]), f"{shell[0]} is missing; scripts/setup-debian test installs it"
    before = set(pathlib.Path("/var/tmp").glob("tls.everywhere.*"))
    yield Target(shell, tmp_path, os.getuid())
    for left in set(pathlib.Path("/var/tmp").glob("tls.everywhere.*")) - before:
        shutil.rmtree(left)


@pytest.fixture(params=["dash", "bash"])
def target_with_path(request, tmp_path):
    """A fresh target whose shell looks for programs in PATH; busybox prefers its own."""
    return Target(SHELLS[request.param], tmp_path, os.getuid())


@pytest.fixture
def mounted(tmp_path):
    """Mounts a tmpfs with the given options on a directory; unmounted afterwards."""
    done = []

    def mount(name, options):
        directory = tmp_path / name
        directory.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], check=True, timeout=20)
        done.append(directory)
        return directory

    yield mount
    for directory in reversed(done):
        subprocess.run(["umount", directory], check=True, timeout=20)


def words(answer):
    return [remark.word for remark in placement.remarks(answer)]


def test_missing_then_placed_then_run(target):
    assert placement.remarks(target.ask("run", b"x")) == [("missing", MACHINE)]
    path = target.place()
    assert path == target.cache / NAME
    assert path.read_bytes() == PROGRAM and path.stat().st_mode & 0o7777 == 0o500
    assert target.cache.stat().st_mode & 0o7777 == 0o700
    assert list(target.cache.iterdir()) == [path], "no temporary file stays"
    assert target.ask("run", b"x") == '{"probe got": "x"}\n'
    assert target.ask("find", b"x") == f"tls.everywhere: held {path}\n"


def test_a_program_that_one_module_has_placed_is_there_for_all(target):
    path = target.place(module="first")
    assert target.ask("run", b"x", module="second") == '{"second got": "x"}\n'
    assert target.ask("find", module="third") == f"tls.everywhere: held {path}\n"
    assert list(target.cache.iterdir()) == [path]


def test_arguments_may_be_a_file(target, tmp_path):
    target.place()
    (tmp_path / "arguments").write_bytes(b"y")
    assert target.ask("run", file=str(tmp_path / "arguments")) == '{"probe got": "y"}\n'


def test_program_may_come_from_a_file(target, tmp_path):
    (tmp_path / "sent").write_bytes(PROGRAM)
    answer = target.ask("place", file=str(tmp_path / "sent"))
    assert words(answer) == ["placed"]


def test_standard_input_is_drained(target):
    # More than a pipe holds: a sender that is left alone with it would report a broken connection.
    assert words(target.ask("run", b"x" * 300_000)) == ["missing"]
    assert words(target.ask("find", b"x" * 300_000, machine="s390x")) == ["unshipped"]


def test_architecture_that_is_not_shipped(target):
    assert placement.remarks(target.ask("run", machine="s390x")) == [("unshipped", MACHINE)]


@pytest.mark.parametrize(("says", "means"), [("Linux amd64", "x86_64"), ("Linux arm64", "aarch64"), ("Linux aarch64", "aarch64")])
def test_other_names_of_an_architecture(target_with_path, tmp_path, says, means):
    uname = tmp_path / "bin" / "uname"
    uname.parent.mkdir()
    uname.write_text(f"#!/bin/sh\necho {says}\n")
    uname.chmod(0o755)
    assert placement.remarks(target_with_path.ask("run", machine=means, PATH=f"{uname.parent}:{os.defpath}")) == [("missing", means)]


def test_other_systems_are_named_in_full(target_with_path, tmp_path):
    uname = tmp_path / "bin" / "uname"
    uname.parent.mkdir()
    uname.write_text("#!/bin/sh\necho FreeBSD amd64\n")
    uname.chmod(0o755)
    answer = target_with_path.ask("run", machine="x86_64", PATH=f"{uname.parent}:{os.defpath}")
    assert placement.remarks(answer) == [("unshipped", "FreeBSD amd64")]


def test_chosen_directory_comes_first_then_xdg(target, tmp_path):
    assert target.place(str(tmp_path / "chosen place")).parent == tmp_path / "chosen place"
    assert target.place(XDG_CACHE_HOME=str(tmp_path / "xdg")).parent == tmp_path / "xdg" / "tls.everywhere"
    assert target.place(XDG_CACHE_HOME="relative").parent == target.cache


@pytest.mark.parametrize("tamper", [
    lambda path: (path.chmod(0o700), path.write_bytes(PROGRAM.replace(b"got", b"bad"))),
    lambda path: (path.chmod(0o700), path.write_bytes(PROGRAM[:20]), os.utime(path, (978350400, 978350400)), path.chmod(0o500)),
    lambda path: path.chmod(0o520),
    lambda path: path.chmod(0o502),
    lambda path: os.chown(path, 65534, 65534),
    lambda path: path.parent.chmod(0o777),
    lambda path: (path.rename(path.with_name("x")), path.symlink_to(path.with_name("x"))),
], ids=["written over", "cut short", "group may write", "others may write", "another owner", "directory open", "a link"])
def test_a_changed_program_is_not_run_but_replaced(target, tamper):
    path = target.place()
    tamper(path)
    assert words(target.ask("run", b"x")) == ["missing"]
    target.cache.chmod(0o700)
    assert target.place() == path
    assert not path.is_symlink() and path.read_bytes() == PROGRAM and path.stat().st_uid == target.uid
    assert target.ask("run", b"x") == '{"probe got": "x"}\n'


def test_a_directory_of_somebody_else_is_passed_over(target):
    target.cache.mkdir(parents=True)
    os.chown(target.cache, 65534, 65534)
    answer = target.ask("place", PROGRAM)
    said = placement.remarks(answer)
    assert said[0] == ("refused", f"{target.cache}: is not ours alone")
    assert said[1].word == "placed" and said[1].detail.startswith(f"/var/tmp/tls.everywhere.{target.uid}.")
    assert list(target.cache.iterdir()) == []
    assert target.ask("run", b"x") == '{"probe got": "x"}\n'


def test_squatters_in_var_tmp_are_passed_over(target):
    squat = pathlib.Path(f"/var/tmp/tls.everywhere.{target.uid}.squat0")
    link = pathlib.Path(f"/var/tmp/tls.everywhere.{target.uid}.squat1")
    try:
        squat.mkdir(mode=0o755)
        os.chown(squat, 65534, 65534)
        link.symlink_to(target.home)
        path = target.place(home="/nonexistent")
        assert path.parent.name.startswith(f"tls.everywhere.{target.uid}.") and path.parent not in (squat, link)
        assert path.parent.stat().st_mode & 0o7777 == 0o700
        assert target.ask("run", b"x", home="/nonexistent") == '{"probe got": "x"}\n'
        assert target.place(home="/nonexistent") == path, "the private directory is used again"
    finally:
        squat.rmdir()
        link.unlink()


@pytest.mark.parametrize(("options", "why"), [("noexec", "programs may not be run from it"), ("ro", "cannot be made")])
def test_noexec_and_read_only_homes_fall_through(target, mounted, options, why):
    home = mounted("home", f"size=1m,{options}")
    said = placement.remarks(target.ask("place", PROGRAM, home=home))
    assert said[0].word == "refused" and said[0].detail.endswith(why), said
    assert said[1].word == "placed" and said[1].detail.startswith("/var/tmp/")
    assert target.ask("run", b"x", home=home) == '{"probe got": "x"}\n'


def test_a_mount_that_became_noexec_falls_through(target, mounted):
    home = mounted("home", "size=1m")
    path = target.place(home=home)
    assert path.is_relative_to(home)
    subprocess.run(["mount", "-o", "remount,noexec", home], check=True, timeout=20)
    assert words(target.ask("run", b"x", home=home)) == ["missing"]
    assert str(target.place(home=home)).startswith("/var/tmp/")
    assert target.ask("run", b"x", home=home) == '{"probe got": "x"}\n'


def test_a_full_disk_is_named_and_leaves_nothing(target, mounted):
    home = mounted("home", "size=16k")
    (home / ".cache").mkdir()
    (home / "filler").write_bytes(b"x" * 4096)
    said = placement.remarks(target.ask("place", PROGRAM * 200, home=home))
    assert said[-1].word == "spoiled" and "is the file system full?" in said[-1].detail, said
    assert list((home / ".cache" / "tls.everywhere").iterdir()) == []


def test_what_arrives_must_have_the_right_hash(target):
    said = placement.remarks(target.ask("place", PROGRAM.replace(b"got", b"bad")))
    assert said[-1].word == "spoiled" and "not what was sent" in said[-1].detail
    assert list(target.cache.iterdir()) == []


def test_two_placements_at_once(target):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: target.place(), range(16)))
    assert set(paths) == {target.cache / NAME}
    assert [path.name for path in target.cache.iterdir()] == [NAME]
    assert target.ask("run", b"x") == '{"probe got": "x"}\n'


def test_old_programs_are_swept_by_count_and_nothing_else(target):
    target.cache.mkdir(parents=True, mode=0o700)
    target.cache.parent.chmod(0o700)
    # Before all modules were in one program, each had its own.
    modules = ("cert_request", "container_restart", "file_set", "pki_ca")
    old = [target.cache / f"{modules[number % 4] if number < 17 else 'tls_everywhere'}-{number:064x}" for number in range(20)]
    for number, path in enumerate(old):
        if number == 15:
            time.sleep(1.1)  # busybox sorts by whole seconds
        path.write_bytes(b"old")
    others = [target.cache / name for name in ("notes", "pki_ca-123", "tls_everywhere-" + "z" * 64, ".incoming.123456")]
    for path in others:
        path.write_bytes(b"not ours")
    target.place()
    left = {path.name for path in target.cache.iterdir()}
    assert left >= {NAME} | {path.name for path in others}
    kept = left & {path.name for path in old}
    assert len(kept) == 4 and kept < {path.name for path in old[15:]}


def test_old_programs_are_swept_by_age(target_with_path, tmp_path):
    target_with_path.cache.mkdir(parents=True, mode=0o700)
    for name in ("cert_request", "tls_everywhere"):
        (target_with_path.cache / f"{name}-{0:064x}").write_bytes(b"old")
    # Change times cannot be set; a find that answers for files of 31 days stands in.
    find = tmp_path / "bin" / "find"
    find.parent.mkdir()
    find.write_text('#!/bin/sh\ncase "$*" in *"-ctime +30"*) echo "$1" ;; esac\n')
    find.chmod(0o755)
    target_with_path.place(PATH=f"{find.parent}:{os.defpath}")
    assert [path.name for path in target_with_path.cache.iterdir()] == [NAME]


def test_listing_options_of_the_user_do_not_matter(target):
    target.place()
    odd = {"TIME_STYLE": "long-iso", "BLOCK_SIZE": "human-readable", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"}
    assert target.ask("run", b"x", **odd) == '{"probe got": "x"}\n'


def test_the_text_survives_foreign_quoting():
    text = placement.script()
    assert not set(text) & {"'", "\\"} and text.isascii()
