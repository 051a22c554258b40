"""When two scans meet, and what their parties are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import OPENS, PACK

from vedette.clearinghouse.scans import (
    Intent,
    Target,
    check_intent,
    meets,
    same_target,
    stands,
    told,
)
from vedette.kernel.errors import BadInput

DAY = timedelta(days=1)
RUGGED = Target("RegMap Gateway", "Norrvik Pumpworks")


def intent(party: str = "org-a", target: Target = RUGGED, start: int = 0, days: int = 7) -> Intent:
    starts = OPENS + start * DAY
    return Intent(f"scan-{party}", party, target, starts, starts + days * DAY)


TARGETS = st.builds(
    Target,
    st.sampled_from(["RegMap Gateway", "regmap-gateway", "Other", ""]),
    st.sampled_from(["", "Norrvik Pumpworks", "Somebody"]),
    st.sampled_from(["", "pkg:pypi/ujson@5.1", "pkg:pypi/UJson", "pkg:npm/ujson"]),
    st.sampled_from([(), ("1.0",), ("1.0", "2.0"), ("3.0",)]),
)
INTENTS = st.builds(
    intent, st.sampled_from(["a", "b", "c"]), TARGETS, st.integers(-20, 20), st.integers(1, 30)
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Target("RegMap Gateway"), Target("regmap-GATEWAY"), True),
        (RUGGED, Target("RegMap Gateway"), True),
        (RUGGED, Target("RegMap Gateway", "Somebody else"), False),
        (Target("", package="pkg:pypi/ujson@5.1.0"), Target("", package="pkg:pypi/UJson"), True),
        (Target("", package="pkg:pypi/a_b"), Target("", package="pkg:pypi/a-b?x=y"), True),
        (Target("", package="pkg:pypi/ujson"), Target("", package="pkg:npm/ujson"), False),
        (Target("", package="pkg:pypi/ujson"), Target("ujson"), False),
    ],
)
def test_the_same_target_in_other_words(one: Target, other: Target, same: bool) -> None:
    assert same_target(one, other) is same_target(other, one) is same


@given(INTENTS, INTENTS, st.integers(-30, 60))
def test_meeting_is_mutual_and_needs_two_parties_and_an_hour(
    one: Intent, other: Intent, day: int
) -> None:
    now = OPENS + day * DAY
    assert meets(one, other, now) == meets(other, one, now)
    if meets(one, other, now):
        assert one.party != other.party
        assert stands(one, now)
        assert stands(other, now)
        assert max(one.starts, other.starts) < min(one.until, other.until)
    assert not meets(one, one, now)


@given(INTENTS, st.lists(INTENTS, max_size=5), st.booleans())
def test_a_party_is_told_one_bit_and_whom_both_consent_to(
    own: Intent, others: list[Intent], open_work: bool
) -> None:
    others = [replace(o, id=f"scan-{n}") for n, o in enumerate(others)]
    found = told(own, others, open_work, OPENS)
    assert found.introduced == (), "nobody consented"
    assert type(found.somebody) is bool
    if not any(meets(own, o, OPENS) for o in others):
        assert found.somebody == (open_work and stands(own, OPENS))
    willing = [replace(o, introduce=True) for o in others]
    assert told(own, willing, open_work, OPENS).introduced == (), "it takes both"
    both = told(replace(own, introduce=True), willing, open_work, OPENS)
    assert set(both.introduced) == {o.id for o in others if meets(own, o, OPENS)}


def test_open_work_and_another_scan_look_the_same() -> None:
    other = intent("org-b")
    assert told(intent(), [other], False, OPENS) == told(intent(), [], True, OPENS)


def test_it_is_over_at_its_end_and_earlier_when_its_owner_says_so() -> None:
    own = intent()
    assert stands(own, own.ends - timedelta(seconds=1))
    assert not stands(own, own.ends)
    ended = replace(own, ended=OPENS + DAY)
    assert not stands(ended, OPENS + DAY)
    assert not meets(ended, intent("org-b", start=2), OPENS)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends": OPENS}, "ends"),
        ({"ends": OPENS + 91 * DAY}, "ends"),
        ({"starts": OPENS - 9 * DAY, "ends": OPENS - DAY}, "ends"),
        ({"target": Target("  ")}, "product"),
        ({"target": Target("x" * 301)}, "product"),
        ({"target": Target("", package="ujson")}, "package"),
        ({"target": Target("x", versions=("",))}, "versions"),
        ({"target": Target("x", versions=("1",) * 51)}, "versions"),
    ],
)
def test_a_malformed_intent_names_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput, match=f"^{field}"):
        check_intent(PACK, replace(intent(), **changes), "fuzzing", OPENS)  # type: ignore[arg-type]


def test_a_method_is_one_of_the_packs() -> None:
    check_intent(PACK, intent(days=90), "fuzzing", datetime.min.replace(tzinfo=OPENS.tzinfo))
    with pytest.raises(BadInput, match="method"):
        check_intent(PACK, intent(), "magic", OPENS)
