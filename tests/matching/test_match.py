"""The match: names on both sides, three-valued verdicts, one line each, corrections."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.matching.build import assets, inventory, osv

from vedette.matching import identity, versions
from vedette.matching.engine import match
from vedette.matching.model import Advisory, Affected, Component, Inventory, Match
from vedette.matching.ranges import Interval, Range
from vedette.matching.versions import words

FIX_2 = [{"fixed": "2.0"}, {"introduced": "1.0"}]


def one(inv: Inventory, *advisories: Advisory) -> Match | None:
    found = list(match([inv], advisories))
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("spelling", ["foo-bar", "Foo_Bar", "foo.bar", "FOO--bar", "foo-_.bar"])
def test_python_names_are_equal_in_any_spelling_on_both_sides(spelling: str) -> None:
    line = one(inventory(f"pkg:pypi/{spelling}@1.5"), osv("A", "foo.Bar", FIX_2))
    assert line is not None
    assert (line.verdict, line.confidence, line.fixed) == ("affected", "exact", ("2.0",))
    assert line.range == "vers:pypi/>=1.0|<2.0"


@pytest.mark.parametrize(
    ("purl", "verdict"),
    [
        ("pkg:pypi/foo@1.5", "affected"),
        ("pkg:pypi/foo@2.0", None),
        ("pkg:pypi/foo@2.0rc1", "affected"),
        ("pkg:pypi/foo", "unknown"),
        ("pkg:pypi/foo@not-a-version", "unknown"),
        ("pkg:pypi/other@1.5", None),
        ("pkg:npm/foo@1.5.0", None),
        ("pkg:::", None),
    ],
)
def test_verdicts(purl: str, verdict: str | None) -> None:
    line = one(inventory(purl), osv("A", "foo", FIX_2))
    assert (line.verdict if line else None) == verdict
    if line and verdict == "unknown":
        assert line.confidence == "possible"


@pytest.mark.parametrize(
    ("purl", "version", "confidence"),
    [
        ("pkg:pypi/foo@3.0", "1.5", "likely"),
        ("pkg:pypi/foo@1.5.0", "v1.5", "exact"),
        ("pkg:pypi/foo@1.5", "3.0", None),
    ],
)
def test_a_purl_of_another_version_is_told(purl: str, version: str, confidence: str | None) -> None:
    held = Inventory("inv", (Component(id="a", version=version, purl=purl),))
    line = one(held, osv("A", "foo", FIX_2))
    assert (line.confidence if line else None) == confidence
    if line and confidence == "likely":
        assert line.reason == (
            "version 1.5 lies in vers:pypi/>=1.0|<2.0; its purl states version 3.0"
        )


@pytest.mark.parametrize("scheme", sorted(versions.SCHEMES))
def test_a_purl_whose_version_nobody_can_read_is_told(scheme: str) -> None:
    for version, stated in (("1.0", "%20"), ("~", "1.0"), (" ", "%20~")):
        component = Component(id="a", version=version, purl=f"pkg:{scheme}/n/m@{stated}")
        (claim,) = identity.of_component(component).values()
        assert (claim.confidence, claim.version) == ("likely", version)


def test_a_missing_version_is_empty_and_unknown() -> None:
    line = one(inventory("pkg:pypi/foo"), osv("A", "foo", FIX_2))
    assert line is not None
    assert line.version == ""
    assert line.reason.startswith("the inventory states no version")


def test_an_unreadable_listed_version_harms_no_other() -> None:
    advisory = osv("A", "foo", [], versions=["2004d", "1.0"])
    assert one(inventory("pkg:pypi/foo@1.0.0"), advisory)
    assert one(inventory("pkg:pypi/foo@2004d"), advisory)
    assert one(inventory("pkg:pypi/foo@3.0"), advisory) is None


def test_a_maven_advisory_that_lists_only_unreadable_versions_is_read() -> None:
    advisory = osv("A", "g:lib", [], ecosystem="Maven", versions=["latest"])
    assert one(inventory("pkg:maven/g/lib@1.0"), advisory) is None
    assert one(inventory("pkg:maven/g/lib@latest"), advisory)


def test_an_unreadable_bound_is_unknown() -> None:
    line = one(inventory("pkg:pypi/foo@1.0"), osv("A", "foo", [{"fixed": "soon"}]))
    assert line is not None
    assert line.verdict == "unknown"
    assert "'soon'" in line.reason


def test_withdrawn_records_yield_nothing() -> None:
    assert (
        one(inventory("pkg:pypi/foo@1.5"), osv("A", "foo", FIX_2, withdrawn="2026-02-01")) is None
    )


def test_the_newer_of_two_records_counts() -> None:
    old = osv("A", "foo", FIX_2)
    new = osv(
        "A", "foo", [{"introduced": "1.0"}, {"fixed": "1.4"}], modified="2026-02-01T00:00:00Z"
    )
    for order in ((old, new), (new, old)):
        assert one(inventory("pkg:pypi/foo@1.5"), *order) is None


def test_maven_names_carry_their_group() -> None:
    advisory = osv("A", "org.example:lib", FIX_2, ecosystem="Maven")
    assert one(inventory("pkg:maven/org.example/lib@1.5"), advisory)
    assert one(inventory("pkg:maven/org.other/lib@1.5"), advisory) is None


def test_npm_scopes() -> None:
    advisory = osv("A", "@scope/name", FIX_2, ecosystem="npm")
    for purl in ("pkg:npm/%40scope/name@1.5.0", "pkg:npm/@scope/name@1.5.0"):
        assert one(inventory(purl), advisory), purl
    assert one(inventory("pkg:npm/name@1.5.0"), advisory) is None


@pytest.mark.parametrize(
    ("qualifiers", "confidence"),
    [
        ("?distro=debian-12", "exact"),
        ("?distro=bookworm", "exact"),
        ("", "likely"),
        ("?distro=debian-11", None),
    ],
)
def test_distribution_releases(qualifiers: str, confidence: str | None) -> None:
    advisory = osv("A", "openssl", [{"introduced": "0"}, {"fixed": "3.1-1"}], ecosystem="Debian:12")
    line = one(inventory(f"pkg:deb/debian/openssl@3.0.11-1~deb12u2{qualifiers}"), advisory)
    assert (line.confidence if line else None) == confidence


def test_debian_packages_match_through_their_source() -> None:
    advisory = osv("A", "openssl", [{"introduced": "0"}, {"fixed": "3.1-1"}], ecosystem="Debian:12")
    purl = "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl"
    line = one(inventory(purl), advisory)
    assert line is not None
    assert "source package deb/debian/openssl" in line.reason
    other = "pkg:deb/debian/libssl3@9.9?distro=debian-12&upstream=openssl%403.0.11-1"
    assert one(inventory(other), advisory)


def industrial(vendor: str, product: str, expression: str, *models: str) -> Advisory:
    one = Affected(
        vendor=vendor, product=product, models=models, scheme="generic",
        ranges=(words.parse(expression),),
    )  # fmt: skip
    return Advisory(id="ICS-1", affected=(one,))


@pytest.mark.parametrize(
    ("row", "confidence"),
    [
        ({"vendor": "Siemens AG", "product": "SCALANCE X204-2"}, "exact"),
        ({"vendor": "SIEMENS", "product": "scalance x204 2"}, "exact"),
        ({"product": "SCALANCE X204-2"}, "possible"),
        ({"vendor": "Siemens", "model": "6GK5204-2BB10-2AA3"}, "exact"),
        ({"product": "switch", "model": "6GK5 204-2BB10-2AA3"}, "exact"),
        ({"vendor": "Other", "product": "SCALANCE X204-2"}, None),
        ({"vendor": "Siemens", "product": "SCALANCE"}, None),
    ],
)
def test_industrial_products_match_by_words(row: dict[str, str], confidence: str | None) -> None:
    advisory = industrial("Siemens", "SCALANCE X204-2", "< V5.2.5", "6GK5204-2BB10-2AA3")
    line = one(assets(row | {"version": "V5.2.4"}), advisory)
    assert (line.confidence if line else None) == confidence
    if line:
        assert line.range == "< V5.2.5"
        assert line.verdict == "affected"


def test_products_equal_but_for_brackets_are_likely() -> None:
    advisory = industrial("Siemens", "SCALANCE X204-2LD TS (6GK5204-2BC10-2CA2)", "< V5.2.5")
    row = {"vendor": "Siemens", "product": "SCALANCE X204-2LD TS", "version": "5.0"}
    line = one(assets(row), advisory)
    assert line is not None
    assert line.confidence == "likely"
    by_number = {"vendor": "Siemens", "model": "6GK5204-2BC10-2CA2", "version": "5.0"}
    exact = one(assets(by_number), advisory)
    assert exact is not None
    assert exact.confidence == "exact"


@pytest.mark.parametrize(
    ("named", "row", "confidence"),
    [
        ("SIMATIC S7-1500 CPU family", "SIMATIC S7-1500 CPU 1515-2 PN", "likely"),
        ("SIMATIC S7-1500 family (incl. SIPLUS variants)", "SIPLUS S7-1500 CPU 1511", "likely"),
        ("SIMATIC S7-1500 CPU family", "SIMATIC S7-1200 CPU 1214C", None),
        ("SCALANCE X-200 switch family (incl. SIPLUS NET variants)", "SCALANCE X208", "possible"),
        ("SCALANCE X-200 switch family", "SCALANCE X308-2", None),
        ("SCALANCE X208", "SCALANCE X204-2", None),
        ("cMT3071/cMT3072/cMT3090", "cMT3072", "likely"),
        ("R08/16/32PCPU", "R16PCPU", "likely"),
        ("SCALANCE X208 (incl. SIPLUS NET variant)", "SCALANCE X208", "exact"),
        ("EDS-510A series firmware", "EDS-510A", "exact"),
        ("RUGGEDCOM RS900 (32M)", "RUGGEDCOM RS900", "likely"),
        ("MicroLogix 1400 Controllers Series B", "MicroLogix 1400", "possible"),
        ("MicroLogix 1400 Controllers", "MicroLogix 1100", None),
        ("Siemens X208", "OS", None),
    ],
)  # fmt: skip
def test_families_lists_and_variants(named: str, row: str, confidence: str | None) -> None:
    asset = {"vendor": "Siemens", "product": row, "version": "1.0"}
    line = one(assets(asset), industrial("Siemens AG", named, "< 2.0"))
    assert (line.confidence if line else None) == confidence


@pytest.mark.parametrize(
    ("named", "product", "model", "confidence"),
    [
        ("CPU 1515-2 PN (6ES7515-2AM00-0AB0)", "CPU 1515-2 PN", "6ES7515-2AM00-0AB0", "exact"),
        ("CPU 1515-2 PN (6ES7515-2AM00-0AB0)", "CPU 1515-2 PN", "6ES7515-2AM02-0AB0", None),
        ("CPU 1515-2 PN (6ES7515-2AM00-0AB0)", "CPU 1515-2 PN", "", "likely"),
        ("CPU 1515-2 PN", "CPU 1515-2 PN", "6ES7515-2AM02-0AB0", "exact"),
        ("1756-EN2TR Series A", "1756-EN2TR", "1756-EN2TR/A", "exact"),
        ("1756-EN2TR Series A", "1756-EN2TR", "1756-EN2TR/C", None),
        ("1756-EN2TR Series A", "1756-EN2TR", "", "likely"),
        ("1756-EN2TR", "1756-EN2TR Series C", "", "exact"),
    ],
)
def test_an_order_number_or_a_series_is_the_strongest_word(
    named: str, product: str, model: str, confidence: str | None
) -> None:
    asset = {"vendor": "V", "product": product, "model": model, "version": "1.0"}
    line = one(assets(asset), industrial("V", named, "< 2.0"))
    assert (line.confidence if line else None) == confidence


def test_each_of_several_vendors_counts() -> None:
    advisory = industrial("ICONICS, Mitsubishi Electric", "GENESIS64", "<= 10.97")
    for vendor in ("ICONICS", "Mitsubishi Electric Corporation"):
        line = one(assets({"vendor": vendor, "product": "GENESIS64", "version": "10.95"}), advisory)
        assert line is not None
        assert line.confidence == "likely"


def test_repaired_vendors_match() -> None:
    broken = "Geutebrück".encode().decode("latin-1")
    row = {"vendor": "Geutebrück GmbH", "product": "G-Cam EBC-2110", "version": "1.12"}
    assert one(assets(row), industrial(broken, "G-Cam EBC-2110", "<= 1.12.0.25"))


@pytest.mark.parametrize(
    "dash", ["-", "\u2010", "\u2011", "\u2013", "\u2212", "\u00e2\u20ac\u201c"]
)
def test_a_dash_of_a_word_processor_is_a_hyphen(dash: str) -> None:
    advisory = industrial("Siemens", "SIMATIC S7-1200", "< V4.5")
    row = {"vendor": "Siemens AG", "product": f"SIMATIC S7{dash}1200", "version": "V4.2.3"}
    line = one(assets(row), advisory)
    assert line is not None
    assert line.confidence == "exact"


def test_cpe_names_match_as_words() -> None:
    cpe = "cpe:2.3:a:inductiveautomation:ignition:8.1.0:*:*:*:*:*:*:*"
    component = Component(id="c", cpe=cpe)
    stated = Affected(
        vendor="inductiveautomation", product="Ignition", scheme="generic",
        ranges=(words.parse("< 8.1.10"),),
    )  # fmt: skip
    line = one(Inventory("i", (component,)), Advisory(id="A", affected=(stated,)))
    assert line is not None
    assert (line.version, line.verdict, line.confidence) == ("8.1.0", "affected", "likely")


def correction(corrects: list[str], events: list[dict[str, str]]) -> Advisory:
    own = {"vedette": {"corrects": corrects, "evidence": "execution"}}
    return osv("x_vedette-1", "ujson", events, aliases=["CVE-2021-45958"], database_specific=own)


PUBLIC = osv(
    "PYSEC-2022-25", "ujson", [{"introduced": "4.0.2"}, {"fixed": "5.1.0"}],
    aliases=["CVE-2021-45958"],
)  # fmt: skip


@pytest.mark.parametrize("named", ["PYSEC-2022-25", "CVE-2021-45958"])
def test_a_correction_supersedes_the_record_that_it_names(named: str) -> None:
    inv = inventory("pkg:pypi/ujson@5.1.0")
    assert one(inv, PUBLIC) is None
    fixed_later = correction([named], [{"introduced": "4.0.2"}, {"fixed": "5.2.0"}])
    lines = {m.advisory: m for m in match([inv], [PUBLIC, fixed_later])}
    assert set(lines) == {"PYSEC-2022-25", "x_vedette-1"}
    corrected = lines["PYSEC-2022-25"]
    assert (corrected.verdict, corrected.fixed) == ("affected", ("5.2.0",))
    assert corrected.reason.startswith("corrected by x_vedette-1, execution evidence")


def test_a_correction_can_take_a_line_away_and_says_so() -> None:
    inv = inventory("pkg:pypi/ujson@4.3.0")
    narrower = correction(["PYSEC-2022-25"], [{"introduced": "5.0.0"}, {"fixed": "5.2.0"}])
    notes: list[str] = []
    assert list(match([inv], [PUBLIC, narrower], notes)) == []
    assert len(notes) == 1


def test_a_correction_leaves_other_packages_alone() -> None:
    other = osv("B", "simplejson", FIX_2)
    fixed_later = correction(["B"], [{"introduced": "4.0.2"}, {"fixed": "5.2.0"}])
    line = one(inventory("pkg:pypi/simplejson@1.5"), other, fixed_later)
    assert line is not None
    assert "corrected" not in line.reason


def test_statements_about_single_versions_outweigh_ranges() -> None:
    stated = Affected(
        vendor="V", product="P", scheme="generic", default="affected",
        ranges=(
            Range("generic", (Interval(None, "2.0"),)),
            Range("generic", (Interval("1.5", "1.5", high_open=False),), status="unaffected"),
            Range("generic", (Interval("3.0", None),), status="unaffected"),
        ),
    )  # fmt: skip
    advisory = Advisory(id="A", affected=(stated,))

    def verdict(version: str) -> str | None:
        line = one(assets({"vendor": "V", "product": "P", "version": version}), advisory)
        return line.verdict if line else None

    assert [verdict(v) for v in ("1.4", "1.5", "2.5", "3.1", "odd")] == [
        *("affected", None, "affected", None, "unknown")
    ]


NAMES = ["a", "b-b", "c.c"]
VERSIONS = ["", "0.9", "1.0", "1.5", "2.0", "odd"]


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VERSIONS)), max_size=8),
    st.lists(st.sampled_from(NAMES), max_size=5),
    st.randoms(use_true_random=False),
)
def test_lines_are_unique_sorted_and_do_not_depend_on_order(
    held: list[tuple[str, str]], advised: list[str], rng: random.Random
) -> None:
    purls = [f"pkg:pypi/{name}" + (f"@{version}" if version else "") for name, version in held]
    inventories = [inventory(*purls, name=name) for name in ("b", "a")]
    advisories = [osv(f"A-{n}", name, FIX_2) for n, name in enumerate(advised)]
    lines = list(match(inventories, advisories))
    keys = [(m.inventory, m.component, m.advisory) for m in lines]
    assert keys == sorted(set(keys))
    rng.shuffle(advisories)
    shuffled = [inventory(*rng.sample(purls, len(purls)), name=name) for name in ("a", "b")]
    assert list(match(shuffled, advisories)) == lines


def test_a_line_says_which_other_products_are_as_likely_meant() -> None:
    def lines(asset: str, *products: tuple[str, str]) -> Match | None:
        affected = tuple(
            Affected(vendor="Acme", product=product, scheme="firmware", ranges=(words.parse(said),))
            for product, said in products
        )
        return one(assets({"vendor": "Acme", "product": asset, "version": "1.5"}),
                   Advisory("A-1", affected=affected))  # fmt: skip

    nano, mega = ("Nano X-208", "< 2.0"), ("Mega X-208", "< 3.0")
    line = lines("X-208", nano, mega)
    assert line is not None
    assert (line.verdict, line.confidence, line.range) == ("affected", "possible", "< 2.0")
    assert line.reason.endswith("it is no surer Nano X-208 than Mega X-208 (< 3.0)")
    for sure in (lines("Nano X-208", nano, mega), lines("X-208", nano, ("Nano X-308", "< 3.0"))):
        assert sure is not None
        assert "surer" not in sure.reason
    many = lines("X-208", *((f"Line {letter} X-208", "< 2.0") for letter in "PQRST"))
    assert many is not None
    assert many.reason.endswith("Line S X-208 (< 2.0) and 1 more")
