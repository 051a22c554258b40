"""VEX honoured: what a statement takes away, and all that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from vedette.formats.vex_in import product
from vedette.matching import vex
from vedette.matching.model import Affected, Component, Inventory, Match, Statement
from vedette.matching.vex import TAKES_AWAY, Suppressed, honour

FOO = "pkg:pypi/foo@1.0"


@pytest.fixture(autouse=True, scope="module", params=[0, vex.FEW])
def few(request: pytest.FixtureRequest) -> Iterator[None]:
    """Statements are asked one by one where they are few, else found by their marks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vex, "FEW", request.param)
        yield


def match_of(component: Component, advisory: str = "PYSEC-1", *aliases: str) -> Match:
    return Match(
        inventory="sbom",
        component=component.id,
        purl=component.purl,
        version=component.version,
        advisory=advisory,
        aliases=aliases,
        range="",
        verdict="affected",
        confidence="exact",
        reason="",
    )


def says(purl: str = "pkg:pypi/foo", status: str = "not_affected", **fields: object) -> Statement:
    base = Statement(status, frozenset({"CVE-2026-1"}), (product(purl),), source="v.json")
    return replace(base, **fields)  # type: ignore[arg-type]


def left(
    component: Component, *statements: Statement, aliases: tuple[str, ...] = ("CVE-2026-1",)
) -> bool:
    """Whether the match stays."""
    suppressed: list[Suppressed] = []
    inventory = Inventory("sbom", (component,))
    line = match_of(component, "PYSEC-1", *aliases)
    stays = list(honour([line], [inventory], statements, suppressed))
    assert len(stays) + len(suppressed) == 1
    return bool(stays)


PLAIN = Component("c", "foo", "1.0", FOO)


@pytest.mark.parametrize(
    ("stated", "own", "same"),
    [
        ("pkg:pypi/Foo", FOO, True),
        (FOO, FOO, True),
        ("pkg:pypi/foo@1.0.0", FOO, True),
        ("pkg:pypi/foo@2.0", FOO, False),
        ("pkg:pypi/foobar", FOO, False),
        ("pkg:npm/foo", FOO, False),
        ("pkg:pypi/foo?vers=vers:pypi/%3C2", FOO, True),
        ("pkg:pypi/foo?vers=vers:pypi/%3E%3D2", FOO, False),
        ("pkg:deb/debian/foo?arch=amd64", "pkg:deb/debian/foo@1?arch=amd64", True),
        ("pkg:deb/debian/foo?arch=amd64", "pkg:deb/debian/foo@1?arch=arm64", False),
        ("pkg:deb/debian/foo?arch=amd64", "pkg:deb/debian/foo@1", False),
        ("pkg:deb/debian/foo?distro=debian-12", "pkg:deb/debian/foo@1?distro=debian-12", True),
        ("pkg:deb/debian/foo?distro=debian-12", "pkg:deb/debian/foo@1?distro=debian-11", False),
        ("pkg:deb/debian/foo?distro=debian-12", "pkg:deb/debian/foo@1", False),
        ("pkg:deb/debian/foo", "pkg:deb/debian/libfoo@1?upstream=foo", False),
        ("pkg:deb/debian/foo?arch=source", "pkg:deb/debian/libfoo@1?upstream=foo", True),
        ("pkg:oci/foo@sha256:12", "pkg:oci/foo@sha256:12", True),
        ("pkg:oci/foo@sha256:12", "pkg:oci/foo@sha256:13", False),
    ],
)
def test_the_product_must_surely_be_the_component(stated: str, own: str, same: bool) -> None:
    assert left(Component("c", "foo", "", own), says(stated)) is not same


@pytest.mark.parametrize(
    ("stated", "own", "version", "same"),
    [
        ("h:siemens:x204:*", "h:siemens:x204:4.1", "", True),
        ("h:siemens:x204:4.1", "h:Siemens:X204:*", "4.1", True),
        ("h:siemens:x204:4.1", "h:siemens:x204:*", "", False),
        ("o:siemens:x204:*", "h:siemens:x204:4.1", "", False),
        ("h:siemens:*:*", "h:siemens:x204:4.1", "", False),
    ],
)
def test_a_cpe_covers_what_it_leaves_open(stated: str, own: str, version: str, same: bool) -> None:
    open_rest = ":*:*:*:*:*:*:*"
    component = Component("c", "X", version, cpe=f"cpe:2.3:{own}{open_rest}")
    statement = says(products=(product(cpes=(f"cpe:2.3:{stated}{open_rest}",)),))
    assert left(component, statement) is not same
    older = "cpe:/" + stated.replace(":*", "")
    assert left(component, says(products=(product(cpes=(older,)),))) is not same


