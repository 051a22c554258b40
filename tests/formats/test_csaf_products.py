"""CSAF products by purl, vers and CPE, and documents that no longer count."""

from __future__ import annotations

from typing import Any

import pytest
from tests.formats.test_csaf_in import branch, document, siemens, verdict

from vedette.formats import csaf_in

pytestmark = pytest.mark.any_database
STATUS = {"known_affected": ["P1"]}


def affected(category: str, name: str, version: str, held: str, **helper: Any) -> bool:
    tree = siemens(branch(category, name, leaf="P1", **helper))
    found = verdict(csaf_in.read(document(tree, STATUS), "x"), purl=f"{held}@{version}")
    assert found is None or found[:2] == ("affected", "exact")
    return found is not None


@pytest.mark.parametrize(
    ("vers", "purl", "inside", "outside"),
    [
        ("vers:npm/>=1.0.0|<2.0.0", "pkg:npm/a", "1.5.0 2.0.0-rc.1", "0.9.0 2.0.0"),
        ("vers:pypi/>=1.0|!=1.5|<2.0", "pkg:pypi/a", "1.4 1.6", "1.5 2.0"),
        ("vers:deb/<1%3A2.0-1", "pkg:deb/debian/a", "1:1.9-1", "1:2.0-1"),
        ("vers:maven/1.0|>=2.0|<2.5", "pkg:maven/a/b", "1.0 2.4", "1.1 2.5"),
        ("vers:rpm/*", "pkg:rpm/redhat/a", "1-1", ""),
    ],
)
def test_a_vers_range_decides(vers: str, purl: str, inside: str, outside: str) -> None:
    for stated in (purl, f"{purl}@9.9.9"):  # a version in the purl narrows no range
        for versions, expected in ((inside, True), (outside, False)):
            for version in versions.split():
                found = affected("product_version_range", vers, version, purl, purl=stated)
                assert found == expected, (stated, version)


def test_every_purl_of_a_product_finds_it() -> None:
    purls = ["pkg:npm/a@1.2.3", "pkg:github/a/b@1.2.3"]
    for purl in ("pkg:npm/a", "pkg:github/a/b"):
        assert affected("product_version", "1.2.3", "1.2.3", purl, purls=purls)
        assert not affected("product_version", "1.2.3", "1.2.4", purl, purls=purls)


def test_a_cpe_name_states_the_version_where_nothing_else_does() -> None:
    cpe = "cpe:2.3:a:acme:gizmo:1.0:*:*:*:*:*:*:*"
    helper = {"product_identification_helper": {"cpe": cpe}}
    tree = {"full_product_names": [{"product_id": "P1", "name": "Acme Gizmo 1.0", **helper}]}
    advisory = csaf_in.read(document(tree, STATUS), "x")
    assert verdict(advisory, cpe=cpe) == ("affected", "likely", ("CVE-2026-1",))
    assert verdict(advisory, cpe=cpe.replace("1.0", "1.1")) is None


@pytest.mark.parametrize("category", ["csaf_withdrawn", "csaf_superseded"])
def test_documents_that_no_longer_count(category: str) -> None:
    tree = siemens(branch("product_version", "V5", leaf="P1"))
    stated = document(tree, STATUS)
    stated["document"]["category"] = category
    assert csaf_in.read(stated, "x").withdrawn
