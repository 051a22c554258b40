"""The engine gives the lines of plain loops, on small worlds with all that can meet in them."""

from __future__ import annotations

import json
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.matching.build import osv
from tests.matching.plain_engine import plain_match

from vedette.formats.matches_out import jsonl_found
from vedette.matching import joining
from vedette.matching.building import build
from vedette.matching.engine import found, match
from vedette.matching.index import Index
from vedette.matching.model import Advisory, Affected, Component, Inventory
from vedette.matching.ranges import Interval, Range

PYPI = ["1.0", "1.5", "1.5.0", "2.0rc1", "2.0", "2.5", "odd", ""]
DEB = ["1.0-1", "1.5-1", "2.0~rc1-1", "2.0-1", "", "odd"]
MAVEN = ["1.0", "1.5-alpha", "2.0", "2"]
ECOSYSTEMS = {
    "PyPI": (["foo", "b.ar"], PYPI),
    "Debian:12": (["ssl", "zip"], DEB),
    "Debian:11": (["ssl"], DEB),
    "Maven": (["g:lib"], MAVEN),
    "Nowhere": (["thing"], ["1", "2"]),
}
QUALIFIERS = [
    "",
    "?distro=debian-12",
    "?distro=debian-12.4",
    "?upstream=ssl",
    "?upstream=zip%401.5-1",
]


def products(ecosystem: str) -> st.SearchStrategy[dict[str, object]]:
    packages, bounds = ECOSYSTEMS[ecosystem]
    bound = st.sampled_from([*bounds, "soon"]).filter(bool)
    kinds = st.sampled_from(["introduced", "fixed", "last_affected", "limit"])
    events = st.lists(st.tuples(kinds, bound).map(lambda e: dict([e])), max_size=4)
    start = st.sampled_from([[], [{"introduced": "0"}]])
    ranges = st.tuples(start, events, st.sampled_from(["ECOSYSTEM", "ECOSYSTEM", "GIT"]))
    return st.builds(
        lambda name, ranges, versions: {
            "package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": kind, "events": [*first, *rest]} for first, rest, kind in ranges],
            "versions": versions,
        },
        st.sampled_from(packages),
        st.lists(ranges, max_size=2),
        st.lists(bound, max_size=2),
    )


# made once: what is made within a drawing is looked through anew at each
PRODUCTS = st.lists(st.one_of(map(products, sorted(ECOSYSTEMS))), min_size=1, max_size=3)


