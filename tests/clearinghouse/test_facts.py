"""The facts of a deadline: what is not stated is taken for the worse, and said so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.facts import combine, criticality, exposure, state

WORDS = ("kev=yes", "kev=no", "automatable=yes", "automatable=no", "impact=total", "impact=partial")
EXPOSURES = st.lists(st.sampled_from(("", "yes", "internet-facing", "No", "isolated", "maybe")))


def test_nothing_stated() -> None:
    facts = combine((), ("",), False)
    assert (facts.kev, facts.exposed, facts.automatable, facts.impact) == (
        False,
        False,
        True,
        "total",
    )
    assert facts.assumed == ("kev", "automatable", "impact")


def test_an_asset_speaks_for_itself() -> None:
    assert exposure(("no",), True) == (False, True)
    assert exposure(("", "no"), True) == (True, True)
    assert exposure(("Internet-Facing",), False) == (True, True)
    assert exposure(("ask Bob",), False) == (True, False)
    assert combine((), ("ask Bob",), False).assumed[0] == "exposed"


@given(st.sets(st.sampled_from(WORDS)), EXPOSURES, st.booleans())
def test_stating_more_never_hides_the_worse(
    stated: set[str], exposures: list[str], inventory_exposed: bool
) -> None:
    facts = combine(stated, exposures, inventory_exposed)
    assert facts.kev == ("kev=yes" in stated)
    assert facts.automatable or "automatable=no" in stated
    assert facts.impact == "total" or "impact=partial" in stated
    assert not {"automatable=yes", "automatable=no"} & stated or "automatable" not in facts.assumed
    assert facts.exposed or not ({"yes", "internet-facing", "maybe"} & set(exposures))
    assert combine(sorted(stated), reversed(exposures), inventory_exposed) == facts


def test_words_of_advisories() -> None:
    assert state({"kev": True, "automatable": "n", "impact": "total", "x": 1}) == (
        "kev=yes",
        "automatable=no",
        "impact=total",
    )
    assert state({"kev": "perhaps", "impact": "huge"}) == ()
    assert criticality(("low", "", "HIGH", "?")) == 3
    assert criticality(()) == 0
