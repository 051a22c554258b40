"""Version orders against the schemes' own or independent implementations, on generated versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
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
number_or_none = numbers | st.just("")
short = numbers.filter(lambda n: len(n) < 5)
tails = st.text("0123456789abz.+~", max_size=8)
revisions = st.just("") | tails.filter(bool).map(lambda t: "-" + t)


@cache
def among(*words: str) -> st.SearchStrategy[str]:
    """One of these, made once: what is made within a drawing is read anew at each."""
    return st.sampled_from(words)


@st.composite
def pep440(draw: st.DrawFn) -> str:
    text = draw(among("", "v", "1!", "0!")) + draw(releases)
    if draw(st.booleans()):
        text += draw(separators) + draw(labels) + draw(separators) + draw(number_or_none)
    if draw(st.booleans()):
        text += draw(among(".post", "post", "-r", "-", ".rev-")) + draw(numbers)
    if draw(st.booleans()):
        text += draw(among(".dev", "dev", "-dev.")) + draw(numbers)
    if draw(st.booleans()):
        text += "+" + draw(among("ubuntu.1", "abc", "1", "1.a", "01-B", "2.0"))
    return text


@st.composite
def semver(draw: st.DrawFn) -> str:
    text = ".".join(str(draw(st.integers(0, 12))) for _ in range(3))
    if draw(st.booleans()):
        part = among("0", "1", "11", "a", "alpha", "rc", "x-1", "1a", "-")
        text += "-" + ".".join(draw(st.lists(part, min_size=1, max_size=3)))
    return text + draw(among("", "+build.1"))


@st.composite
def debian(draw: st.DrawFn) -> str:
    text = draw(among("", "0:", "1:")) + draw(numbers) + draw(tails)
    return text + draw(revisions)


@st.composite
def rpm(draw: st.DrawFn) -> str:
    text = draw(among("", "1:")) + draw(numbers)
    return text + draw(st.text("0123456789abz.~^", max_size=8)) + "-" + draw(releases)


@st.composite
def gem(draw: st.DrawFn) -> str:
    parts = st.integers(0, 12).map(str) | among("a", "pre", "rc1", "0", "0")
    return ".".join([draw(numbers), *draw(st.lists(parts, max_size=4))])


@st.composite
def maven(draw: st.DrawFn) -> str:
    text = draw(short)
    word = among("alpha", "beta", "rc", "ga", "final", "sp", "snapshot", "foo", "a", "m")
    for _ in range(draw(st.integers(0, 3))):
        text += draw(among(".", "-")) + draw(st.integers(0, 12).map(str) | word)
    return text


@st.composite
def alpine(draw: st.DrawFn) -> str:
    plain = st.integers(0, 30).map(str) | among("01", "012", "2", "007")
    text = str(draw(st.integers(0, 12))) + "".join(
        "." + p for p in draw(st.lists(plain, max_size=3))
    )
    text += draw(among("", "", "a", "b"))
    suffix = among("alpha", "beta", "pre", "rc", "p")
    counts = among("1", "2", "10")
    for name in draw(st.lists(suffix, max_size=2)):
        text += f"_{name}{draw(counts)}"
    return f"{text}-r{draw(st.integers(0, 12))}"


@st.composite
def nuget(draw: st.DrawFn) -> str:
    text = draw(
        st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n)))
    )
    if draw(st.booleans()):
        part = among("0", "1", "11", "a", "Beta", "rc-1", "RC", "preview", "2a")
        text += "-" + ".".join(draw(st.lists(part, min_size=1, max_size=3)))
    return text + draw(among("", "+build.1"))


@st.composite
def composer(draw: st.DrawFn) -> str:
    text = draw(among("", "v")) + ".".join(str(draw(st.integers(0, 9))) for _ in range(3))
    # as univers, which takes Composer's versions for semantic ones, orders them too
    return text + draw(among("", "-alpha", "-beta", "-alpha.1", "-beta.2", "-beta.11"))


@st.composite
def go(draw: st.DrawFn) -> str:
    base = "v" + ".".join(str(draw(st.integers(0, 3))) for _ in range(3))
    time, commit = draw(st.integers(20190101000000, 20190101000003)), draw(among("a", "b"))
    pseudo = f"{time}-{commit * 12}"
    return base + draw(
        among("", f"-{pseudo}", f"-0.{pseudo}", f"-rc.1.0.{pseudo}", "-rc.1", "+incompatible")
    )


@st.composite
def dotted(draw: st.DrawFn) -> str:
    return ".".join(map(str, draw(st.lists(st.integers(0, 30), min_size=1, max_size=4))))


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _rpm(left: str, right: str) -> int:
    found: int = compare_rpm_versions(RpmVersion.from_string(left), RpmVersion.from_string(right))
    return found


def _univers(kind: Any) -> Callable[[str, str], int]:
    return lambda left, right: _sign(kind(left), kind(right))


def _nuget(left: str, right: str) -> int:
    """univers compares labels with their case, against NuGet's documentation."""
    return _univers(univers.NugetVersion)(left.lower(), right.lower())


