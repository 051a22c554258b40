"""A delegate acts for operators within their mandates, and not one step beyond."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from tests.services.advisories import sbom
from tests.services.mandated import (
    ALL,
    BASIS,
    DAY,
    KEEP,
    READ,
    World,
    seen,
    seen_by_the_database,
)
from tests.services.operators import events

from vedette.clearinghouse.mandates import MandateState
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.services import answers, delegates, inventories, mandates, notices, onboarding
from vedette.services.acting import reading
from vedette.services.testing import START, Fixture
from vedette.store.models import MandateReach, Notice, Organisation
from vedette.store.tenancy import SYSTEM, NoScope, Scope, scoped


@pytest.fixture
def world(clearinghouse: Fixture) -> World:
    return World(clearinghouse)


def test_one_inbox_over_the_operators_that_mandated(world: World) -> None:
    (oak, elm), (isac, other) = world.operators, world.delegates
    assert seen(isac) == set()
    world.mandate(oak, isac)
    world.mandate(elm, isac, sites=["plant"])
    assert seen(isac) == {n.id for n in world.notices[:3]}
    assert seen(other) == set()
    assert [(o.name, o.open) for o in delegates.operators(isac)] == [
        ("Elm Utility", 1),
        ("Oak Utility", 2),
    ]
    with reading(isac):
        only = delegates.delegated_notices(isac, operator=elm.org, only_open=True)
        assert [row.id for row in only] == [world.notices[2].id]
        assert len(delegates.delegated_notices(isac, text="plant", grouped=True)) == 2


def test_an_answer_says_who_gave_it_for_whom_under_what(world: World) -> None:
    (oak, elm), (isac, _) = world.operators, world.delegates
    first, second = world.mandate(oak, isac), world.mandate(elm, isac)
    ids = [n.id for n in world.notices]
    made = delegates.answer_several(isac, ids, "deferred", "split network", world.now + DAY)
    assert (len(made.notices), made.refused) == (4, ())
    mine = notices.notice_view(oak, ids[0])
    assert mine["answered_by"] == f"a delegate of WaterISAC, for Oak Utility under {first.id}"
    assert mine["mandate"] == first.id
    assert ("operator:notice:answered", "delegate") in {
        (each["event"], each["role"]) for each in mine["history"]
    }
    assert notices.notice_view(elm, ids[2])["mandate"] == second.id
    told = answers.answers_for(world.house.person("coordinator"), world.notices[0].advisory)
    assert {o["operator"]: o["through"] for o in told["operators"]} == {
        "Elm Utility": [],
        "Oak Utility": ["WaterISAC"],
    }
    undone = delegates.undo(isac, made.batch)
    assert (sorted(undone.notices), undone.refused) == (sorted(ids), ())
    after = notices.notice_view(oak, ids[0])
    assert (after["state"], after["answered_by"], after["mandate"]) == ("unanswered", "", "")


def test_a_delegate_undoes_only_what_its_own_people_answered(world: World) -> None:
    (oak, _), (isac, other) = world.operators, world.delegates
    world.mandate(oak, isac)
    world.mandate(oak, other)
    first = world.notices[0].id
    own = notices.answer_notice(oak, first, "not-affected", batch="batch-own")
    with pytest.raises(NotFound):
        delegates.undo(isac, own.batch)
    theirs = delegates.answer_several(other, [first], "patched")
    with pytest.raises(NotFound):
        delegates.undo(isac, theirs.batch)
    assert notices.notice_view(oak, first)["state"] == "patched"


def test_when_it_ends_nothing_more_is_read(world: World) -> None:
    (oak, _), (isac, _) = world.operators, world.delegates
    made, first = world.mandate(oak, isac), world.notices[0].id
    assert delegates.notice_view(isac, first)["operator"]["name"] == "Oak Utility"
    mandates.end_mandate(oak, made.id)
    for attempt in (
        lambda: delegates.notice_view(isac, first),
        lambda: delegates.answer_several(isac, [first], "patched"),
        lambda: delegates.take_inventory(isac, oak.org, "plant", sbom("pkg:pypi/a@1")),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert (seen(isac), delegates.kept_inventories(isac)) == (set(), [])
    assert mandates.mandate(isac, made.id)["state"] == MandateState.ENDED
    assert events(made.id) == [
        "operator:mandate:offered",
        "operator:mandate:begun",
        "operator:mandate:ended",
    ]


def test_it_covers_nothing_past_its_end_though_no_job_ran(world: World) -> None:
    (oak, _), (isac, _) = world.operators, world.delegates
    made = world.mandate(oak, isac, days=2)
    world.at(START + 2 * DAY)
    assert seen(isac) == set()
    assert mandates.mandate(isac, made.id)["state"] == MandateState.EXPIRED
    with pytest.raises(Refused):
        mandates.end_mandate(oak, made.id)
    mandates.expire_mandate(made.id)
    mandates.expire_mandate(made.id)
    with scoped(SYSTEM):
        assert not MandateReach.objects.exists()
    assert events(made.id)[-1] == "operator:mandate:expired"


def test_it_covers_nothing_before_its_start(world: World) -> None:
    (oak, _), (isac, _) = world.operators, world.delegates
    made = mandates.make_mandate(
        isac, "Oak Utility", ALL, BASIS, START + 9 * DAY, starts=START + DAY
    )
    mandates.accept_mandate(oak, made.id)
    assert seen(isac) == set()
    world.at(START + DAY)
    assert len(seen(isac)) == 2


def test_reading_is_not_answering_and_keeping_is_not_reading(world: World) -> None:
    (oak, elm), (isac, _) = world.operators, world.delegates
    world.mandate(oak, isac, [READ])
    world.mandate(elm, isac, [KEEP])
    assert seen(isac) == {n.id for n in world.notices[:2]}
    first = world.notices[0].id
    assert delegates.notice_view(isac, first)["answers"] == []
    made = delegates.answer_several(isac, [first], "patched")
    assert (made.notices, [type(e) for _, e in made.refused]) == ((), [Refused])
    with pytest.raises(Refused):
        delegates.take_inventory(isac, oak.org, "plant", sbom("pkg:pypi/a@1"))
    row = delegates.take_inventory(isac, elm.org, "new", sbom("pkg:pypi/a@1"))
    assert next(r["name"] for r in inventories.inventories(elm)) == "new"
    assert row.org_id == elm.org
    assert {r["operator"]["name"] for r in delegates.kept_inventories(isac)} == {
        "Oak Utility",
        "Elm Utility",
    }


def test_a_site_is_a_site(world: World) -> None:
    (oak, _), (isac, _) = world.operators, world.delegates
    world.mandate(oak, isac, sites=["plant"])
    delegates.take_inventory(isac, oak.org, "plant", sbom("pkg:pypi/a@1"))
    with pytest.raises(NotFound):
        delegates.take_inventory(isac, oak.org, "office", sbom("pkg:pypi/a@1"))
    with pytest.raises(NotFound):
        delegates.answer_several(isac, [world.notices[1].id], "patched")


def test_the_store_refuses_what_a_service_would_forget(world: World) -> None:
    (oak, _), (isac, _) = world.operators, world.delegates
    world.mandate(oak, isac, [READ])
    with scoped(isac.scope):
        row = Notice.objects.get(id=world.notices[0].id)
        with pytest.raises(NoScope):
            row.save()
    with scoped(Scope(isac.org)):
        assert not Notice.objects.exists(), "a scope without an hour has no mandate"


def test_strangers_and_readers(world: World) -> None:
    (oak, elm), (isac, other) = world.operators, world.delegates
    made = world.mandate(oak, isac)
    for stranger in (elm, other, world.house.person("coordinator")):
        for call in (mandates.mandate, mandates.accept_mandate, mandates.end_mandate):
            with pytest.raises((NotFound, Forbidden)):
                call(stranger, made.id)
    reader = world.house.person("reader", isac.org)
    assert len(seen(reader)) == 2
    for attempt in (
        lambda: delegates.answer_several(reader, [world.notices[0].id], "patched"),
        lambda: mandates.end_mandate(reader, made.id),
        lambda: mandates.make_mandate(reader, elm.org, ALL, BASIS, START + DAY),
    ):
        with pytest.raises(Forbidden):
            attempt()
    with pytest.raises(NotFound):
        mandates.make_mandate(oak, elm.org, ALL, BASIS, START + DAY)
    with pytest.raises(NotFound):
        mandates.make_mandate(isac, "No Such Utility", ALL, BASIS, START + DAY)
    with pytest.raises(Refused):
        mandates.accept_mandate(
            oak, mandates.make_mandate(oak, isac.org, ALL, BASIS, START + DAY).id
        )


def test_the_basis_is_kept_verbatim(world: World) -> None:
    made = world.mandate(world.operators[0], world.delegates[0])
    assert mandates.mandate(world.operators[0], made.id)["basis"] == BASIS


def test_forty_utilities_and_their_inventories_in_one_go(world: World) -> None:
    isac = world.delegates[0]
    text = "Name,Email,Sector\n" + "\n".join(f"Town {n},w{n}@town.example,water" for n in range(40))
    rows = onboarding.read_rows(text)
    lines = onboarding.register_operators(isac, rows, ALL, BASIS, START + 300 * DAY)
    assert [line.said for line in lines] == ["registered"] * 40
    again = onboarding.register_operators(isac, rows[:1], ALL, BASIS, START + 300 * DAY)
    assert (again[0].done, again[0].id) == (True, lines[0].id)
    taken = onboarding.register_operators(
        isac, [onboarding.Row("oak utility")], ALL, BASIS, START + DAY
    )
    assert (taken[0].done, taken[0].id) == (False, "")
    files = [(f"Town {n}.json", sbom(f"pkg:pypi/a@{n}")) for n in range(40)]
    files += [("Town 1__Plant 2.csv", b"vendor,product,version\nA,B,1\n")]
    files += [("Oak Utility.json", sbom("pkg:pypi/a@1")), ("Town 2.json", b"{")]
    kept = onboarding.take_files(isac, files)
    assert [line.done for line in kept] == [True] * 41 + [False] * 2
    names = {(r["operator"]["name"], r["name"]) for r in delegates.kept_inventories(isac)}
    assert len(names) == 41
    assert ("Town 1", "Plant 2") in names
    operator = world.house.person("operator", lines[0].id)
    [mandate] = mandates.mandates(operator)
    assert (mandate["state"], mandate["moves"], mandate["registered"]) == (
        MandateState.IN_FORCE,
        ["end"],
        True,
    )
    with scoped(SYSTEM):
        assert Organisation.objects.get(id=lines[0].id).email == "w0@town.example"


@pytest.mark.parametrize(
    "text", ["", "name,email\n,a@b.example", "name,email\nTown,nobody", "x" * 201, "a\n" * 201]
)
def test_what_is_no_list_of_operators_is_told(text: str) -> None:
    with pytest.raises(BadInput, match=r"^operators: "):
        onboarding.read_rows(text)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="row-level security is PostgreSQL's")
def test_the_database_holds_a_delegate_without_the_managers(world: World) -> None:
    (oak, _), (isac, other) = world.operators, world.delegates
    world.mandate(oak, isac, [READ])
    assert seen_by_the_database(isac) == {n.id for n in world.notices[:2]}
    assert seen_by_the_database(other) == set()
    with scoped(isac.scope), connection.cursor() as cursor:
        cursor.execute("UPDATE store_notice SET title = 'x'")
        assert cursor.rowcount == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            cursor.execute(
                "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT * FROM store_inventory LIMIT 1;"
                " UPDATE t SET id = 'inventory-x', current = false;"
                " INSERT INTO store_inventory SELECT * FROM t"
            )
        cursor.execute("SELECT count(*) FROM store_operatoranswer")
        assert cursor.fetchone() == (0,)
