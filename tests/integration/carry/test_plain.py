# SPDX-License-Identifier: Apache-2.0
"""The executable as a binary module of Ansible, without the collection: a file that is called as the module is, in a library."""

from __future__ import annotations

import json
import shutil

import pytest

from hosts import hosts
from plays import CORES, play

PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: write
      file_set: &pair
        sets: [{name: pair, files: [{path: "{{ dir }}/key", content: one}, {path: "{{ dir }}/certificate", content: two}]}]
    - name: again
      file_set: *pair
"""


@pytest.mark.parametrize("core", [CORES[0], CORES[-1]])
def test_a_file_by_the_name_of_a_module_is_that_module_for_ansible(machine, programs, collections, tmp_path, core):
    tmp_path.chmod(0o755)
    library = tmp_path / "library"
    library.mkdir()
    shutil.copy(programs / "tls_everywhere", library / "file_set")
    every = hosts(machine)
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {name: {**every[name], "dir": str(tmp_path)} for name in ("local", "ssh")}}}), encoding="utf-8")
    book = tmp_path / "play.yml"
    book.write_text(PLAYBOOK, encoding="utf-8")
    # One host after the other: they share the files.
    for host in ("local", "ssh"):
        for name in ("key", "certificate"):
            (tmp_path / name).unlink(missing_ok=True)
        played = play(core, book, inventory, collections, machine, "--limit", host, environment={"ANSIBLE_LIBRARY": str(library)})
        first, again = played.result(host, "write"), played.result(host, "again")
        assert (first["status"], first["changed"], again["changed"]) == ("ok", True, False), played.output[-3000:]
        # Without its committer it would warn.
        assert not first.get("warnings") and (tmp_path / "key").read_text() == "one"
