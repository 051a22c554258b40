"""The classification block: computed from the sources of what is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernel.test_markings import markings

from vedette.kernel.classification import (
    Authority,
    Block,
    Rules,
    block_of,
    cite,
    declassify_on,
    in_years,
    original_block,
)
from vedette.kernel.markings import AMBER, TLP, Marking
from vedette.kernel.packs import default_pack
from vedette.kernel.portions import Portion, Source

RULES = Rules.of(default_pack())
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
SECRET = Marking(TLP.AMBER, 3)
OFFICER = Authority("A. Officer, Chief, Division 5", "Office of Works")
days = st.dates(date(2027, 1, 1), date(2099, 12, 31))
instructions = st.one_of(
    st.just(""),
    st.sampled_from(["50X1-HUM", "50X2-WMD", "OADR", "X4", "Launch of the system", "20269999"]),
    days.map(lambda day: f"{day:%Y%m%d}"),
    days.map(lambda day: f"25X3, {day:%Y%m%d}"),
)
sources = st.builds(
    Source,
    st.sampled_from(["Assessment a1, Office", "Suite parsers 2, Office"]),
    markings,
    st.sampled_from(["", "2026-02-28", "2024-02-29"]),
    instructions,
)


def derived(*given: Source) -> str:
    return declassify_on(given, RULES, TODAY)


@given(st.lists(sources, max_size=6), st.randoms())
def test_the_longest_instruction_holds_in_whatever_order(
    given: list[Source], order: object
) -> None:
    whole = derived(*given)
    shuffled = list(given)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert derived(*shuffled) == whole
    assert derived(*given, *given) == whole
    days_of = [part for part in whole.replace(",", "").split() if part.isdigit()]
    for source in given:
        alone = derived(source)
        if alone in RULES.longest:
            assert whole in RULES.longest
        elif "Launch" in alone:
            assert "Launch" in whole or whole in RULES.longest
        elif whole not in RULES.longest:
            assert max(days_of) >= alone.split()[-1]


def test_instructions_as_the_rule_has_them() -> None:
    def source(declassify: str, dated: str = "") -> Source:
        return Source("Memo", SECRET, dated, declassify)

    assert derived(source("20311231"), source("20360101")) == "20360101"
    assert derived(source("20311231"), source("25X1, 20311231")) == "25X1, 20311231"
    assert derived(source("20991231"), source("50X2-WMD"), source("50X1-HUM")) == "50X1-HUM"
    assert derived(source("", "2026-06-02")) == "20510602"
    assert derived(source("OADR", "2026-06-02"), source("20300101")) == "20510602"
    assert derived(source("")) == "20511201"
    assert derived() == "20511201"
    assert derived(source("Launch")) == "Launch"
    assert derived(source("Launch"), source("20300101")) == "20300101 or Launch, whichever is later"
    assert in_years(date(2028, 2, 29), 25) == "20530301"


def test_a_document_from_one_source_cites_it_and_from_several_lists_them() -> None:
    one = Source("Assessment a1, Office of Works", SECRET, "2026-11-30", "20361130")
    two = Source("Suite parsers 2, Office of Works", SECRET)
    plain = Source("Terms of act 7", AMBER)
    single = block_of([Portion("x", SECRET, (one, plain))], OFFICER, RULES, NOW)
    assert single == Block(
        (
            ("Classified By", "A. Officer, Chief, Division 5, Office of Works"),
            ("Derived From", "Assessment a1, Office of Works, dated 2026-11-30"),
            ("Declassify On", "20361130"),
        )
    )
    several = block_of(
        [Portion("x", SECRET, (one,)), Portion("y", SECRET, (two,))], OFFICER, RULES, NOW
    )
    assert several is not None
    assert dict(several.lines)["Derived From"] == "Multiple Sources"
    assert several.sources == (cite(one), cite(two))
    assert dict(several.lines)["Declassify On"] == "20511201"


def test_the_authority_is_never_invented() -> None:
    source = Source("Assessment a1", SECRET)
    block = block_of([Portion("x", SECRET, (source,))], Authority("", "Office"), RULES, NOW)
    assert block is not None
    assert not block.complete
    assert dict(block.lines)["Classified By"].startswith("not stated")
    without = block_of([Portion("x", SECRET)], OFFICER, RULES, NOW)
    assert without is not None
    assert not without.complete


@given(st.lists(st.tuples(markings, sources), max_size=6))
def test_only_classified_documents_have_a_block(given: list[tuple[Marking, Source]]) -> None:
    portions = [Portion("x", marking, (source,)) for marking, source in given]
    block = block_of(portions, OFFICER, RULES, NOW)
    level = max((portion.marking.level for portion in portions), default=0)
    labels = [label for label, _ in block.lines] if block else []
    assert (block is None) == (level == 0)
    assert ("Derived From" in labels) == (level > 1)
    assert ("Controlled By" in labels) == any(p.marking.level == 1 for p in portions)
    if block:
        classified = [s for _, s in given if s.marking.level > 1]
        assert set(block.sources) <= {cite(source) for source in classified}


def test_an_original_decision_gives_its_reason() -> None:
    block = original_block(OFFICER, "1.4(g)", "20361201")
    assert [label for label, _ in block.lines] == ["Classified By", "Reason", "Declassify On"]
    assert block.complete
    assert not original_block(OFFICER, "", "20361201").complete


@pytest.mark.parametrize("text", ["٢٠٣٠٠١٠١", "20300101x", "25X0, 20300101"])
def test_what_is_no_date_is_an_event(text: str) -> None:
    assert text in derived(
        Source("Memo", SECRET, "", text), Source("Other", SECRET, "", "20300101")
    )


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("20510101", True),
        ("25X1, 20760101", True),
        ("20510231", False),
        ("2051-01-01", False),
        (RULES.events[0], True),
        (RULES.longest[0], True),
        ("Whenever we like", False),
        ("OADR", False),
        ("", False),
    ],
)
def test_an_instruction_is_a_day_or_of_the_packs_list(text: str, allowed: bool) -> None:
    assert RULES.allows(text) == allowed
