# SPDX-License-Identifier: Apache-2.0
"""What fails alone, what waits for the next run, and what nobody is asked for."""

from __future__ import annotations

from lab import Lab, touched, touching
from servers import SECRET, SIGNING


def test_one_of_five_fails_alone_and_is_told_after_the_handlers(world, place):
    certs = {f"cert{number}": [f"h{number}.example.test"] for number in (5, 6, 7, 8)}
    lab = Lab(place, world, web1={**certs, "blocked": ["h0.example.test", "blocked.example.test"]}, web2={"web2": ["h9.example.test"]})
    (place / "told").mkdir()
    topics = [f"letsencrypt updated {key}" for key in [*certs, "blocked", "web2"]]
    ran = lab.one(touching(place / "told", *topics), ok=False)
    for key in certs:
        lab.assert_served("web1", certs[key][0], certs[key])
    lab.assert_served("web2", "h9.example.test", ["h9.example.test"])
    assert touched(place / "told") == {f"web{2 if topic.endswith('web2') else 1} {topic}": 1 for topic in topics if not topic.endswith("blocked")}
    assert ran.recap("web1", "failed") == 1 and ran.recap("web2", "failed") == 0
    assert "certificate 'blocked' (h0.example.test, blocked.example.test): " in ran.flat() and "is a forbidden domain (rejectedIdentifier)" in ran.flat()
    assert list(lab.at("web1", "h0.example.test", "x").parent.iterdir()) == [] and world.primary.texts(SIGNING) == []


def test_a_name_that_leads_nowhere_is_told_before_the_server_is_asked_for_it(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test"], "lost": ["nocname.example.test"]})
    issued = world.pebble.issued()
    ran = lab.one(ok=False)
    assert "certificate 'lost' (nocname.example.test): " in ran.flat() and "_acme-challenge.nocname.example.test" in ran.flat()
    assert world.pebble.issued() == issued + 1 and "nocname" not in world.pebble.log()


def test_what_cannot_be_published_fails_every_certificate_and_the_next_run_goes_on(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test"]}, web2={"main": ["h2.example.test"]})
    wrong = {"rfc2136": {"server": f"127.0.0.1:{world.primary.port}", "key_name": "acme", "secret": SECRET[::-1].replace("=", "") + "="}}
    issued = world.pebble.issued()
    ran = lab.one(ok=False, letsencrypt_provider=wrong)
    assert ran.recap("web1", "failed") == ran.recap("web2", "failed") == 1
    assert "certificate 'main' (h1.example.test): the records are not published: " in ran.flat() and "TSIG" in ran.flat()
    assert world.pebble.issued() == issued and world.primary.texts(SIGNING) == []
    orders = world.pebble.log().count("Added order")
    lab.one()
    lab.assert_served("web1", "h1.example.test", ["h1.example.test"])
    lab.assert_served("web2", "h2.example.test", ["h2.example.test"])
    assert world.pebble.log().count("Added order") == orders, "the orders of the first run are gone on with"


def test_three_plays_stop_where_nothing_can_be_published(world, place):
    lab = Lab(place, world, web1={"main": ["o5.example.test"]})
    broken = world.file()
    broken["zone_file"]["check"] = ["/bin/false"]
    ran = lab.three(ok=False, letsencrypt_provider=broken)
    assert ran.recap("ns", "failed") == 1 and "the records are not published: " in ran.flat() and "Base: create" not in ran.text
    # Whoever lets them go on hears it from the hosts, and no server is asked to validate what cannot be valid.
    asked = world.pebble.log().count("chalZ")
    ran = lab.three(ok=False, letsencrypt_provider=broken, publish={"ignore_errors": True})
    assert ran.recap("web1", "failed") == 1 and "certificate 'main' (o5.example.test): the records are not published: " in ran.flat()
    assert world.pebble.log().count("chalZ") == asked
    lab.three()
    lab.assert_served("web1", "o5.example.test", ["o5.example.test"])


def test_check_mode_asks_nobody_and_says_what_is_due(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test"]})
    lab.prepare()
    asked, before = world.pebble.requests(), lab.snapshot()
    ran = lab.one(arguments=["--check"])
    assert ran.changed() >= 1 and world.pebble.requests() == asked and lab.snapshot() == before and not (place / "web1/state").exists()


def test_no_secret_is_printed_at_any_verbosity(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test"]})
    ran = lab.one(arguments=["-vvvv", "--diff"])
    key = lab.at("web1", "h1.example.test", "NAME.key").read_text().splitlines()[1]
    account = next((place / "web1/state").rglob("account.key")).read_text().splitlines()[1]
    assert key not in ran.text and account not in ran.text
    assert SECRET not in ran.text
