# SPDX-License-Identifier: Apache-2.0
"""The hosts of the matrix: one for each way in which Ansible reaches a target and becomes another user there."""

from __future__ import annotations

import json
import os
import pathlib
import pwd

from machine import PASSWORD, PYTHON, USERS

LOGIN, OTHER, TERMINAL, ASKED = USERS

#: on every ansible-core; the newest has all
REPRESENTATIVE = ("local", "ssh", "ssh_become_root", "ssh_become_other_without_acl", "ssh_su_other", "nopython")


def hosts(machine) -> dict[str, dict]:
    """Name → variables. `runs_as` is the user that the program must have run as."""
    ssh = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": machine.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(machine.work / "client_key"),
        "ansible_ssh_common_args": "-F /dev/null -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        "ansible_python_interpreter": PYTHON,
        "runs_as": "root",
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": PYTHON, "runs_as": "root"}
    become_root = {"ansible_user": LOGIN, "ansible_become": True}
    become_other = {"ansible_user": LOGIN, "ansible_become": True, "ansible_become_user": OTHER, "runs_as": OTHER}
    su_other = {"ansible_become": True, "ansible_become_method": "su", "ansible_become_user": OTHER, "runs_as": OTHER}
    ash = machine.work / "ash"
    if not ash.is_symlink():
        ash.symlink_to("/bin/busybox")
    return {
        "local": local,
        "local_pipelining": {**local, "ansible_pipelining": True},
        "local_become_other": {**local, "ansible_become": True, "ansible_become_user": OTHER, "runs_as": OTHER},
        "ssh": ssh,
        "ssh_pipelining": {**ssh, "ansible_pipelining": True},
        "ssh_dash": {**ssh, "ansible_shell_executable": "/bin/dash"},
        "ssh_ash": {**ssh, "ansible_shell_executable": str(ash)},
        "ssh_become_root": {**ssh, **become_root},
        "ssh_become_root_pipelining": {**ssh, **become_root, "ansible_pipelining": True},
        "ssh_become_other": {**ssh, **become_other},
        "ssh_become_other_without_acl": {**ssh, **become_other, "ansible_port": machine.port_without_acl},
        # No pipelining is possible with su; with a user's own login, files change hands by ACL.
        "ssh_su_other": {**ssh, **su_other},
        "ssh_su_other_password": {**ssh, **su_other, "ansible_user": LOGIN, "ansible_become_password": PASSWORD},
        "ssh_requiretty": {**ssh, **become_root, "ansible_user": TERMINAL},
        "ssh_sudo_password": {**ssh, **become_root, "ansible_user": ASKED, "ansible_become_password": PASSWORD},
        "nopython": {**ssh, "ansible_port": machine.port_chroot},
    }


def prepare(machine, core: str, names) -> pathlib.Path:
    """Makes each host's directory, owned by the user of its tasks, and the inventory."""
    chosen = {name: dict(variables) for name, variables in hosts(machine).items() if name in names}
    for name, variables in chosen.items():
        directory = machine.work / "hosts" / core / name
        seen = machine.chroot / directory.relative_to("/") if name == "nopython" else directory
        seen.mkdir(parents=True)
        user = pwd.getpwnam(variables["runs_as"])
        os.chown(seen, user.pw_uid, user.pw_gid)
        variables["dir"] = str(directory)
        # Ansible asks the account for ~ in one place and HOME in the other; here they differ.
        variables["ansible_async_dir"] = f"{directory}/async"
    inventory = machine.work / f"inventory-{core}.json"
    inventory.write_text(json.dumps({"all": {"hosts": chosen}}), encoding="utf-8")
    return inventory
