# SPDX-License-Identifier: Apache-2.0
"""The role certcheck: what it says of its variables, and OpenDev's defaults."""

import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_CHECK

ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles/certcheck"

pytestmark = pytest.mark.skipif(not ROLE.exists(), reason="a placed collection may have no roles")


def read(name):
    """One file of the role."""
    return yaml.safe_load((ROLE / name).read_text())


def test_the_roles_defaults_and_its_specification_agree():
    specs, defaults = read("meta/argument_specs.yml")["argument_specs"], read("defaults/main.yml")
    options = specs["main"]["options"]
    assert specs["fleet"]["options"] == options and set(options) == set(defaults) | {"ssl_cert_check_days"}
    fixed = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert {name: options[name].get("default") for name in fixed} == fixed


def test_opendevs_variables_have_opendevs_defaults():
    """As in install-certcheck and letsencrypt-config-certcheck; the list's place is the one that the second writes and the first is given."""
    defaults = read("defaults/main.yml")
    assert defaults["ssl_cert_check_email"] == "root" and defaults["letsencrypt_certcheck_additional_domains"] == []
    writer = yaml.safe_load((ROLE.parent / "letsencrypt/defaults/main.yml").read_text())
    assert defaults["ssl_cert_check_domain_list"] == writer["letsencrypt_certcheck_domain_list"]


def test_what_is_written_down_are_options_of_cert_check():
    """The words of vars/main.yml; what a user puts into certcheck_options the program checks itself."""
    places, reports = read("vars/main.yml")["__certcheck_places"], read("vars/main.yml")["__certcheck_reports"]
    assert set(places) <= set(CERT_CHECK) and set(reports) <= set(CERT_CHECK["report"]["options"])
