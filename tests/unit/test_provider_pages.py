# SPDX-License-Identifier: Apache-2.0
"""The pages on providers and the guide to ACME: their examples have options that exist, and nothing is left out."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.tls.everywhere.plugins.module_utils import argument_specs
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
PAGES = sorted(DOCS.glob("provider_*.md"))
PROVIDERS = argument_specs.ACME_DNS_CHALLENGE["provider"]["options"]

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="a placed collection has no docs")


def examples(page):
    """The YAML of a page, block by block."""
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)]


def tasks(blocks):
    """Every task of plays and of lists of tasks."""
    for block in blocks:
        for entry in block:
            yield from entry.get("tasks", [entry])


def faults(task):
    """What is wrong with the options that a task gives to modules of this collection."""
    for name, options in task.items():
        if name.startswith("tls.everywhere."):
            spec = getattr(argument_specs, name.rsplit(".", 1)[1].upper())
            yield from review(spec, {key: filled_in(value, spec.get(key, {})) for key, value in options.items()}).faults


def filled_in(value, option):
    """Nothing in the place of a template for a whole list, since what it gives is known in a play only."""
    return [] if option.get("type") == "list" and str(value).startswith("{{") else value


@pytest.mark.parametrize("page", [*PAGES, DOCS / "guide_acme.md"], ids=lambda page: page.stem)
def test_examples_have_options_that_exist(page):
    found = list(tasks(examples(page)))
    assert found, "a page has an example"
    for task in found:
        assert list(faults(task)) == [], task["name"]


def test_every_provider_has_a_page_with_an_example_and_a_link():
    assert {page.stem.removeprefix("provider_") for page in PAGES} == {*PROVIDERS, "none"}
    guide = (DOCS / "guide_acme.md").read_text(encoding="utf-8")
    for page in PAGES:
        name = page.stem.removeprefix("provider_")
        assert f"({page.name})" in guide
        given = [list(task["tls.everywhere.acme_dns_challenge"].get("provider", {})) for task in tasks(examples(page))
                 if "tls.everywhere.acme_dns_challenge" in task]
        assert given and all(one in ([name], []) for one in given), page.name


def test_every_kind_that_a_page_names_exists():
    sources = "".join(path.read_text(encoding="utf-8") for path in (TOP / "crates").glob("*/src/**/*.rs"))
    for page in PAGES:
        for kind in re.findall(r"`((?:dns|web|acme|input)\.[a-z_]+)`", page.read_text(encoding="utf-8")):
            assert f'"{kind}"' in sources, f"{page.name}: {kind}"


def test_every_link_between_the_pages_leads_somewhere():
    for page in [*PAGES, DOCS / "guide_acme.md"]:
        for target in re.findall(r"\]\(([^)#:]+\.md)", page.read_text(encoding="utf-8")):
            assert (DOCS / target).exists(), f"{page.name}: {target}"
