# SPDX-License-Identifier: Apache-2.0
"""A user without rights who wants keys: sleeps until a file appears or changes its mode anywhere below, and opens it at once if he may.

What he has opened stays open, so a key that was closed a moment later is his all the same. `watch` runs him for the length of a
block; run as a program this file is he."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import pathlib
import select
import stat
import struct
import subprocess
import sys

# From <sys/inotify.h>.
ATTRIB, MOVED_TO, CREATE, ISDIR = 0x4, 0x80, 0x100, 0x40000000
EVENT = struct.Struct("iIII")


class Onlooker:
    """What he watches and what he holds."""

    def __init__(self, tops):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.queue = self.libc.inotify_init1(os.O_CLOEXEC)
        self.directories = {}
        self.held = {}
        for top in tops:
            self.enter(top)

    def enter(self, directory):
        """Watch a directory and what is below it, then take what is there already."""
        watch = self.libc.inotify_add_watch(self.queue, os.fsencode(directory), ATTRIB | MOVED_TO | CREATE)
        if watch >= 0:
            self.directories[watch] = directory
        with contextlib.suppress(OSError):
            for entry in os.scandir(directory):
                if entry.is_dir(follow_symlinks=False):
                    self.enter(entry.path)
                else:
                    self.take(entry.path)

    def take(self, path):
        """Open a file and keep it open, once."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as refusal:
            if refusal.errno in (errno.EMFILE, errno.ENFILE):
                raise
            return
        status = os.fstat(descriptor)
        file = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode) and file not in self.held:
            self.held[file] = (path, descriptor)
        else:
            os.close(descriptor)

    def look(self):
        """Take what the next events are about."""
        events, at = os.read(self.queue, 65536), 0
        while at < len(events):
            watch, mask, _cookie, length = EVENT.unpack_from(events, at)
            name = events[at + EVENT.size:at + EVENT.size + length].rstrip(b"\0")
            at += EVENT.size + length
            path = os.path.join(self.directories[watch], os.fsdecode(name))
            if mask & ISDIR:
                self.enter(path)
            else:
                self.take(path)

    def keys(self):
        """The files whose content is a key, now that all have been written."""
        found = set()
        for path, descriptor in self.held.values():
            with os.fdopen(descriptor, "rb") as file:
                if b"PRIVATE KEY-----" in file.read():
                    found.add(path)
        return sorted(found)


def main(tops):
    """Say when everything is watched, look until standard input ends, tell the keys."""
    looking = Onlooker(tops)
    print("awake", flush=True)
    while True:
        ready, _, _ = select.select([looking.queue, sys.stdin], [], [])
        if looking.queue in ready:
            looking.look()
        elif sys.stdin in ready:
            break
    print("\n".join(looking.keys()))


class Seen:
    """What he has seen, once the block is over."""

    keys = None


def quick():
    """The words that let him run before everybody else the moment he wakes, where the machine allows it; else he may come too late."""
    words = ["chrt", "--fifo", "1"]
    return words if subprocess.run([*words, "true"], capture_output=True, timeout=10).returncode == 0 else []


@contextlib.contextmanager
def watch(*directories):
    """Let him look during the block; the yielded object has the files in which he saw a key when it is over."""
    nobody = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups"]  # No user of this machine: he owns nothing.
    command = [*quick(), *nobody, "/usr/bin/python3", "-c", pathlib.Path(__file__).read_text(), *map(str, directories)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as looking:
        try:
            assert looking.stdout.readline() == "awake\n"
            seen = Seen()
            yield seen
            told, _nothing = looking.communicate(timeout=30)
            assert looking.returncode == 0
            seen.keys = told.split()
        finally:
            looking.kill()


if __name__ == "__main__":
    main(sys.argv[1:])
