# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Kolla's kolla_set_configs, whose code is not ours to carry: the part of its contract that the tests
need. It copies what config.json names when a container starts; with --check it only says, by its status, whether a copy
is stale; with COPY_ONCE it copies once in the life of a container."""

import glob
import json
import os
import pathlib
import shutil
import sys

INSIDE = pathlib.Path("/var/lib/kolla/config_files")
ONCE = pathlib.Path("/configured")


def copies():
    """Source and destination of each file."""
    for entry in json.loads((INSIDE / "config.json").read_text())["config_files"]:
        for source in sorted(glob.glob(entry["source"])):
            target = pathlib.Path(entry["dest"])
            yield pathlib.Path(source), target / os.path.basename(source) if entry["dest"].endswith("/") else target, entry


def main():
    """Check or copy."""
    if "--check" in sys.argv:
        return int(any(not target.exists() or source.read_bytes() != target.read_bytes() for source, target, _ in copies()))
    once = os.environ.get("KOLLA_CONFIG_STRATEGY") == "COPY_ONCE"
    if once and ONCE.exists():
        return 0
    for source, target, entry in copies():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        shutil.chown(target, entry["owner"])
        target.chmod(int(entry["perm"], 8))
    if once:
        ONCE.touch()
    return 0


sys.exit(main())
