# SPDX-License-Identifier: Apache-2.0
"""docs/guide_vault.md: its playbook, as a reader saves and runs it, at a real OpenBao in development mode."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from cloud import TOP, Cloud, collections, openssl, venv

sys.path.insert(0, str(TOP / "tests"))
import openbao  # noqa: E402  (after the path above)

PAGE = (TOP / "docs" / "guide_vault.md").read_text(encoding="utf-8")


@pytest.fixture
def demo(work):
    """The playbook at a server of ours: only the address, the token and the place are others than in the page."""
    server = openbao.OpenBao(work / "openbao")
    [text] = re.findall(r"^```yaml\n(- name: .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for old, new in (("http://127.0.0.1:8200", server.url), ("token: demo", f"token: {openbao.TOKEN}"), ("/tmp/vault-demo", str(work / "demo"))):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (work / "vault.yml").write_text(text)
    yield server
    server.close()


def run(work, ok=True):
    """`ansible-playbook vault.yml`; the recap's changes and the output."""
    cloud = Cloud(work)
    assert collections().exists()
    done = subprocess.run([venv(cloud.core) / "bin" / "ansible-playbook", "vault.yml"], cwd=work, env=cloud.environment(), check=False,
                          capture_output=True, text=True, timeout=300)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return int(re.search(r"changed=([0-9]+)", done.stdout).group(1)), re.sub(r"\s+", " ", done.stdout + done.stderr)


def test_the_playbook_of_the_guide_does_what_the_guide_says(work, demo):
    assert run(work)[0] == 5
    assert "DNS:web.demo.example" in openssl("x509", "-in", work / "demo/web.pem", "-noout", "-ext", "subjectAltName")
    assert run(work)[0] == 0
    leaf = openssl("x509", "-in", work / "demo/web.pem")
    demo.api("pki/revoke", {"certificate": leaf})
    (work / "demo/web.key").unlink()
    assert run(work)[0] == 1 and openssl("x509", "-in", work / "demo/web.pem") != leaf
    demo.seal()
    changed, said = run(work, ok=False)
    assert changed == 0 and "sealed" in said
