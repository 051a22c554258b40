"""Sectors, seats and waves of trusted partners."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import OPENS, PACK

from vedette.engagement.partners import Partner
from vedette.engagement.sectors import (
    advice,
    balance,
    first_hour,
    is_small,
    sector_of,
    sectors,
    waves,
)

NAMES = [s.id for s in sectors(PACK)] + ["Rural hospitals", "emergency services", "lighthouses", ""]


@st.composite
def some_partners(draw: st.DrawFn) -> list[Partner]:
    rows = draw(
        st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.booleans()), max_size=40)
    )
    return [
        Partner(
            f"partner-{n}",
            f"Partner {n}",
            sector,
            ("operates-or-defends",),
            small=small,
            lab_agreed=OPENS,
            office_agreed=OPENS if agreed else None,
        )
        for n, (sector, small, agreed) in enumerate(rows)
    ]


def test_a_sector_is_known_by_id_or_title_and_any_other_keeps_its_words() -> None:
    assert sector_of(PACK, "local-utility").listed
    assert sector_of(PACK, " Local Utilities ").id == "local-utility"
    assert sector_of(PACK, "emergency services").id == "emergency-services"
    other = sector_of(PACK, "Lighthouses")
    assert (other.id, other.title, other.criteria) == ("other", "Lighthouses", ())


def test_the_orders_sectors_are_the_packs() -> None:
    assert {s.id for s in sectors(PACK) if s.listed} == {
        *("rural-hospital", "community-bank", "local-utility")
    }


def test_a_sectors_criteria_are_advice() -> None:
    bank = Partner("p", "Bank", "community-bank", ("keeps-confidence",))
    assert "Community banks" in advice(PACK, bank)
    assert advice(PACK, Partner("p", "Bank", "community-bank", ("operates-or-defends",))) == ""
    assert advice(PACK, Partner("p", "Light", "lighthouses", ("keeps-confidence",))) == ""


@given(some_partners())
def test_listed_sectors_are_present_or_visibly_absent(partners: list[Partner]) -> None:
    rows = balance(PACK, partners)
    assert sum(row.named for row in rows) == len(partners)
    assert sum(row.agreed for row in rows) == sum(p.agreed is not None for p in partners)
    shown = {row.sector.id: row for row in rows if row.sector.listed}
    assert set(shown) == {"rural-hospital", "community-bank", "local-utility"}
    for sector, row in shown.items():
        present = any(sector_of(PACK, p.sector).id == sector for p in partners)
        assert row.absent == (not present)


@given(some_partners(), st.randoms())
def test_small_operators_come_first_and_everybody_once(partners: list[Partner], chance) -> None:  # type: ignore[no-untyped-def]
    staged = waves(PACK, partners)
    assert sorted(p.id for wave in staged for p in wave.partners) == sorted(p.id for p in partners)
    size = PACK.integer("partners", "waves", "size")
    assert all(1 <= len(wave.partners) <= size for wave in staged)
    order = [is_small(PACK, p) for wave in staged for p in wave.partners]
    assert order == sorted(order, reverse=True), "small ones first"
    mixed = list(partners)
    chance.shuffle(mixed)
    assert waves(PACK, mixed) == staged


@given(some_partners(), st.dictionaries(st.integers(0, 39), st.integers(1, 5)))
def test_the_lab_puts_a_partner_where_it_likes(
    partners: list[Partner], picked: dict[int, int]
) -> None:
    chosen = {f"partner-{n}": wave for n, wave in picked.items() if n < len(partners)}
    placed = {p.id: wave.number for wave in waves(PACK, partners, chosen) for p in wave.partners}
    assert {key: placed[key] for key in chosen} == chosen
    assert len(placed) == len(partners)


def test_waves_count_from_the_labs_own_day() -> None:
    partners = [Partner(f"p{n}", f"P{n}", "water", ()) for n in range(11)]
    one, two = waves(PACK, partners)
    assert first_hour(one, OPENS) == OPENS
    assert first_hour(two, OPENS) == OPENS + timedelta(days=two.days_after)
    assert two.days_after > 0
