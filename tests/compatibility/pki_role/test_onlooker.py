# SPDX-License-Identifier: Apache-2.0
"""The onlooker of the tests with servers sees what he shall see."""

from __future__ import annotations

import onlooker
import servers

KEY = "-----BEGIN PRIVATE KEY-----\n"


def test_a_key_that_is_closed_after_it_was_written_is_seen_and_one_that_never_was_open_is_not():
    with servers.place() as work:
        (work / "before").write_text(KEY)
        with onlooker.watch(work) as seen:
            # Some of these moments are too short for him where he may not run before others, but never all.
            for number in range(300):
                careless = work / f"careless-{number}"
                careless.write_text(KEY)
                careless.chmod(0o600)
                careful = work / f"careful-{number}"
                careful.touch(mode=0o600)
                careful.write_text(KEY)
            (work / "new").mkdir()
            (work / "new/open").write_text(KEY)
        caught = [path for path in seen.keys if "/careless-" in path]
        print(f"{len(caught)} of 300 caught")
        assert caught and sorted(set(seen.keys) - set(caught)) == [f"{work}/before", f"{work}/new/open"]