@st.composite
def advisories(draw: st.DrawFn) -> Advisory:
    more: dict[str, object] = {
        "affected": draw(PRODUCTS),
        "aliases": draw(st.lists(st.sampled_from(["CVE-1", "CVE-2", "A-9"]), unique=True)),
        "modified": draw(st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"])),
    }
    if draw(st.integers(0, 7)) == 0:
        more["withdrawn"] = "2026-01-01"
    if draw(st.integers(0, 3)) == 0:
        corrects = draw(st.lists(st.sampled_from(["A-1", "A-2", "CVE-1"]), min_size=1))
        evidence = draw(st.sampled_from(["", "execution"]))
        more["database_specific"] = {"vedette": {"corrects": corrects, "evidence": evidence}}
    return osv(f"A-{draw(st.integers(0, 5))}", "", [], **more)


GENERIC = st.builds(
    lambda low, high, status: Range("generic", (Interval(low, high),), status=status),
    st.sampled_from([None, "1.0"]),
    st.sampled_from([None, "1.0", "2.0"]),
    st.sampled_from(["affected", "affected", "unaffected", "unknown"]),
)
WORDED = st.builds(
    Affected,
    vendor=st.sampled_from(["Acme", ""]),
    product=st.sampled_from(["Pump 2", "Pump (old)", "Pump (new)"]),
    scheme=st.just("generic"),
    ranges=st.lists(GENERIC, max_size=2).map(tuple),
    versions=st.lists(st.sampled_from(["1.0", "odd"]), max_size=1).map(tuple),
    default=st.sampled_from(["unaffected", "affected"]),
    context=st.sampled_from(["", "Plant 1"]),
    aliases=st.sampled_from([(), ("CVE-7",)]),
    fixed=st.sampled_from([(), ("2.1",)]),
)
worded = st.builds(
    lambda affected, number: Advisory(f"B-{number}", affected=affected, modified="2026-01-01"),
    st.lists(WORDED, min_size=1, max_size=2).map(tuple),
    st.integers(0, 3),
)


@st.composite
def components(draw: st.DrawFn) -> Component:
    identifier = draw(st.sampled_from(["c1", "c2", "c3"]))
    kind = draw(st.sampled_from(["pypi/foo", "pypi/B_ar", "deb/debian/ssl", "deb/debian/libssl",
        "maven/g/lib", "nowhere/thing", "words"]))  # fmt: skip
    version = draw(st.sampled_from([*PYPI, *DEB]))
    if kind == "words":
        vendor, product = draw(st.sampled_from([("ACME Inc.", "pump 2"), ("", "Pump")]))
        return Component(identifier, version=version, vendor=vendor, product=product)
    purl = f"pkg:{kind}" + (f"@{version}" if version else "") + draw(st.sampled_from(QUALIFIERS))
    stated = draw(st.sampled_from(["", version]))
    vendor = draw(st.sampled_from(["", "", "Acme"]))
    return Component(identifier, name="pump 2", version=stated, purl=purl, vendor=vendor)


def told_alike(records: list[Advisory]) -> list[Advisory]:
    """Doubles of one id and time may differ in their products, never in what they are about."""
    first: dict[tuple[str, str], Advisory] = {}
    found = []
    for record in records:
        model = first.setdefault((record.id, record.modified), record)
        found.append(
            replace(
                record,
                aliases=model.aliases,
                corrects=model.corrects,
                evidence=model.evidence,
            )
        )
    return found


worlds = st.tuples(
    st.lists(st.lists(components(), max_size=5).map(tuple), min_size=1, max_size=3),
    st.lists(advisories() | worded, max_size=7).map(told_alike),
)


@settings(max_examples=300, deadline=None)
@given(worlds, st.sampled_from([0, 8]))
def test_the_engine_gives_the_lines_of_plain_loops(
    world: tuple[list[tuple[Component, ...]], list[Advisory]], few: int
) -> None:
    with patch.object(joining, "FEW", few):
        _compare(*world)


def _compare(held: list[tuple[Component, ...]], records: list[Advisory]) -> None:
    inventories = [Inventory(f"i{n}", rows) for n, rows in enumerate(held)]
    expected = plain_match(inventories, records)
    text, count = jsonl_found(found(inventories, records))
    assert [json.loads(line) for line in text.splitlines()] == json.loads(json.dumps(expected))
    assert count == len(expected)
    assert [m.line() for m in match(reversed(inventories), records)] == expected
    index = Index(build(records), "index")
    assert [m.line() for m in match(inventories, index)] == expected
    assert jsonl_found(found(inventories, index)) == (text, count)
    assert [m.line() for m in match(inventories, list(index))] == expected


def test_a_newer_record_that_left_the_package_counts_wherever_it_stands() -> None:
    old = osv("A", "foo", [{"introduced": "0"}])
    new = osv("A", "other", [{"introduced": "0"}], modified="2026-02-01T00:00:00Z")
    held = [Inventory("i", (Component("c", purl="pkg:pypi/foo@1.0"),))]
    assert list(match(held, [old, new])) == list(match(held, [new, old])) == []


def test_a_sibling_of_which_the_version_is_not_affected_is_told() -> None:
    until = Range("generic", (Interval("1", "3"),), status="affected")
    since = Range("generic", (Interval("4", None),), status="affected")

    def pump(product: str, *ranges: Range) -> Affected:
        return Affected(vendor="Acme", product=product, scheme="generic", ranges=ranges)

    siblings = pump("X-208", until), pump("Nano X-208", since), pump("Micro X-208")
    asset = Component("c", version="2", vendor="Acme", product="X208")
    record = Advisory("A", affected=siblings)
    held = [Inventory("i", (asset,))]
    (line,) = match(held, [record])
    assert line.reason.endswith(
        "; it may as well be Nano X-208, Micro X-208, not affected in this version"
    )
    assert line.met == ("Acme X-208", "Acme Nano X-208", "Acme Micro X-208")
    assert list(match(held, [replace(record, affected=siblings[1:])])) == []
    for count in range(1, 4):
        _compare([(asset,)], [replace(record, affected=siblings[:count])])
    named = replace(asset, product="X-208")
    assert "as well" not in next(match([Inventory("i", (named,))], [record])).reason