def test_a_shared_cpe_is_no_shared_package() -> None:
    platform = "cpe:2.3:o:acme:linux:8:*:*:*:*:*:*:*"
    component = Component("c", "bash", "5.1", "pkg:rpm/acme/bash@5.1", cpe=platform)
    assert left(component, says(products=(product("pkg:rpm/acme/openssl", (platform,)),)))
    assert not left(component, says(products=(product("pkg:rpm/acme/bash", (platform,)),)))


def test_vendor_and_product_count_and_likeness_does_not() -> None:
    component = Component("c", vendor="Siemens AG", product="SCALANCE X204", version="5.2")
    stated = Affected(vendor="Siemens", product="SCALANCE X204", scheme="generic")
    assert not left(component, says(products=(stated,)))
    assert not left(component, says(products=(structs.replace(stated, versions=("5.2",)),)))
    assert left(component, says(products=(structs.replace(stated, versions=("5.3",)),)))
    assert left(component, says(products=(structs.replace(stated, vendor=""),)))
    assert left(component, says(products=(structs.replace(stated, context="a rack"),)))
    assert left(
        structs.replace(component, version=""),
        says(products=(structs.replace(stated, versions=("5.2",)),)),
    )


@given(
    st.lists(
        st.tuples(st.sampled_from([*TAKES_AWAY, "affected", "under_investigation"]),
                  st.integers(0, 5)),
        min_size=1,
    )
)  # fmt: skip
def test_the_newest_statement_counts_and_caution_among_equals(said: list[tuple[str, int]]) -> None:
    statements = [says(status=s, time=f"2026-01-01T0{day}:00:00Z") for s, day in said]
    newest = max(day for _, day in said)
    latest = [status for status, day in said if day == newest]
    assert left(PLAIN, *statements) == any(status not in TAKES_AWAY for status in latest)


def test_times_count_and_not_their_spelling() -> None:
    early = says(time="2026-01-01T02:00:00+02:00")
    late = says(status="affected", time="2026-01-01T01:00:00Z")
    assert left(PLAIN, early, late)
    assert not left(PLAIN, says(time="2026-01-01T01:00:00Z"), says(status="affected", time="?"))


def test_every_cve_of_a_match_must_be_spoken_of() -> None:
    both = ("CVE-2026-1", "CVE-2026-2")
    second = says(vulnerability=frozenset({"CVE-2026-2"}))
    assert left(PLAIN, says(), aliases=both)
    assert not left(PLAIN, says(), second, aliases=both)
    assert left(PLAIN, says(), replace(second, status="affected"), aliases=both)
    assert not left(PLAIN, says(vulnerability=frozenset({"PYSEC-1"})), aliases=both)
    assert not left(PLAIN, says(), aliases=("CVE-2026-1", "GHSA-1"))
    assert left(PLAIN, says(), aliases=("GHSA-1",))


def test_a_part_counts_in_its_product_alone() -> None:
    part = says(products=(product("pkg:pypi/foo"),), within=(product("pkg:oci/app"),))
    app = Component("root", "app", "", "pkg:oci/app@sha256:1")
    for subject, stays in (("root", False), ("", True)):
        suppressed: list[Suppressed] = []
        inventory = Inventory("sbom", (app, PLAIN), subject=subject)
        line = match_of(PLAIN, "CVE-2026-1")
        assert bool(list(honour([line], [inventory], [part], suppressed))) is stays
    whole = says("pkg:oci/app")
    inventory = Inventory("sbom", (app, PLAIN), subject="root")
    assert not list(honour([match_of(PLAIN, "CVE-2026-1")], [inventory], [whole], []))


def test_statements_of_an_inventory_are_about_it_alone() -> None:
    own = says(products=(), references=("c",))
    first = Inventory("sbom", (PLAIN,), statements=(own,))
    second = Inventory("other", (PLAIN,))
    lines = [
        match_of(PLAIN, "CVE-2026-1"),
        match_of(PLAIN, "CVE-2026-1")._replace(inventory="other"),
    ]
    suppressed: list[Suppressed] = []
    assert list(honour(lines, [first, second], (), suppressed)) == lines[1:]
    assert suppressed == [Suppressed(lines[0], own)]


def test_a_bom_link_reaches_the_inventory_it_names() -> None:
    linked = says(products=(), references=("urn:cdx:1-2/3#c",))
    for link, stays in (("urn:cdx:1-2/3#", False), ("urn:cdx:1-2/4#", True), ("", True)):
        inventory = Inventory("sbom", (PLAIN,), link=link)
        assert (
            bool(list(honour([match_of(PLAIN, "CVE-2026-1")], [inventory], [linked], []))) is stays
        )


def test_two_readings_of_one_component_must_both_be_covered() -> None:
    other = structs.replace(PLAIN, purl="pkg:pypi/bar@1.0")
    inventory = Inventory("sbom", (PLAIN, other))
    assert list(honour([match_of(PLAIN, "CVE-2026-1")], [inventory], [says()], []))
