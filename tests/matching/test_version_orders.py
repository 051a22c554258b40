"""Version orders against the schemes' own or independent implementations, on generated versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version
from univers import versions as univers
from univers.debian import Version as DebianVersion
from univers.gem import GemVersion
from univers.maven import Version as MavenVersion
from univers.rpm import RpmVersion, compare_rpm_versions

from vedette.matching import versions

numbers = st.integers(0, 30).map(str) | st.sampled_from(["00", "007", "10", "2024", "9" * 30])
releases = st.lists(numbers, min_size=1, max_size=4).map(".".join)
labels = st.sampled_from(["a", "b", "rc", "alpha", "beta", "c", "pre", "preview"])
separators = st.sampled_from(["", ".", "-", "_"])


@st.composite
def pep440(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(["", "v", "1!", "0!"])) + draw(releases)
    if draw(st.booleans()):
        text += draw(separators) + draw(labels) + draw(separators) + draw(numbers | st.just(""))
    if draw(st.booleans()):
        text += draw(st.sampled_from([".post", "post", "-r", "-", ".rev-"])) + draw(numbers)
    if draw(st.booleans()):
        text += draw(st.sampled_from([".dev", "dev", "-dev."])) + draw(numbers)
    if draw(st.booleans()):
        text += "+" + draw(st.sampled_from(["ubuntu.1", "abc", "1", "1.a", "01-B", "2.0"]))
    return text


@st.composite
def semver(draw: st.DrawFn) -> str:
    text = ".".join(str(draw(st.integers(0, 12))) for _ in range(3))
    if draw(st.booleans()):
        part = st.sampled_from(["0", "1", "11", "a", "alpha", "rc", "x-1", "1a", "-"])
        text += "-" + ".".join(draw(st.lists(part, min_size=1, max_size=3)))
    return text + draw(st.sampled_from(["", "+build.1"]))


@st.composite
def debian(draw: st.DrawFn) -> str:
    tail = st.text("0123456789abz.+~", max_size=8)
    text = draw(st.sampled_from(["", "0:", "1:"])) + draw(numbers) + draw(tail)
    return text + draw(st.just("") | tail.filter(bool).map(lambda t: "-" + t))


@st.composite
def rpm(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(["", "1:"])) + draw(numbers)
    return text + draw(st.text("0123456789abz.~^", max_size=8)) + "-" + draw(releases)


@st.composite
def gem(draw: st.DrawFn) -> str:
    parts = st.integers(0, 12).map(str) | st.sampled_from(["a", "pre", "rc1", "0", "0"])
    return ".".join([draw(numbers), *draw(st.lists(parts, max_size=4))])


@st.composite
def maven(draw: st.DrawFn) -> str:
    text = draw(numbers.filter(lambda n: len(n) < 5))
    word = st.sampled_from(
        ["alpha", "beta", "rc", "ga", "final", "sp", "snapshot", "foo", "a", "m"]
    )
    for _ in range(draw(st.integers(0, 3))):
        text += draw(st.sampled_from([".", "-"])) + draw(st.integers(0, 12).map(str) | word)
    return text


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _rpm(left: str, right: str) -> int:
    found: int = compare_rpm_versions(RpmVersion.from_string(left), RpmVersion.from_string(right))
    return found


ORACLES: dict[str, tuple[st.SearchStrategy[str], Callable[[str, str], int]]] = {
    "pypi": (pep440(), lambda a, b: _sign(Version(a), Version(b))),
    "npm": (semver(), lambda a, b: _sign(univers.SemverVersion(a), univers.SemverVersion(b))),
    "deb": (
        debian(),
        lambda a, b: _sign(DebianVersion.from_string(a), DebianVersion.from_string(b)),
    ),
    "rpm": (rpm(), _rpm),
    "gem": (gem(), lambda a, b: _sign(GemVersion(a), GemVersion(b))),
    # univers follows an older Maven that looks at the first item only of a list against nothing
    "maven": (
        maven().filter(lambda v: not re.search("[-a-z]0|-(ga|final)", v)),
        lambda a, b: _sign(MavenVersion(a), MavenVersion(b)),
    ),
}


@pytest.mark.parametrize("scheme", sorted(ORACLES))
def test_order_agrees_with_the_reference(scheme: str) -> None:
    strategy, compare = ORACLES[scheme]

    @settings(max_examples=400, deadline=None)
    @given(strategy, strategy)
    def agrees(left: str, right: str) -> None:
        mine = _sign(versions.key(scheme, left), versions.key(scheme, right))
        assert mine == compare(left, right), (left, right)

    agrees()


@pytest.mark.parametrize("scheme", ["deb", "gem", "generic", "npm", "pypi", "rpm"])
def test_keys_are_bytes_or_none_for_any_text(scheme: str) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.text(max_size=40) | st.text("0123456789.-+~:!vabrcp ", max_size=25))
    def total(text: str) -> None:
        assert isinstance(versions.key(scheme, text), bytes | None)

    total()


@settings(max_examples=400, deadline=None)
@given(st.text("0123456789.-+!vabrcpostdevx_ ", min_size=1, max_size=16))
def test_pep440_reads_exactly_what_packaging_reads(text: str) -> None:
    try:
        Version(text)
        readable = True
    except InvalidVersion:
        readable = False
    assert (versions.key("pypi", text) is not None) == readable


ASCENDING = {
    "generic": [
        ["V4.2.3", "V4.2.3 Update 1", "V4.2.3 SP1", "V4.2.3 SP1 HF5", "V4.2.3 SP2 Upd 3", "V4.2.4"],
        ["1.0-dev", "1.0 beta 2", "1.0-rc1", "1.0", "1.0a", "1.0b", "1.1"],
        ["22.4", "22.4R1", "22.4R3-S3", "22.4R3-S10", "23.2R1"],
        ["02.07.06(10)", "02.07.07(9)", "2.7.7 Build 10", "02.08"],
        ["1.115U", "1.116", "1.116A"],
    ],
    "deb": [["1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1.0-2", "1.0a-1", "1:0.9-1"]],
    "rpm": [["1.0~rc1-1", "1.0-1", "1.0^git1-1", "1.0.1-1", "1:0.9-1"]],
    "golang": [["v0.0.0-20190101000000-abcdef", "v1.0.0-rc.1", "v1.0.0", "v1.0.1+incompatible"]],
}


@pytest.mark.parametrize(
    ("scheme", "row"), [(scheme, row) for scheme, rows in ASCENDING.items() for row in rows]
)
def test_published_sequences_ascend(scheme: str, row: list[str]) -> None:
    keys: list[Any] = [versions.key(scheme, version) for version in row]
    assert None not in keys
    assert all(low < high for low, high in pairwise(keys)), row


@pytest.mark.parametrize(
    ("scheme", "left", "right"),
    [
        ("generic", "V4.0", "4"),
        ("generic", "FW 02.05", "2.5"),
        ("generic", "V15.1 SP2", "15.1 service pack 2"),
        ("deb", "1.0", "0:1.0-0"),
        ("pypi", "1.0", "v1"),
        ("maven", "1.0-ga", "1"),
    ],
)
def test_spellings_of_one_version_are_equal(scheme: str, left: str, right: str) -> None:
    assert versions.key(scheme, left) == versions.key(scheme, right) is not None


@pytest.mark.parametrize(
    "text", ["", "V", "latest", "1.x", "R12 or so", "1.0 with patch", "1..2", "1.0 SP", "9" * 600]
)
def test_what_needs_a_guess_has_no_generic_key(text: str) -> None:
    assert versions.key("generic", text) is None
