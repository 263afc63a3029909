# SPDX-License-Identifier: Apache-2.0
"""Between the files of the tree and file_set."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_files


def file(dest, of, secret=False, **more):
    """A file with two bytes."""
    return pki_files.File(dest, b"\xff\n", secret, more.get("owner"), more.get("group"), more.get("mode"), of)


def test_a_file_becomes_an_option_without_what_was_not_given():
    assert file("/a", "web").wish == {"path": "/a", "content_base64": "/wo=", "holds_private_key": False}
    assert file("/a", "web", True, owner="x", mode="0640").wish == {
        "path": "/a", "content_base64": "/wo=", "holds_private_key": True, "owner": "x", "mode": "0640"}


def test_files_of_one_name_are_one_set_with_the_key_first():
    found = pki_files.sets([file("/web.pem", "web"), file("/db.pem", "db"), file("/web.key", "web", True)], ["/old"])
    assert [(each["name"], [one["path"] for one in each["files"]]) for each in found] == [
        ("web", ["/web.key", "/web.pem"]), ("db", ["/db.pem"]), ("/old", ["/old"])]
    assert found[2]["files"] == [{"path": "/old", "state": "absent"}]


def test_a_set_larger_than_a_journal_is_split_and_long_names_are_shortened():
    found = pki_files.sets([file(f"/{number}", "web") for number in range(401)], [])
    assert [(each["name"], len(each["files"])) for each in found] == [("web", 200), ("web (200)", 200), ("web (400)", 1)]
    long = ["/" + "a" * 200 + letter for letter in "xy"]
    names = [each["name"] for each in pki_files.one_by_one([{"path": path} for path in long])]
    assert len(set(names)) == 2 and all(len(name) <= pki_files.LONGEST_NAME for name in names)


def test_generations_and_leaves_are_told_by_their_paths():
    contents = {f"/p/[x]/{path}": path for path in (
        "roots/R/certs/R.crt", "roots/R/certs/R-1000.crt", "roots/R/certs/R-chain.crt", "roots/R/certs/S.crt", "roots/A-1/certs/A-1.crt",
        "certs/certs/web.crt", "certs/certs/web-chain.crt", "certs/certs/web-ca_bundle.crt", "roots/R/private/R.crt")}
    assert pki_files.generations(contents) == {
        "R": {"current": "roots/R/certs/R.crt", "1000": "roots/R/certs/R-1000.crt"}, "A-1": {"current": "roots/A-1/certs/A-1.crt"}}
    assert pki_files.leaves(contents) == {"web": "certs/certs/web.crt"}


def test_the_result_names_files_and_has_no_contents():
    said = {"changed": True, "sets": {"web": {"changed_files": ["/b", "/a"]}, "db": {"changed_files": []}}, "contents": {"/k": "secret"}, "warnings": []}
    assert pki_files.installed(said, [], False) == {"changed": True, "files": ["/a", "/b"]}
    assert pki_files.installed({"changed": False, "failed": True, "msg": "no"}, [], True) == {"changed": True, "failed": True, "msg": "no", "files": []}


def test_faults_of_options_name_the_file():
    asked = pki_files.sets([file("/etc/web.pem", "web", mode=640)], [])
    refused = {"failed": True, "faults": [{"path": "sets[0].files[0].mode", "message": "is odd"}, {"path": "lock_timeout", "message": "no"}], "msg": "x"}
    assert pki_files.installed(refused, asked, False)["msg"] == "'/etc/web.pem': mode: is odd; lock_timeout: no"
