# SPDX-License-Identifier: Apache-2.0
"""The collection on the newest ansible-core; its hosts are directories of this machine."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from sites import HOSTS, TOP, Site  # noqa: E402


#: as for the tests of the carrying: other executables than those that are built
NATIVE = pathlib.Path(os.environ.get("CARRY_NATIVE", TOP / "plugins" / "native"))


def place_collection(collections: pathlib.Path):
    """The collection with the chosen executables, as links."""
    subprocess.run([TOP / "scripts" / "place-collection", collections], check=True, timeout=60)
    plugins = collections / "ansible_collections" / "tls" / "everywhere" / "plugins"
    plugins.unlink()
    plugins.mkdir()
    for part in (TOP / "plugins").iterdir():
        (plugins / part.name).symlink_to(NATIVE if part.name == "native" else part)


@pytest.fixture
def site(tmp_path):
    """A new site."""
    program = NATIVE / f"linux-{os.uname().machine}" / "tls_everywhere"
    assert program.exists(), f"'{program}' is not built; run make build"
    for part in (*HOSTS, "control"):
        (tmp_path / part).mkdir()
    variables = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    hosts = {host: {**variables, "dir": str(tmp_path / host)} for host in HOSTS}
    webs = {host: {} for host in HOSTS if host.startswith("web")}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "children": {"webs": {"hosts": webs}}}}), encoding="utf-8")
    place_collection(tmp_path / "collections")
    return Site(tmp_path, tmp_path / "control", inventory, tmp_path / "collections")