def _integers(left: str, right: str) -> int:
    return _sign([int(n) for n in left.split(".")], [int(n) for n in right.split(".")])


def _pub(left: str, right: str) -> int:
    """As pub_semver: by precedence, then what has build metadata is the higher."""
    plain = _univers(univers.SemverVersion)(left.split("+")[0], right.split("+")[0])
    return plain or _sign("+" in left, "+" in right)


ORACLES: dict[str, tuple[st.SearchStrategy[str], Callable[[str, str], int]]] = {
    "pypi": (pep440(), lambda a, b: _sign(Version(a), Version(b))),
    "apk": (alpine(), _univers(univers.AlpineLinuxVersion)),
    "bitnami": (
        semver().filter(lambda v: not re.search(r"-[0-9]+(\+|$)", v)),
        _univers(univers.SemverVersion),
    ),
    "cargo": (semver(), _univers(univers.SemverVersion)),
    "composer": (composer(), _univers(univers.ComposerVersion)),
    "cran": (dotted(), _integers),
    "golang": (go(), _univers(univers.GolangVersion)),
    "hackage": (dotted(), _integers),
    "hex": (semver(), _univers(univers.SemverVersion)),
    "npm": (semver(), _univers(univers.SemverVersion)),
    "nuget": (nuget(), _nuget),
    "pub": (semver(), _pub),
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


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=40) | st.text("0123456789.-+~:!vabrcp ", max_size=25))
def test_keys_are_bytes_or_none_for_any_text(text: str) -> None:
    """Every scheme is asked about every text."""
    for scheme in sorted(set(versions.SCHEMES) - {"maven"}):
        assert isinstance(versions.key(scheme, text), bytes | None), scheme


@settings(max_examples=400, deadline=None)
@given(st.text("0123456789.-+!vabrcpostdevx_ ", min_size=1, max_size=16))
def test_pep440_reads_exactly_what_packaging_reads(text: str) -> None:
    try:
        Version(text)
        readable = True
    except InvalidVersion:
        readable = False
    assert (versions.key("pypi", text) is not None) == readable


@st.composite
def usual_maven(draw: st.DrawFn) -> str:
    text = ".".join(str(draw(st.integers(0, 2))) for _ in range(draw(st.integers(1, 3))))
    words = ["alpha", "beta", "m", "rc", "snapshot", "final", "sp", "jre", "foo"]
    if draw(st.booleans()):
        text += "-" + draw(st.sampled_from(words))
        text += draw(st.sampled_from(["", "1", "-1", "2"]))
    return text


