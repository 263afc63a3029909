# SPDX-License-Identifier: Apache-2.0
"""The thin role and the collection as an operator gets them: the collection as the artifact that Galaxy would serve, the
role from a git repository that user-role-requirements.yml names. Nothing of this checkout is within reach of the plays."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from cloud import INTERMEDIATE, QUICK, ROOT, TOP, Cloud, certificate, venv


def run(*command, **more):
    """A command that must succeed; its output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False, **more)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def artifact():
    """What scripts/dist packs, of the executables that the tests run: the files of this checkout, those that git ignores left out."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-pki-role.", dir="/var/tmp"))
    source = work / "source"
    listed = run("git", "-C", TOP, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in [name for name in listed.split("\0") if name and (TOP / name).is_file()]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, source / name)
    native = pathlib.Path(os.environ.get("TLS_EVERYWHERE_NATIVE", TOP / "plugins/native"))
    shutil.copytree(native, source / "plugins/native")
    run(venv("ansible-2.19") / "bin/ansible-galaxy", "collection", "build", "--output-path", work, source, env=home(work))
    yield next(work.glob("tls-everywhere-*.tar.gz"))
    shutil.rmtree(work)


def home(work):
    """Nothing of the user's Ansible and git gets in."""
    return {"PATH": os.environ["PATH"], "HOME": str(work), "ANSIBLE_HOME": str(work / "ansible"), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}


class Deployed(Cloud):
    """A cloud whose role and collection are installed, and nothing else."""

    def install(self, packed):
        """Installs both by ansible-galaxy, as the guide says."""
        galaxy, environment = venv(self.core) / "bin/ansible-galaxy", home(self.work)
        run(galaxy, "collection", "install", packed, "-p", self.work / "collections", env=environment)
        thin = self.work / "ansible-role-pki-thin"
        shutil.copytree(self.work / "collections/ansible_collections/tls/everywhere/extras/roles/pki", thin)
        git = ("git", "-C", thin, "-c", "user.name=operator", "-c", "user.email=operator@localhost")
        run("git", "-c", "init.defaultBranch=main", "init", "--quiet", thin, env=environment)
        run(*git, "add", "--all", env=environment)
        run(*git, "commit", "--quiet", "--message", "Take the thin role", env=environment)
        requirements = self.work / "user-role-requirements.yml"
        requirements.write_text(json.dumps([{"name": "pki", "scm": "git", "src": f"file://{thin}", "version": "main"}]))
        run(galaxy, "role", "install", "-r", requirements, "-p", self.work / "roles", env=environment)
        shutil.rmtree(thin)

    def environment(self):
        """Only the two places."""
        places = {"ANSIBLE_ROLES_PATH": self.work / "roles", "ANSIBLE_COLLECTIONS_PATH": self.work / "collections",
                  "ANSIBLE_COLLECTIONS_PATHS": self.work / "collections"}
        return {**super().environment(), **{name: str(place) for name, place in places.items()}}


@pytest.mark.parametrize("core", ["ansible-2.14", "ansible-2.19"])
def test_the_thin_role_is_installed_and_called_as_an_operator_does(work, artifact, core):
    cloud = Deployed(work, hosts=("node1", "node2"), core=core)
    cloud.install(artifact)
    assert (work / "roles/pki/tasks/main_certs.yml").is_file() and not (work / "roles/pki").is_symlink()
    at = f"{work}/{{{{ inventory_hostname }}}}"
    asked = {
        "pki_authorities": [ROOT, INTERMEDIATE], "pki_install_ca": [{"name": "ExampleCorpRoot"}], "pki_certificates": [certificate("web")],
        "pki_install_certificates": [{"name": "web", "type": "certificate_chain", "dest": f"{at}/web.pem"},
                                     {"name": "web", "type": "private_key", "dest": f"{at}/web.key"}],
    }
    entries = [cloud.include(entry, **asked) for entry in ("main_ca.yml", "main_ca_install.yml", "main_certs.yml")]
    heard = {"name": "Hear", "listen": "cert installed", "ansible.builtin.command": {"cmd": f"touch {work}/heard-{{{{ inventory_hostname }}}}"}}
    ran = cloud.play(*entries, handlers=[heard], arguments=("-vv",))
    tasks = re.findall(r"^task path: (.*?)(?::[0-9]+)?$", ran.text, re.MULTILINE)
    assert tasks and not [path for path in tasks if not path.startswith(f"{work}/")]
    assert any(path.startswith(f"{work}/collections/ansible_collections/tls/everywhere/roles/pki/") for path in tasks)
    cloud.verify("web")
    for host in cloud.hosts:
        assert cloud.dest(host, "web.key").read_bytes() == cloud.key("web").read_bytes()
        assert (work / f"trust/{host}/ExampleCorpRoot.crt").read_bytes() == cloud.authority("ExampleCorpRoot").read_bytes()
        assert (work / f"heard-{host}").exists()
    assert cloud.play(*entries).changed() == 0
    assert cloud.run(**asked, pki_key=QUICK).changed() == 0  # main.yml too
