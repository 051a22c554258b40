"""Version range specifiers against an evaluation of the constraints one by one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from vedette.matching.ranges import Interval, Range
from vedette.matching.versions import vers

pytestmark = pytest.mark.any_database
POOL = ["1.0", "1.1rc1", "1.1", "2.0", "2!0", "3!1+a.b"]


@st.composite
def constraints(draw: st.DrawFn) -> list[tuple[str, Version]]:
    """Sorted, each version once, lower and upper bounds in turn."""
    pool = draw(st.lists(st.sampled_from(POOL), unique=True, min_size=1))
    signs = st.sampled_from(["", "!=", "<", "<=", ">", ">="])
    rows = [(draw(signs), version) for version in sorted(map(Version, pool))]
    bounds = [sign[0] for sign, _ in rows if sign[:1] in ("<", ">")]
    assume(all(one != other for one, other in pairwise(bounds)))
    return rows


def contains(rows: list[tuple[str, Version]], version: Version) -> bool:
    """As the specification says it of sorted constraints."""
    if any(sign == "!=" and stated == version for sign, stated in rows):
        return False
    if any(sign in ("", "<=", ">=") and stated == version for sign, stated in rows):
        return True
    bounds = [(sign[0], stated) for sign, stated in rows if sign and sign != "!="]
    if not bounds:
        return all(sign == "!=" for sign, _ in rows)
    below = [sign for sign, stated in bounds if stated < version]
    above = [sign for sign, stated in bounds if stated > version]
    edge = [sign for sign, stated in bounds if stated == version]
    return not edge and (above[:1] == ["<"] or (not above and below[-1:] == [">"]))


def quoted(version: Version) -> str:
    return str(version).replace("!", "%21")


@settings(max_examples=40, deadline=None)
@given(constraints(), st.sampled_from(POOL))
def test_intervals_hold_what_the_constraints_hold(
    rows: list[tuple[str, Version]], version: str
) -> None:
    written = "|".join(sign + quoted(stated) for sign, stated in rows)
    found = vers.read("pypi", written)
    assert found is not None
    held = isinstance(Range("pypi", found).find(version), Interval)
    assert held == contains(rows, Version(version))
    assert vers.read("pypi", "|".join(reversed(written.split("|")))) == found


@pytest.mark.parametrize(
    "written",
    ["", ">=1|<2|", ">=1|>=2", "<1|<2", ">=1|<1", "*|<1", "nonsense", ">=1<2", "1|1.0", "%zz"],
)
def test_what_breaks_the_rules_is_not_read(written: str) -> None:
    assert vers.read("pypi", written) is None


def test_versions_are_percent_encoded() -> None:
    (only,) = vers.read("deb", "<1%3A2.0-1") or ()
    assert only == Interval(None, "1:2.0-1")
