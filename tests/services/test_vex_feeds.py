"""VEX that came with feeds: honoured by choice, attributed to its author, and ended like any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.services.advisories import CVE, osv
from tests.services.operators import OLD, events, hosted, take
from tests.services.running import run_jobs
from tests.services.test_vex import csaf, openvex

from vedette.kernel.errors import Forbidden, NotFound
from vedette.services import feeds, notices, vex, vex_feeds
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import HonouredFeed, VexDocument
from vedette.store.tenancy import SYSTEM, scoped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two sources: a database, and what a maker states of its product."""
    for name, file, data in (
        ("osv", "PYSEC-1.json", json.dumps(osv("PYSEC-1", "5.2.0", aliases=(CVE,))).encode()),
        ("maker", "ujson.json", openvex()),
    ):
        (tmp_path / "feeds" / name).mkdir(parents=True)
        (tmp_path / "feeds" / name / file).write_bytes(data)
    return tmp_path / "feeds"


def bring(host: Actor, folder: Path) -> feeds.Taken:
    taken = feeds.take_feeds(host, folder)
    run_jobs()
    return taken


def reasons(actor: Actor) -> list[str]:
    return [row["reason"] for row in vex.suppressed(actor)]


def found(actor: Actor) -> list[str]:
    return [row["advisory"] for row in notices.notices(actor) if row["verdict"] != "unaffected"]


def test_an_operator_that_takes_a_feed_in_honours_it(operator: Fixture, folder: Path) -> None:
    actor = operator.person("operator")
    take(actor, OLD)
    assert (bring(actor, folder).vex, found(actor)) == (1, [])
    [reason] = reasons(actor)
    assert "maker/ujson.json by Lake Water, from the feed maker" in reason
    assert "We never decode." in reason
    assert vex.documents(actor) == [], "those handed in are listed apart"
    [feed] = vex_feeds.feeds(actor)
    assert (feed["feed"], feed["authors"], feed["honoured"]) == ("maker", ["Lake Water"], True)
    again = bring(actor, folder)
    assert (again.vex, again.already_known) == (0, 2)
    vex_feeds.honour(actor, "maker", honoured=False)
    run_jobs()
    assert (found(actor), reasons(actor)) == (["PYSEC-1"], [])
    (folder / "maker" / "ujson.json").write_bytes(openvex("fixed"))
    assert bring(actor, folder).vex == 1
    assert found(actor) == ["PYSEC-1"], "its word stands, whatever comes in later"
    with scoped(SYSTEM):
        assert VexDocument.objects.filter(withdrawn_at=None).count() == 1
        said = HonouredFeed.objects.get().id
    assert events(said) == ["operator:vex:honoured", "operator:vex:withdrawn"]


def test_on_a_clearinghouse_each_operator_chooses(clearinghouse: Fixture, folder: Path) -> None:
    lake, river = hosted(clearinghouse, "Lake"), hosted(clearinghouse, "River")
    for actor in (lake, river):
        take(actor, OLD)
    bring(clearinghouse.person("coordinator"), folder)
    assert (found(lake), found(river)) == (["PYSEC-1"], ["PYSEC-1"]), "nobody chose for them"
    assert [each["honoured"] for each in vex_feeds.feeds(river)] == [False]
    vex_feeds.honour(lake, "maker")
    run_jobs()
    assert (found(lake), found(river)) == ([], ["PYSEC-1"])
    [suppressed] = vex.suppressed(lake)
    assert vex.suppressed(river) == []
    vex.lift(lake, suppressed["id"])
    run_jobs()
    assert found(lake) == ["PYSEC-1"], "one match is lifted, as with what was handed in"
    vex.lift(lake, suppressed["id"], lifted=False)
    run_jobs()
    (folder / "maker" / "ujson.json").write_bytes(openvex("under_investigation"))
    bring(clearinghouse.person("coordinator"), folder)
    assert (found(lake), reasons(lake)) == (["PYSEC-1"], []), (
        "a newer word takes the earlier one's place for whoever honours it"
    )
    with pytest.raises(NotFound):
        vex_feeds.honour(river, "no such feed")
    with pytest.raises(Forbidden):
        vex_feeds.honour(clearinghouse.person("reader", river.org), "maker")
    with pytest.raises(NotFound):
        vex.withdraw_vex(lake, _document())


def _document() -> str:
    with scoped(SYSTEM):
        return str(VexDocument.objects.get(withdrawn_at=None).id)


def test_a_csaf_vex_is_a_record_as_well(operator: Fixture, folder: Path) -> None:
    actor = operator.person("operator")
    (folder / "maker" / "ujson.json").write_bytes(csaf())
    taken = bring(actor, folder)
    assert (taken.vex, taken.accepted, taken.advisories) == (1, 2, 2)
    take(actor, OLD)
    assert found(actor) == []
    assert bring(actor, folder).already_known == 2


def test_a_new_record_is_matched_with_what_is_stated(operator: Fixture, folder: Path) -> None:
    actor = operator.person("operator")
    (folder / "osv" / "PYSEC-1.json").unlink()
    take(actor, OLD)
    bring(actor, folder)
    (folder / "osv" / "a.json").write_text(json.dumps(osv("PYSEC-1", "5.2.0", aliases=(CVE,))))
    (folder / "osv" / "b.json").write_text(json.dumps(osv("PYSEC-2", "5.2.0")))
    bring(actor, folder)
    assert found(actor) == ["PYSEC-2"]
    assert len(reasons(actor)) == 1
