# SPDX-License-Identifier: Apache-2.0
"""Makes the repository importable as ansible_collections.tls.everywhere.

ansible-test does that by itself; plain pytest gets a tree of links.
"""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]

if importlib.util.find_spec("ansible_collections") is None:
    PLACE = tempfile.TemporaryDirectory(prefix="tls-everywhere-unit.")
    subprocess.run([TOP / "scripts" / "place-collection", PLACE.name], check=True, timeout=60)
    sys.path.insert(0, PLACE.name)
