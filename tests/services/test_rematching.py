"""A change of the index, matched against what it can touch: as a match of everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.services.advisories import osv
from tests.services.operators import events, hosted, house, take
from tests.services.running import run_jobs

from vedette.formats import osv_in
from vedette.kernel.events import Event
from vedette.kernel.permissions import Profile
from vedette.matching import changes
from vedette.matching.building import build as build_index
from vedette.matching.model import Advisory
from vedette.services import index, inventories, jobs, matches, notices, vex
from vedette.services.acting import Actor, act, instance_actor
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import HeldName, Inventory, LedgerEntry, NoticeName, Peer
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["house"]

PACKAGES = ("one", "two", "three")
CVES = ("CVE-2026-1", "CVE-2026-2", "CVE-2026-3")
IDS = ("x_a", "x_b", "x_c", "x_d", "x_e")
VERSIONS = ("1", "2", "3")


@st.composite
def records(draw: Any, name: str) -> Advisory:
    affected = draw(st.lists(st.sampled_from(PACKAGES), min_size=1, max_size=2, unique=True))
    document = {
        "id": name,
        "modified": f"2026-01-0{draw(st.integers(1, 3))}T00:00:00Z",
        "aliases": draw(st.lists(st.sampled_from(CVES), max_size=2, unique=True)),
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "ranges": [
                    {
                        "type": "ECOSYSTEM",
                        "events": [
                            {"introduced": "0"},
                            {"fixed": draw(st.sampled_from(VERSIONS))},
                        ],
                    }
                ],
            }
            for package in affected
        ],
    }
    corrects = draw(st.lists(st.sampled_from((*IDS, *CVES)), max_size=1))
    facts = draw(st.sampled_from(((), ("kev=yes",), ("automatable=no", "impact=partial"))))
    record = osv_in.read(document, name)
    return replace(record, corrects=tuple(c for c in corrects if c != name), facts=facts)


def listed(parts: Sequence[tuple[str, str, int]], stated: str) -> bytes:
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [
            {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name}@{version}",
            }
            | {"bom-ref": f"c{reference}"}
            for name, version, reference in parts
        ],
    }
    if stated:
        document["vulnerabilities"] = [
            {"id": stated, "analysis": {"state": "not_affected"}, "affects": [{"ref": "c0"}]}
        ]
    return json.dumps(document).encode()


parts = st.lists(
    st.tuples(st.sampled_from(PACKAGES), st.sampled_from(("1", "2", "")), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)
steps = st.one_of(
    st.tuples(st.just("record"), st.sampled_from(IDS).flatmap(lambda name: records(name))),
    st.tuples(st.just("record"), st.sampled_from(IDS).flatmap(lambda name: records(name))),
    st.tuples(st.just("withdraw"), st.sampled_from(IDS)),
    st.tuples(st.just("inventory"), st.tuples(parts, st.sampled_from(("", *CVES)))),
    st.tuples(st.just("patch"), st.integers(0, 5)),
)


def put(records: Sequence[Advisory]) -> None:
    """Make an index of these records the newest here."""
    data = build_index(records)
    with act(instance_actor(), None) as doing:
        index.keep(doing, data, None, len(records), doing.now)


def said(actor: Actor) -> list[dict[str, Any]]:
    """What the notices say, without what tells two organisations apart."""
    found = []
    for one in notices.notices(actor):
        view = notices.notice_view(actor, one["id"])
        for name in ("id", "history", "rank", "answered_by"):
            view.pop(name)
        evidence = json.dumps(view.pop("evidence")).partition('"inventory"')[0]
        view["inventory"] = view["inventory"]["name"]
        with scoped(SYSTEM):
            names = NoticeName.objects.filter(notice_id=one["id"]).values_list("name", flat=True)
            found.append({**view, "evidence": evidence, "names": sorted(names)})
    for row in vex.suppressed(actor):
        found.append({**row, "id": ""})
    return sorted(found, key=lambda view: json.dumps(view, sort_keys=True))


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.tuples(parts, st.sampled_from(("", *CVES))), st.lists(steps, min_size=1, max_size=6))
def test_what_changed_says_what_a_match_of_everything_says(
    house: Fixture, first: Any, moves: list[tuple[str, Any]]
) -> None:
    with transaction.atomic():
        quick, whole = hosted(house, "Quick"), hosted(house, "Whole")
        known: dict[str, Advisory] = {}
        put([])
        for actor in (quick, whole):
            inventories.take_inventory(actor, "plant", listed(*first))
        run_jobs()
        for kind, what in moves:
            house.clock.time += timedelta(hours=1)
            if kind == "inventory":
                for actor in (quick, whole):
                    inventories.take_inventory(actor, "plant", listed(*what))
                run_jobs()
            elif kind == "patch":
                for actor in (quick, whole):
                    waiting = [n for n in notices.notices(actor) if n["state"] == "unanswered"]
                    waiting.sort(key=lambda n: (n["advisory"], n["sent_at"]))
                    for one in waiting[what : what + 1]:
                        notices.answer_notice(actor, one["id"], "patched")
            else:
                if kind == "withdraw":
                    known.pop(what, None)
                else:
                    known[what.id] = what
                put(list(known.values()))
                matches.match_inventories(org=whole.org)
                run_jobs()
            assert said(quick) == said(whole)
        transaction.set_rollback(True)


def made(
    name: str, fixed: str, *aliases: str, corrects: str = "", package: str = "one"
) -> Advisory:
    record = osv_in.read(osv(name, fixed, package=package, aliases=aliases), name)
    return replace(record, corrects=(corrects,) if corrects else ())


def touched(known: Sequence[Advisory], new: Sequence[Advisory]) -> list[str]:
    """The inventories that a change from one index to another puts to a match, by name."""
    put(known)
    run_jobs()
    put(new)
    with scoped(SYSTEM):
        before = set(LedgerEntry.objects.values_list("pk", flat=True))
        run_jobs()
        rows = LedgerEntry.objects.exclude(pk__in=before).filter(
            event=Event.OPERATOR_MATCH_FINISHED
        )
        ids = rows.values_list("object_id", flat=True)
        return sorted(Inventory.objects.filter(pk__in=ids).values_list("name", flat=True))


def test_a_record_that_a_correction_took_away_is_found_when_that_is_withdrawn(
    house: Fixture,
) -> None:
    actor = hosted(house)
    record = made("x_a", "3", "CVE-2026-1", "CVE-2026-2")
    correction = made("x_b", "1", corrects="CVE-2026-1")
    take(actor, "pkg:pypi/one@2")
    put([record, correction])
    run_jobs()
    assert said(actor) == []
    put([record])
    run_jobs()
    assert [notice["advisory"] for notice in said(actor)] == ["x_a"]


def test_an_advisory_touches_only_the_inventories_that_it_can_match(house: Fixture) -> None:
    actor, other = hosted(house), hosted(house, "Other")
    take(actor, "pkg:pypi/one@1", name="a")
    take(actor, "pkg:pypi/two@1", name="b")
    take(other, "pkg:pypi/one@5", "pkg:pypi/two@5", name="c")
    known = [made("x_a", "2"), made("x_b", "2", package="two")]
    assert touched([], known) == ["a", "b"], "c holds the names in versions that are not affected"
    new = [*known, made("x_c", "3", "CVE-2026-1", package="two")]
    assert touched(known, new) == ["b"]
    assert touched(new, [known[0], new[2]]) == ["b"]
    assert touched(new, new) == []
    assert [n["advisory"] for n in said(actor)] == ["x_a", "x_b", "x_c"]
    with scoped(SYSTEM):
        assert Inventory.objects.filter(current=True).values("matched_with").distinct().count() == 1


def test_a_newer_revision_is_no_new_match_where_the_remedy_stays(house: Fixture) -> None:
    actor = hosted(house)
    take(actor, "pkg:pypi/one@1")
    put([made("x_a", "2")])
    run_jobs()
    (before,) = notices.notices(actor)
    notices.answer_notice(actor, before["id"], "patched")
    (before,) = notices.notices(actor)
    revised = replace(made("x_a", "2"), modified="2026-05-05T00:00:00Z", summary="new words")
    put([revised])
    run_jobs()
    (after,) = notices.notices(actor)
    assert after == {**before, "title": "new words"}
    assert events(before["id"]).count("operator:notice:received") == 1
    put([made("x_a", "3")])
    run_jobs()
    (again,) = notices.notices(actor)
    assert (again["id"], again["state"]) == (before["id"], "unanswered")


def test_a_name_in_too_many_readings_is_matched_whole(house: Fixture) -> None:
    actor = hosted(house)
    inventories.take_inventory(
        actor, "plant", listed([("one", str(n), 1) for n in range(changes.MOST_ALIKE + 1)], "")
    )
    put([])
    run_jobs()
    with scoped(SYSTEM):
        assert not HeldName.objects.exists()
    put([made("x_a", "3")])
    run_jobs()
    assert [notice["advisory"] for notice in said(actor)] == ["x_a"]


def test_a_newer_taking_takes_the_place_of_the_names(house: Fixture) -> None:
    actor = hosted(house)
    take(actor, "pkg:pypi/one@1", "pkg:pypi/two@1")
    second = take(actor, "pkg:pypi/two@1")
    with scoped(SYSTEM):
        assert [row.inventory_id for row in HeldName.objects.all()] == [second.id]
    with scoped(hosted(house, "Other").scope):
        assert not HeldName.objects.exists()
    with scoped(house.person("administrator").scope):
        assert not HeldName.objects.exists(), "the host reads nothing of it"


def test_everything_is_matched_every_night(house: Fixture) -> None:
    actor = hosted(house)
    put([made("x_a", "3")])
    take(actor, "pkg:pypi/one@1")
    with scoped(SYSTEM):
        HeldName.objects.all().delete()
    put([made("x_a", "3"), made("x_b", "3")])
    run_jobs()
    assert len(said(actor)) == 1, "the names are gone: what is new can't be seen to touch it"
    for days in (1, 2):
        house.clock.time += timedelta(days=1)
        assert jobs.tick() == 1, days
        run_jobs()
    assert [notice["advisory"] for notice in said(actor)] == ["x_a", "x_b"]


def test_a_changed_reading_of_another_clearinghouse_counts(operator: Fixture) -> None:
    first = operator.peer("First", Profile.CLEARINGHOUSE)
    second = operator.peer("Second", Profile.CLEARINGHOUSE)
    actor = operator.person("operator")
    take(actor, "pkg:pypi/one@1", "pkg:pypi/two@1")
    newer = replace(made("x_a", "3", package="two"), modified="2026-09-09T00:00:00Z")

    def pulled(house: FakePeer, records: Sequence[Advisory]) -> list[tuple[str, str]]:
        with scoped(SYSTEM):
            peer = Peer.objects.get(keyid=house.keys.public.keyid)
        data = build_index(records)
        with act(instance_actor(), None) as doing:
            index.keep(doing, data, peer, len(records), doing.now)
        run_jobs()
        found = [n for n in notices.notices(actor) if n["verdict"] == "affected"]
        return [(n["advisory"], n["component"]["name"]) for n in found]

    assert pulled(first, [made("x_a", "3")]) == [("x_a", "one")]
    assert pulled(second, [newer]) == [("x_a", "two")]
    assert pulled(second, []) == [("x_a", "one")]
