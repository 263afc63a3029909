# SPDX-License-Identifier: Apache-2.0
"""The charm's words, live roots, batches, and the phases of a rotation; certificates are of openssl."""

from __future__ import annotations

import datetime
import glob
import pathlib
import subprocess

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST
from ansible_collections.tls.everywhere.plugins.plugin_utils import vault_pki_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles" / "vault_pki"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
NAMES = vault_pki_plan.Rotation("root-1", "root-2", "int-1", "int-2")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
SETTINGS = {"root": "root-1", "intermediate": "int-1", "new_root": "", "new_intermediate": ""}


def openssl(*arguments):
    """Runs it."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def pems(tmp_path_factory):
    """Two roots, the second signed by the first too, and an authority below each."""
    place = tmp_path_factory.mktemp("authorities")
    (place / "ext").write_text("basicConstraints=critical,CA:TRUE\n")
    for root in ("root-1", "root-2"):
        openssl("req", "-x509", *KEY, "-keyout", place / f"{root}.key", "-out", place / f"{root}.pem", "-subj", f"/CN={root}", "-days", 100)
    for name, root in (("int-1", "root-1"), ("int-2", "root-2")):
        openssl("req", *KEY, "-keyout", place / f"{name}.key", "-out", place / f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", place / f"{name}.csr", "-CA", place / f"{root}.pem", "-CAkey", place / f"{root}.key", "-set_serial", 7,
                "-out", place / f"{name}.pem", "-days", 50, "-extfile", place / "ext")
    openssl("req", "-new", "-key", place / "root-2.key", "-subj", "/CN=root-2", "-out", place / "x.csr")
    openssl("x509", "-req", "-in", place / "x.csr", "-CA", place / "root-1.pem", "-CAkey", place / "root-1.key", "-set_serial", 8,
            "-out", place / "root-2-x-root-1.pem", "-days", 50, "-extfile", place / "ext")
    return {path.stem: path.read_text() for path in place.glob("*.pem")}


def seen(pems, *names, default="", retired=(), chain=()):
    """What pki_ca tells of a mount with these issuers; `chain` is that of the default."""
    return {"server": {"initialized": True, "sealed": False}, "issuers": [
        {"name": name, "certificate": pems[name], "is_default": name == default, "is_root": name in ("root-1", "root-2"), "key_id": f"key of {name}",
         "usage": "crl-signing,read-only" if name in retired else "crl-signing,issuing-certificates,read-only",
         "chain": "".join(pems[each] for each in (chain if name == default and chain else (name, f"root-{name[-1]}")))} for name in names]}


def issuers(*arguments, **more):
    """The same, read."""
    return vault_pki_plan.issuers(seen(*arguments, **more))


BOTH = ("int-2", "root-2-x-root-1", "root-1")


@pytest.mark.parametrize(("has", "phase"), [
    ({"names": ["root-1", "int-1"], "default": "int-1"}, "prepare"),
    ({"names": ["root-1", "int-1", "root-2"], "default": "int-1"}, "cross"),
    ({"names": ["root-1", "int-1", "root-2", "root-2-x-root-1"], "default": "int-1"}, "distribute"),
    ({"names": ["root-1", "int-1", "root-2", "root-2-x-root-1", "int-2"], "default": "int-1"}, "distribute"),
    ({"names": ["root-1", "int-1", "root-2", "root-2-x-root-1", "int-2"], "default": "int-2", "chain": BOTH}, "reissue"),
    ({"names": ["root-1", "int-1", "root-2", "root-2-x-root-1", "int-2"], "default": "int-2", "chain": BOTH, "retired": ["int-1"]}, "drop"),
    ({"names": ["root-1", "int-1", "root-2", "root-2-x-root-1", "int-2"], "default": "int-2", "chain": BOTH, "retired": ["int-1", "root-1"]}, "drop"),
    ({"names": ["root-1", "int-1", "root-2", "root-2-x-root-1", "int-2"], "default": "int-2", "retired": ["int-1", "root-1"]}, ""),
])
def test_a_rotation_goes_on_where_the_server_shows_that_it_stopped(pems, has, phase):
    found = issuers(pems, *has.pop("names"), **has)
    vault_pki_plan.fitting(NAMES, found)
    assert vault_pki_plan.reached(NAMES, found) == phase
    assert vault_pki_plan.phases(NAMES, found, "drop")[1] == (list(vault_pki_plan.PHASES[vault_pki_plan.PHASES.index(phase):]) if phase else [])


def test_a_rotation_of_roots_that_issue_themselves_goes_the_same_way(pems):
    names = vault_pki_plan.rotation({**SETTINGS, "intermediate": ""})
    assert names == ("root-1", "root-2", "root-1", "root-2") and names.chain == ["root-2-x-root-1", "root-1"]
    all_of_them, cross = ("root-1", "root-2", "root-2-x-root-1"), "root-2-x-root-1"
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default="root-1")) == "distribute"
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default=cross, chain=names.chain)) == "reissue"
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default=cross, chain=names.chain, retired=["root-1"])) == "drop"
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default="root-2", retired=["root-1"])) == ""
    assert "intermediate" not in vault_pki_plan.phases(names, issuers(pems, "root-1", default="root-1"), "drop")[1]


@pytest.mark.parametrize(("more", "has", "why"), [
    ({"root": "root-0"}, {"names": ["root-1", "int-1"], "default": "int-1"}, "there is no root 'root-0'"),
    ({}, {"names": ["root-1"], "default": "root-1"}, "there is no authority 'int-1'; vault_pki_intermediate_name"),
    # As an earlier run with the wrong name left it: what the old root has issued is still with hosts.
    ({}, {"names": ["root-1", "root-2", "root-2-x-root-1", "int-2"], "default": "int-2", "chain": BOTH}, "there is no authority 'int-1'"),
    ({"new_root": "root-1"}, {"names": ["root-1", "int-1"], "default": "int-1"}, "'root-1' is to be replaced and cannot be the new one"),
    ({"new_intermediate": "int-1"}, {"names": ["root-1", "int-1"], "default": "int-1"}, "'int-1' is to be replaced"),
    ({"intermediate": ""}, {"names": ["root-1", "int-1"], "default": "int-1"}, "'int-1' issues, and it is neither 'root-1' nor 'root-2'"),
])
def test_names_that_are_not_those_of_what_issues_are_refused(pems, more, has, why):
    names, found = vault_pki_plan.rotation({**SETTINGS, **more}), issuers(pems, *has.pop("names"), **has)
    with pytest.raises(ValueError, match=why):
        vault_pki_plan.fitting(names, found)
    assert vault_pki_plan.reached(names, found) not in ("", "drop")


def test_an_authority_may_be_put_below_a_root_that_issued_itself(pems):
    names = vault_pki_plan.rotation({**SETTINGS, "intermediate": "", "new_intermediate": "int-2"})
    assert names == ("root-1", "root-2", "root-1", "int-2") and names.has_intermediate and names.serving == "int-2"
    all_of_them = ("root-1", "root-2", "root-2-x-root-1", "int-2")
    vault_pki_plan.fitting(names, issuers(pems, "root-1", default="root-1"))
    assert vault_pki_plan.phases(names, issuers(pems, "root-1", default="root-1"), "drop")[1] == list(vault_pki_plan.PHASES)
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default="int-2", chain=BOTH)) == "reissue"
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default="int-2", chain=BOTH, retired=["root-1"])) == "drop"
    assert vault_pki_plan.reached(names, issuers(pems, *all_of_them, default="int-2", retired=["root-1"])) == ""


@pytest.mark.parametrize(("names", "default", "retired", "intermediate", "states"), [
    ((), "", (), "", {"root-1": "active"}),
    ((), "", (), "int-1", {"root-1": "present", "int-1": "active"}),
    # A run that was killed after the root, which the server takes for its default.
    (("root-1",), "root-1", (), "int-1", {"root-1": "present", "int-1": "active"}),
    (("root-1", "int-1"), "int-1", (), "int-1", {"root-1": "present", "int-1": "active"}),
    # A rotation between activate and retire, and after drop.
    (("root-1", "int-1", "root-2", "int-2"), "int-2", (), "int-1", {"root-1": "present", "int-1": "present"}),
    (("root-1", "int-1", "root-2", "int-2"), "int-2", ("root-1", "int-1"), "int-1", {}),
    (("root-1", "root-2-x-root-1"), "root-2-x-root-1", (), "", {"root-1": "present"}),
    (("root-1", "root-2"), "root-2", ("root-1",), "", {}),
    # An upload.
    (("root-1", "int-2"), "int-2", (), "", {"root-1": "present"}),
])
def test_an_authority_that_was_put_into_service_otherwise_is_not_taken_back(pems, names, default, retired, intermediate, states):
    found = issuers(pems, *names, default=default, retired=retired)
    assert vault_pki_plan.standing({**SETTINGS, "intermediate": intermediate}, found) == states


def test_the_way_back_ends_where_the_old_authority_is_retired(pems):
    all_of_them = ("root-1", "int-1", "root-2", "root-2-x-root-1", "int-2")
    assert vault_pki_plan.undone(NAMES, issuers(pems, "root-1", "int-1", default="int-1")) == ["distribute"]
    # Also where the authority was returned to and not all hosts were, or a removal broke off.
    for left in (all_of_them, ("root-1", "int-1", "root-2", "root-2-x-root-1"), ("root-1", "int-1", "root-2"), ("root-1", "int-1", "root-2-x-root-1")):
        assert vault_pki_plan.undone(NAMES, issuers(pems, *left, default="int-1")) == ["reissue", "remove", "distribute"]
    assert vault_pki_plan.undone(NAMES, issuers(pems, *all_of_them, default="int-2", chain=BOTH)) == ["return", "reissue", "remove", "distribute"]
    with pytest.raises(ValueError, match="'int-1' is out of service already"):
        vault_pki_plan.undone(NAMES, issuers(pems, *all_of_them, default="int-2", chain=BOTH, retired=["int-1"]))


def test_a_way_back_removes_the_new_root_last():
    assert NAMES.added == ["int-2", "root-2-x-root-1", "root-2"]
    assert vault_pki_plan.rotation({**SETTINGS, "intermediate": ""}).added == ["root-2-x-root-1", "root-2"]


def test_a_root_is_alive_while_it_signs_or_stands_in_a_chain(pems):
    found = issuers(pems, "root-1", "int-1", "root-2", "root-2-x-root-1", "int-2", default="int-2", chain=BOTH, retired=["root-1", "int-1"])
    assert [root.name for root in vault_pki_plan.live_roots(found, [], NOW)] == ["root-1", "root-2"]
    assert [root.name for root in vault_pki_plan.live_roots(found, ["root-1"], NOW)] == ["root-2"]
    found = issuers(pems, "root-1", "int-1", "root-2", "root-2-x-root-1", "int-2", default="int-2", retired=["root-1", "int-1"])
    assert [root.name for root in vault_pki_plan.live_roots(found, [], NOW)] == ["root-2"]
    assert vault_pki_plan.live_roots(found, [], NOW + datetime.timedelta(days=101)) == []


def test_further_roots_alone_are_trusted_only_for_an_authority_that_issues_below_them(pems):
    def trusted(*names, dropped=(), extra=(pems["root-2"],), **more):
        return sorted(vault_pki_plan.trusted(issuers(pems, *names, **more), dropped, extra, "pki", NOW))

    assert len(trusted("root-1", default="root-1")) == 2 and len(trusted("root-1", default="root-1", extra=())) == 1
    assert len(trusted("int-2", default="int-2")) == 1
    for names, more in (((), {}), (("int-2",), {"extra": ()}), (("int-2",), {"retired": ["int-2"]}), (("root-1",), {"dropped": ["root-1"]})):
        with pytest.raises(ValueError, match="Missing CA cert: mount 'pki' has no root that is alive; nobody's trust was changed"):
            trusted(*names, **more)


def test_anchors_are_named_by_mount_and_root_and_nobody_is_there_twice(pems):
    roots = vault_pki_plan.live_roots(issuers(pems, "root-1", "root-2", default="root-1"), [], NOW)
    files = vault_pki_plan.anchors(roots, [pems["root-2"], pems["int-1"]], "team/pki")
    assert sorted(files) == ["vault_pki-team+pki@extra-1.crt", "vault_pki-team+pki@root-1.crt", "vault_pki-team+pki@root-2.crt"]
    assert files["vault_pki-team+pki@root-2.crt"] == pems["root-2"] and files["vault_pki-team+pki@extra-1.crt"] == pems["int-1"]


def test_no_mount_has_files_that_begin_like_those_of_another():
    prefixes = [vault_pki_plan.prefix(mount) for mount in ("pki", "pki-int", "pki@int", "team/pki", "team-pki", "team+pki", "pki int", "pki%40int")]
    assert [[other for other in prefixes if other.startswith(each)] for each in prefixes] == [[each] for each in prefixes]
    assert all(glob.escape(each) == each for each in prefixes)


def test_what_is_kept_of_a_trust_store_tells_its_place_its_names_and_its_contents():
    told = {vault_pki_plan.digest(*each) for each in (("/a", {"x": "1"}), ("/b", {"x": "1"}), ("/a", {"y": "1"}), ("/a", {"x": "2"}), ("/a", {}))}
    assert len(told) == 5 and vault_pki_plan.digest("/a", {"x": "1", "y": "2"}) == vault_pki_plan.digest("/a", {"y": "2", "x": "1"})


@pytest.mark.parametrize(("kind", "word"), [
    ("vault.sealed", "Unit is sealed: it"), ("vault.not_initialized", "Vault needs to be initialized: it"), ("vault.no_leader", "Waiting for raft"),
    ("vault.login_refused", "Vault cannot authorize approle: it"), ("vault.unreachable", "Vault cannot be asked: it"),
])
def test_why_the_server_could_not_be_asked_is_said_in_the_charms_words(kind, word):
    for failed in (True, False):
        faults, _warnings = vault_pki_plan.status({"failed": failed, "msg": "it", "error": {"kind": kind}}, datetime.timedelta(days=30), NOW)
        assert len(faults) == 1 and faults[0].startswith(word)


def test_a_server_that_told_nothing_has_not_said_that_it_lacks_its_ca():
    assert vault_pki_plan.status({"failed": False, "msg": "no answer"}, datetime.timedelta(days=30), NOW)[0] == ["Vault cannot be asked: no answer"]


def test_a_mount_that_cannot_issue_lacks_its_ca(pems):
    month = datetime.timedelta(days=30)

    def told(*names, at=NOW, **more):
        return vault_pki_plan.status(seen(pems, *names, **more), month, at)

    assert told() == (["Missing CA cert: the mount has no authority"], [])
    assert told("root-1")[0] == ["Missing CA cert: none of the authorities is the default of the mount"]
    assert told("root-1", default="root-1", retired=["root-1"])[0] == ["Missing CA cert: the default, 'root-1', may not or cannot sign"]
    assert told("root-1", default="root-1") == ([], [])
    assert told("root-1", default="root-1", at=NOW + datetime.timedelta(days=80))[1][0].startswith("authority 'root-1' ends on ")
    assert told("root-1", default="root-1", at=NOW + datetime.timedelta(days=101))[0][0].startswith("Missing CA cert: 'root-1' ended on ")
    late = dict(seen(pems, "root-1", default="root-1"), server={"clock_skew": -90})
    assert vault_pki_plan.status(late, month, NOW) == ([], ["the server's clock differs by -90 seconds"])


@pytest.mark.parametrize(("sizes", "divided"), [
    ([1, "25%"], ["a", "bc", "de", "fg", "h"]), ([3], ["abc", "def", "gh"]), (["1%"], list("abcdefgh")), ([], ["abcdefgh"]), (["100%"], ["abcdefgh"]),
])
def test_batches_are_as_serial_has_them(sizes, divided):
    assert vault_pki_plan.batches("abcdefgh", sizes) == [list(batch) for batch in divided]


@pytest.mark.parametrize("size", [0, "0%", "some", -1, "1.5"])
def test_a_batch_of_nobody_is_refused(size):
    with pytest.raises(ValueError, match="vault_pki_batches"):
        vault_pki_plan.batches("abc", [size])


@pytest.mark.parametrize(("name", "following"), [("root-1", "root-2"), ("root-9", "root-10"), ("root", "root-2"), ("2026", "2027")])
def test_the_name_that_follows_has_the_next_number(name, following):
    assert vault_pki_plan.successor(name) == following


def test_the_charms_sans_are_names_and_addresses():
    wish = {"name": "a.example.test", "common_name": "a.example.test", "sans": ["b.example.test", "192.0.2.1", "2001:db8::1", "b.example.test"]}
    made = vault_pki_plan.certificate(wish, "/etc/ssl/vault_pki")
    assert (made["dns"], made["ip"]) == (["a.example.test", "b.example.test"], ["192.0.2.1", "2001:db8::1"])
    assert [(file["content"], file["path"], file["mode"]) for file in made["files"]] == [
        ("private_key", "/etc/ssl/vault_pki/a.example.test.key", "0600"), ("fullchain", "/etc/ssl/vault_pki/a.example.test.pem", "0644")]
    assert review(CERT_REQUEST, {"certificates": [made]}).faults == []


def test_a_certificate_with_files_keeps_them_and_one_without_sans_is_complete():
    files = [{"content": "combined", "path": "/etc/haproxy/a.pem"}]
    assert vault_pki_plan.certificate({"name": "a", "dns": ["a.test"], "files": files}, "/x") == {"name": "a", "dns": ["a.test"], "files": files}
    assert "dns" not in vault_pki_plan.certificate({"name": "a", "common_name": "a.test", "sans": []}, "/x")


def test_another_authority_is_a_reason_during_a_rotation_whatever_an_entry_says():
    wish = {"name": "a", "dns": ["a.test"], "renew": {"on": ["expiry"], "before": "10d"}}
    assert vault_pki_plan.certificate(wish, "/x", rotating=True)["renew"] == {"on": ["expiry", "issuer"], "before": "10d"}
    assert vault_pki_plan.certificate(wish, "/x")["renew"] == wish["renew"]
    for reasons in ({}, {"on": ["issuer", "key"]}, {"before": "10d"}):
        assert vault_pki_plan.certificate({"name": "a", "renew": reasons}, "/x", rotating=True)["renew"] == reasons
    assert "renew" not in vault_pki_plan.certificate({"name": "a"}, "/x", rotating=True)


def test_a_client_has_no_more_usages_than_its_role_gives():
    made = vault_pki_plan.certificate({"name": "a", "common_name": "a.test", "type": "client"}, "/x")
    assert made["extended_key_usage"] == ["clientAuth"] and review(CERT_REQUEST, {"certificates": [made]}).faults == []
    with pytest.raises(ValueError, match="certificate 'a': type 'application'"):
        vault_pki_plan.certificate({"name": "a", "type": "application"}, "/x")


def test_who_does_not_serve_its_certificate_is_told_which_it_is():
    made = vault_pki_plan.certificate({"name": "a", "dns": ["a.test"], "containers": ["keystone"]}, "/x")
    assert vault_pki_plan.restarted(made) == {"name": "a", "certificate": "/x/a.pem", "containers": ["keystone"]}


def test_defaults_are_as_they_are_described():
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    assert {name: option["default"] for name, option in specs["main"]["options"].items()} == defaults
    assert {entry for entry in specs if entry != "main"} == {name for name in entry_points() if not name.startswith("_")}


def entry_points():
    """What main.yml imports."""
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
    return [task["ansible.builtin.import_tasks"].partition(".")[0] for task in tasks]


def test_each_entry_point_is_a_tag_of_its_own_name():
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
    assert [task["tags"][-1] for task in tasks] == entry_points()
    assert [task["tags"][-1] for task in tasks if "never" not in task["tags"]] == ["distribute_ca", "issue"]
