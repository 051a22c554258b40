"""Two keyholders unseal a suite; one alone does not; anybody of them seals it again."""

from __future__ import annotations

import pytest
from tests.services.sealed_suites import Certified, two_holders, unseal

from vedette.bench.suites import Suite
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.runner.private import PREFIX, places
from vedette.services import keyholders, runs, two_person, unsealing, vault
from vedette.services.acting import member
from vedette.services.suites import row_of, take_suite
from vedette.services.testing import Fixture
from vedette.store.models import LedgerEntry, Run, Seconding
from vedette.store.tenancy import SYSTEM, scoped


def state_of(suite: Suite) -> str:
    return str(row_of(suite.name, suite.digest).state)


def arguments(second_id: str) -> dict[str, str]:
    with scoped(SYSTEM):
        return dict(Seconding.objects.get(id=second_id).arguments)


def test_it_takes_two_and_leaves_nothing_behind(office: Fixture, certified: Certified) -> None:
    suite, made = certified
    (ada, code), (ben, other) = two_holders(office)
    row = take_suite(ada, suite, made, seed=0)
    folder = office.here.folder
    with pytest.raises(Refused, match="is sealed"):
        runs.start_run(ada, suite.name, references=["null"])
    with pytest.raises(BadInput, match="not your keyholder's code"):
        unsealing.ask_unsealing(ada, row.id, other, "")
    asked = unsealing.ask_unsealing(ada, row.id, code, "for the next run")
    assert state_of(suite) == "sealed"
    assert not vault.key_file(row.id).exists()
    with pytest.raises(Forbidden, match="nobody seconds what they proposed"):
        two_person.second(ada, asked.id, code)
    with pytest.raises(BadInput, match="not your keyholder's code"):
        two_person.second(ben, asked.id, code)
    stranger = member(office.here.org, "Cy", "evaluator", host=True)
    with pytest.raises(Refused, match="no share"):
        two_person.second(stranger, asked.id, other)
    assert (state_of(suite), bool(arguments(asked.id))) == ("sealed", True)
    two_person.second(ben, asked.id, other)
    assert (state_of(suite), arguments(asked.id)) == ("unsealed", {})
    key = vault.key_file(row.id)
    raw = key.read_text().split()[2]
    assert not [
        p for p in folder.rglob("*") if p.is_file() and p != key and raw in p.read_text("latin-1")
    ]
    with pytest.raises(Refused, match="unsealed already"):
        unsealing.ask_unsealing(ada, row.id, code, "")
    run = runs.start_run(ada, suite.name, references=["null"])
    unsealing.take_back(ben, row.id)
    assert (state_of(suite), key.exists()) == ("sealed", False)
    runs.carry_out(run.id)
    with scoped(SYSTEM):
        found = Run.objects.get(id=run.id)
        events = list(LedgerEntry.objects.filter(object_id=row.id).values_list("event", flat=True))
    assert (found.state, "is sealed" in found.error) == ("failed", True)
    assert events == [
        "bench:suite:taken",
        "custody:second:proposed",
        "bench:suite:unsealed",
        "custody:second:done",
        "bench:suite:resealed",
    ]
    with pytest.raises(Refused, match="is sealed"):
        unsealing.take_back(ben, row.id)


def test_who_is_a_keyholder_at_an_unsealing_has_a_share_of_the_next(
    office: Fixture, certified: Certified
) -> None:
    suite, made = certified
    holders = two_holders(office)
    row = take_suite(holders[0][0], suite, made, seed=0)
    late = two_holders(office, ("Cy",))
    with pytest.raises(Refused, match="no share"):
        unsealing.ask_unsealing(late[0][0], row.id, late[0][1], "")
    lost, ben = holders
    anew = (lost[0], keyholders.become(lost[0]))
    with pytest.raises(BadInput, match="not your keyholder's code"):
        unsealing.ask_unsealing(anew[0], row.id, anew[1], "")
    unseal(row, [lost, ben])
    unsealing.take_back(ben[0], row.id)
    unseal(row, [anew, late[0]])
    assert state_of(suite) == "unsealed"


def test_proposals_that_end_otherwise_forget_the_share(
    office: Fixture, certified: Certified
) -> None:
    suite, made = certified
    (ada, code), _ = two_holders(office)
    row = take_suite(ada, suite, made, seed=0)
    asked = unsealing.ask_unsealing(ada, row.id, code, "")
    two_person.take_back(ada, asked.id)
    assert arguments(asked.id) == {}
    asked = unsealing.ask_unsealing(ada, row.id, code, "")
    office.clock.time = asked.lapses_at
    two_person.lapse(asked.id)
    assert (arguments(asked.id), state_of(suite)) == ({}, "sealed")


def test_who_may(office: Fixture, certified: Certified) -> None:
    suite, made = certified
    holders = two_holders(office)
    row = take_suite(holders[0][0], suite, made, seed=0)
    auditor = office.person("auditor")
    other = office.person("evaluator", office.organisation("Other Office", "office").id)
    for act in (
        lambda who: keyholders.become(who),
        lambda who: unsealing.ask_unsealing(who, row.id, holders[0][1], ""),
        lambda who: unsealing.take_back(who, row.id),
    ):
        with pytest.raises(Forbidden):
            act(auditor)
        with pytest.raises(NotFound):
            act(other)


def test_after_a_kill_no_key_and_no_open_item_stays(office: Fixture, certified: Certified) -> None:
    suite, made = certified
    holders = two_holders(office)
    row = take_suite(holders[0][0], suite, made, seed=0)
    unseal(row, holders)
    with scoped(SYSTEM):
        row.refresh_from_db()
        row.state = "sealed"
        row.save()
    left = places()[0] / f"{PREFIX}left-by-a-kill"
    left.mkdir()
    unsealing.tidy()
    assert not left.exists()
    assert not vault.key_file(row.id).exists()