@settings(max_examples=500, deadline=None)
@given(usual_maven(), usual_maven(), usual_maven())
def test_maven_orders_usual_spellings_totally(first: str, second: str, third: str) -> None:
    """Byte keys are a total order by what they are; Maven's compare item by item.

    Maven itself goes round in circles where words follow a dot: 0 > 0.alpha > 0-sp > 0.
    """
    keys: list[Any] = [versions.key("maven", v) for v in (first, second, third)]
    one, two, three = sorted(keys)
    assert _sign(one, two) == -_sign(two, one) <= 0
    assert _sign(two, three) == -_sign(three, two) <= 0
    assert _sign(one, three) == min(_sign(one, two), _sign(two, three))


@pytest.mark.parametrize("scheme", sorted(set(versions.SCHEMES) - {"maven", "generic"}))
def test_numbers_of_any_length_are_read_and_sorted(scheme: str) -> None:
    rows = ["1" * 3, "1" * 252, "1" * 254, "9" * 254, "1" * 255, "1" * 400]
    keys: list[Any] = [versions.key(scheme, f"{number}.1.1") for number in rows]
    if scheme == "composer":  # a first number of more than five digits is a date there
        keys = [versions.key(scheme, f"1.{number}") for number in rows]
    assert all(low < high for low, high in pairwise(keys))


ASCENDING = {
    "bitnami": [["1.2.3-rc.1", "1.2.3", "1.2.3-1", "1.2.3-2", "1.2.3-10", "1.2.4"]],
    "conan": [["1.1.1", "1.1.1b", "1.1.1k", "1.1.2"]],
    "apk": [
        ["1.0_alpha", "1.0_alpha1", "1.0_beta", "1.0_pre2", "1.0_rc1", "1.0", "1.0-r1", "1.0-r10"],
        ["0.1.0_alpha_pre2", "0.1.0_alpha", "0.1.0", "2.34"],
        ["1.0", "1.0_cvs", "1.0_svn1", "1.0_git20220101", "1.0_hg", "1.0_p9", "1.0_p10", "1.0a"],
        ["1.0a", "1.0b_p1", "1.0.01", "1.0.02", "1.0.1", "1.0.10", "1.1"],
        ["3.0.0-r2", "3.0.0~abc1-r1", "3.0.0_p1-r0"],
    ],
    "composer": [
        ["1.0-dev", "1.0-alpha", "1.0-alpha1", "1.0.0-a.2", "1.0b3-dev", "1.0-beta3", "1.0RC1"],
        ["1.0.0-RC2", "v1.0", "1.0.0.1", "1.0.1-patch0", "1.0.1-pl1", "1.0.2"],
        ["1.0", "1.0-patch", "1.0-p1", "1.0-pl2.1", "1.0.0.1"],
        ["2010-01-02", "2010-01-10", "2011-01", "20100103", "20100103-203040"],
    ],
    "cran": [["0.9-10", "1.0", "1.0.0", "1.0-1", "1.1", "1.10"]],
    "maven": [
        [
            "1-alpha2",
            "1-alpha-123",
            "1-beta-2",
            "1-m11",
            "1-rc",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-sp2",
        ],
        ["1-sp-1", "1-abc", "1-1", "1-2", "1.1"],
    ],
    "npm": [
        ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"],
        ["1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1"],
    ],
    "semver": [["1.2.3-rc.1", "1.2.3", "1.2.3.1", "1.2.3.1.5", "1.2.3.10", "1.2.4-a", "v1.2.4"]],
    "nuget": [
        ["1.0.1-alpha", "1.0.1-Alpha.2", "1.0.1-beta", "1.0.1-beta.5", "1.0.1-BETA.12"],
        ["1.0.1-open", "1.0.1-rc", "1.0.1-zzz", "1.0.1", "1.0.1.1", "1.0.2"],
        ["1.0-9", "1.0-2147483647", "1.0-2147483648", "1.0-99999999999"],
    ],
    "pub": [["1.0.0-a", "1.0.0-a+1", "1.0.0", "1.0.0+1", "1.0.0+2", "1.0.0+11", "1.0.1-dev"]],
    "pypi": [
        ["1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12", "1.0b1.dev456", "1.0b2"],
        ["1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0", "1.0+abc.5"],
        ["1.0+abc.7", "1.0+5", "1.0.post456.dev34", "1.0.post456", "1.0.15", "1.1.dev1", "1!0.1"],
    ],
    "gem": [["1.0.a.2", "1.0.b1", "1.0", "1.0.1.rc1", "1.0.1", "1.1.a", "1.1"]],
    "generic": [
        ["V4.2.3", "V4.2.3 Update 1", "V4.2.3 SP1", "V4.2.3 SP1 HF5", "V4.2.3 SP2 Upd 3", "V4.2.4"],
        ["1.0-dev", "1.0 beta 2", "1.0-rc1", "1.0", "1.0a", "1.0b", "1.1"],
        ["22.4", "22.4R1", "22.4R3-S3", "22.4R3-S10", "23.2R1"],
        ["02.07.06(10)", "02.07.07(9)", "2.7.7 Build 10", "02.08"],
        ["1.115U", "1.116", "1.116A"],
    ],
    "deb": [["1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1.0-2", "1.0a-1", "1:0.9-1"]],
    "rpm": [["1.0~rc1-1", "1.0-1", "1.0^git1-1", "1.0.1-1", "1:0.9-1"]],
    "hackage": [["0.9", "1", "1.0", "1.0.0", "1.0.1", "1.2", "1.10"]],
    "golang": [
        ["v1.2.3", "v1.2.4-0.20191109021931-daa7c04131f5", "v1.2.4-rc.1", "v1.2.4", "v2.0.0"],
        ["v0.0.0-20190101000000-abcdef", "v1.0.0-rc.1", "v1.0.0", "v1.0.1+incompatible"],
        ["1.21.0-0", "go1.21beta1", "go1.21rc2", "go1.21rc10", "go1.21", "go1.21.1"],
    ],
}


