"""A delegate says for its operators what names mean; they have the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.services.mandated import ALL, ANSWER, READ, STATE, World
from tests.services.operators import events
from tests.services.running import run_jobs
from tests.services.test_product_names import csaf, publish

from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.services import delegated_names, delegated_vex, delegates, inventories, mandates
from vedette.services import product_names as names
from vedette.services.acting import Actor, reading
from vedette.services.testing import Fixture

OURS, THEIRS = "Acme X208", "Acme X-208"


@dataclass
class Plants:
    """Oak Utility with the same asset at two sites, each with a notice by words."""

    world: World

    def __post_init__(self) -> None:
        for site in ("plant", "office"):
            inventories.take_inventory(
                self.oak, f"{site} assets", b"vendor,product,version\nAcme,X208,5\n", site=site
            )
        publish(self.world.house, csaf("A-1", "X-208"))

    @property
    def oak(self) -> Actor:
        return self.world.operators[0]

    @property
    def isac(self) -> Actor:
        return self.world.delegates[0]

    def confidences(self) -> dict[str, str]:
        """What Oak's notices say now, by site."""
        run_jobs()
        return {site: row["confidence"] for site, row in self._notices(self.oak).items()}

    def _notices(self, actor: Actor) -> dict[str, dict[str, Any]]:
        with reading(actor):
            rows = (
                delegates.notices.inbox(actor).filter(advisory="A-1").exclude(verdict="unaffected")
            )
            return {row.site: delegates.notices.describe(row) for row in rows}

    def say(self, same: bool, by: Actor | None = None, site: str = "plant") -> Any:
        notice = self._notices(self.oak)[site]["id"]
        return delegated_names.say(by or self.isac, notice, OURS, THEIRS, same)


@pytest.fixture
def plants(clearinghouse: Fixture) -> Plants:
    return Plants(World(clearinghouse, sites=()))


def test_a_word_under_a_mandate_counts_and_the_operator_takes_it_back(plants: Plants) -> None:
    mandate = plants.world.mandate(plants.oak, plants.isac)
    row = plants.say(True)
    assert plants.confidences() == {"plant": "exact", "office": "exact"}
    (seen,) = names.listed(plants.oak)
    assert seen["by"] == f"a delegate of WaterISAC, for Oak Utility under {mandate.id}"
    (told,) = delegated_names.listed(plants.isac)
    assert (told["own"], told["operator"]["name"], told["site"]) == (True, "Oak Utility", "")
    assert events(row.id) == ["operator:name:said"]
    names.forget(plants.oak, row.id)
    assert plants.confidences() == {"plant": "possible", "office": "possible"}
    row = plants.say(False)
    assert plants.confidences() == {}
    suppressed = delegated_vex.suppressed(plants.isac)
    assert {"of WaterISAC, for Oak Utility" in one["source"] for one in suppressed} == {True}
    delegated_names.forget(plants.isac, row.id)
    assert plants.confidences() == {"plant": "possible", "office": "possible"}


def test_a_mandate_for_a_site_says_it_of_that_site(plants: Plants) -> None:
    plants.world.mandate(plants.oak, plants.isac, sites=["plant"])
    row = plants.say(True)
    assert row.site == "plant"
    assert plants.confidences() == {"plant": "exact", "office": "possible"}
    with pytest.raises(NotFound):
        plants.say(True, site="office")
    publish(plants.world.house, csaf("A-1", "X-208"), csaf("A-2", "X-208"))
    assert plants.confidences() == {"plant": "exact", "office": "possible"}, "matched by a change"


def test_the_operators_own_word_counts_before_its_delegates(plants: Plants) -> None:
    plants.world.mandate(plants.oak, plants.isac, sites=["plant"])
    plants.say(True)
    assert plants.confidences() == {"plant": "exact", "office": "possible"}
    office = plants._notices(plants.oak)["office"]["id"]
    own = names.say(plants.oak, office, OURS, THEIRS, same=False)
    assert plants.confidences() == {}
    plants.world.mandate(plants.oak, plants.isac)
    with pytest.raises(NotFound):
        delegated_names.forget(plants.isac, own.id)
    assert {one["own"] for one in delegated_names.listed(plants.isac)} == {True, False}
    for one in delegated_vex.suppressed(plants.isac):
        delegated_vex.lift(plants.isac, one["id"])
    assert plants.confidences() == {"plant": "possible", "office": "possible"}, "lifted"
    with pytest.raises(Refused, match="the operator itself"):
        plants.say(True)


def test_who_says_it_for_whom(plants: Plants) -> None:
    other, reader = plants.world.delegates[1], plants.world.house.person("reader", plants.isac.org)
    plants.world.mandate(plants.world.operators[1], other)
    with pytest.raises(NotFound):
        plants.say(True)
    made = plants.world.mandate(plants.oak, plants.isac, [READ, ANSWER])
    with pytest.raises(Refused, match="state-vex"):
        plants.say(True)
    mandates.end_mandate(plants.oak, made.id)
    made = plants.world.mandate(plants.oak, plants.isac, [STATE])
    row = plants.say(True)
    for by, error in ((other, NotFound), (reader, Forbidden), (plants.oak, NotFound)):
        with pytest.raises(error):
            plants.say(False, by)
        with pytest.raises(error):
            delegated_names.forget(by, row.id)
    assert delegated_names.listed(other) == []
    mandates.end_mandate(plants.oak, made.id)
    assert delegated_names.listed(plants.isac) == []
    with pytest.raises(NotFound):
        delegated_names.forget(plants.isac, row.id)
    assert plants.confidences() == {"plant": "exact", "office": "exact"}, "as answers stand, too"
    plants.world.mandate(plants.oak, plants.isac, ALL)
    delegated_names.forget(plants.isac, row.id)
    assert names.listed(plants.oak) == []
