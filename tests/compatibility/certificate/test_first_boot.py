# SPDX-License-Identifier: Apache-2.0
"""An image that is not booted: the requests wait in files, and the unit's own command makes them at the first boot."""

from __future__ import annotations

import json
import os
import re
import subprocess

from lab import belongs, names


def image(lab, **more):
    """The role's variables for an image that is being built."""
    directories = {"certificate_first_boot_directory": f"{lab.place}/first-boot", "certificate_unit_directory": f"{lab.place}/units"}
    return {"__certificate_is_booted": False, **directories, **more}


def boot(lab):
    """What systemd would do: run the unit's command if there is something to do."""
    unit = (lab.place / "units/multi-user.target.wants/tls-everywhere-first-boot.service").read_text()
    assert f"ConditionDirectoryNotEmpty={lab.place}/first-boot" in unit and "After=certmonger.service" in unit
    script = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE).group(1)
    return subprocess.run(["/bin/sh", "-c", script], env=lab.environment, capture_output=True, text=True, timeout=120)


def test_requests_of_an_image_wait_for_its_first_boot_and_are_made_then(lab):
    (lab.place / "units").mkdir()
    requests = [{"name": "web", "dns": "web.example.com", "ca": "self-sign", "key_type": "ec", "run_after": f"echo saved >>{lab.place}/saved"}]
    more = [{"name": "db", "dns": "db.example.com", "ca": "self-sign", "key_type": "ec"}]
    before = sorted(lab.place.glob("first-boot/*"))
    _text, changed = lab.play("tls.everywhere.certificate", arguments=["--check"], **image(lab, certificate_requests=requests))
    assert changed > 0 and sorted(lab.place.glob("first-boot/*")) == before
    for wished in (requests, more):
        # As the templates do: each service includes the role for itself.
        lab.play("tls.everywhere.certificate", **image(lab, certificate_requests=wished))
    assert lab.play("tls.everywhere.certificate", **image(lab, certificate_requests=more))[1] == 0
    waiting = sorted((lab.place / "first-boot").iterdir())
    assert [path.name for path in waiting] == ["db.json", "web.json"] and {path.stat().st_mode & 0o777 for path in waiting} == {0o600}
    assert lab.tracked() == {}, "nothing is asked for while the image is built"
    done = boot(lab)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("web", "db"):
        certificate = lab.at(f"/etc/pki/tls/certs/{name}.crt")
        assert names(certificate) == {f"{name}.example.com"} and belongs(certificate, lab.at(f"/etc/pki/tls/private/{name}.key"))
    assert lab.tracked() == {"MONITORING": 2} and os.listdir(lab.place / "first-boot") == []
    assert (lab.place / "saved").read_text() == "saved\n", "the hook ran too"


def test_a_request_that_fails_at_the_first_boot_stays_for_the_next_one(lab):
    (lab.place / "units").mkdir()
    lab.getcert("add-ca", "-c", "away", "-e", "/bin/false")
    wished = [{"name": name, "dns": f"{name}.example.com", "ca": ca, "key_type": "ec", "wait_timeout": "5s"}
              for name, ca in (("a", "away"), ("b", "self-sign"))]
    lab.play("tls.everywhere.certificate", **image(lab, certificate_requests=wished))
    done = boot(lab)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and [answer.get("failed", False) for answer in answers] == [True, False]
    assert os.listdir(lab.place / "first-boot") == ["a.json"] and names(lab.at("/etc/pki/tls/certs/b.crt")) == {"b.example.com"}