@pytest.mark.parametrize(
    ("scheme", "row"), [(scheme, row) for scheme, rows in ASCENDING.items() for row in rows]
)
def test_published_sequences_ascend(scheme: str, row: list[str]) -> None:
    keys: list[Any] = [versions.key(scheme, version) for version in row]
    assert all(key is not None for key in keys)
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
        ("composer", "v1.0.0.0-b2", "1.0beta2"),
        ("composer", "1.0-stable", "1+build"),
        ("nuget", "1.00.0.1-RC", "1.0.0.1-rc+sha"),
        ("golang", "v2.0.0+incompatible", "2.0.0"),
        ("golang", "go1.21rc2", "v1.21.0-rc.2"),
        ("bitnami", "1.2.3-0", "1.2.3"),
        ("conan", "1.2", "1.2.0.0"),
        ("npm", "v1.2.3", "=1.2.3+build"),
        ("semver", "1.2.3.0", "v1.2.3"),
        ("apk", "1.02.3-r01", "1.02.3-r1"),
    ],
)
def test_spellings_of_one_version_are_equal(scheme: str, left: str, right: str) -> None:
    assert versions.key(scheme, left) == versions.key(scheme, right) is not None


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("apk", "1.0-1"),
        ("apk", "1.0_final"),
        ("composer", "dev-main"),
        ("composer", "1.x-dev"),
        ("composer", "1.0.0.0.0"),
        ("cran", "1.0a"),
        ("deb", "one"),
        ("gem", "1.0+1"),
        ("maven", "[1.0,2.0)"),
        ("npm", "1.2.3.4"),
        ("npm", "latest"),
        ("nuget", "1.0.0.0.0"),
        ("pypi", "2004d"),
        ("rpm", "1.0-1-1"),
    ],
)
def test_what_is_no_version_of_a_scheme_has_no_key(scheme: str, text: str) -> None:
    assert versions.key(scheme, text) is None


@pytest.mark.parametrize(
    "text", ["", "V", "latest", "1.x", "R12 or so", "1.0 with patch", "1..2", "1.0 SP", "9" * 600]
)
def test_what_needs_a_guess_has_no_generic_key(text: str) -> None:
    assert versions.key("generic", text) is None
