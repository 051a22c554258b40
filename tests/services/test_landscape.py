"""The landscape of an instance: shared assessments alone, and of them what its reader dominates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from tests.bench.runs import ITEMS, NOW, result
from tests.services.flow import LabStory, OfficeStory, act_of
from tests.web.visitors import visitor

from vedette.bench.assessment import assess
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.ids import new_id
from vedette.kernel.markings import AMBER
from vedette.services import landscape as service
from vedette.services.acting import Actor, instance_actor
from vedette.services.testing import Fixture
from vedette.store.models import Assessment
from vedette.store.tenancy import SYSTEM, scoped

DOMAINS = dict.fromkeys(ITEMS, "discovery")


class Shared:
    """An office with two labs: one has a shared assessment, one has an unshared one."""

    def __init__(self, office: Fixture) -> None:
        self.office = office
        self.known = OfficeStory.start(office)
        self.keep(self.known, "orion-1", shared=True)
        lab = office.peer("Hidden Works", self.known.lab.profile)
        self.hidden = replace(self.known, lab=lab)
        self.keep(self.hidden, "vega-9", shared=False)

    def keep(
        self, story: OfficeStory, model: str, *, shared: bool, marking: str = "TLP:AMBER"
    ) -> Assessment:
        act_id = story.offer()
        run = result({model: [1, 1, 0, 1], "null": [0] * 4})
        document = assess(run, markings=[AMBER], now=NOW, domains=DOMAINS).to_json()
        with scoped(SYSTEM):
            act = act_of(act_id)
            row = Assessment(
                id=new_id("assessment"),
                org_id=act.org_id,
                act=act,
                document=document,
                digest=digest(canonical(document)),
                marking=marking,
                made_by="Eve",
                made_at=self.office.clock.now(),
                shared_at=self.office.clock.now() if shared else None,
            )
            row.save(force_insert=True)
        return row


@pytest.fixture
def shared(office: Fixture) -> Shared:
    return Shared(office)


def names(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(e["model"], e["lab"]) for part in found["domains"] for e in part["entries"]}


def reader(shared: Shared, clearance: str = "TLP:RED") -> Actor:
    return replace(shared.office.person("reviewing-officer"), clearance=clearance)


def test_only_what_was_shared_is_in_it(shared: Shared) -> None:
    found, markings = service.landscape(reader(shared))
    assert names(found) == {("orion-1", "Lab")}
    assert found["assessments"] == 1
    assert markings == ["TLP:AMBER"]
    assert {part["domain"] for part in found["domains"]} == {"all domains", "discovery"}
    assert "Hidden" not in repr(found)
    assert "vega" not in repr(found)
    assert service.landscape(instance_actor())[0] == found


def test_what_its_reader_does_not_dominate_is_in_no_row_count_or_gap(shared: Shared) -> None:
    shared.keep(shared.hidden, "lyra-4", shared=True, marking="TLP:RED")
    assert names(service.landscape(reader(shared))[0]) == {
        ("orion-1", "Lab"),
        ("lyra-4", "Hidden Works"),
    }
    below = service.landscape(reader(shared, "TLP:AMBER"))[0]
    assert names(below) == {("orion-1", "Lab")}
    assert below["assessments"] == 1
    nothing = service.landscape(reader(shared, "TLP:GREEN"))[0]
    assert (nothing["domains"], nothing["gaps"], nothing["assessments"]) == ([], [], 0)


def test_page_and_api_say_the_same_and_no_name_without_an_assessment(shared: Shared) -> None:
    client = visitor(shared.office, "reviewing-officer")
    page = client.get("/landscape/").content.decode()
    assert "orion-1, Lab" in page
    assert "Hidden" not in page
    assert "vega" not in page
    assert client.post("/landscape/").status_code == 405
    assert Client().get("/landscape/").status_code == 302


def test_an_empty_one_says_nothing_of_who_is_absent(office: Fixture) -> None:
    OfficeStory.start(office).offer()
    page = visitor(office, "reviewing-officer").get("/landscape/").content.decode()
    assert "Nothing is shared yet" in page
    assert "orion" not in page.split("<main")[1]


def test_a_lab_sees_its_own_models_alone(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    document = assess(result({"orion-1": [1, 0, 0, 1]}), markings=[AMBER], now=NOW).releasable()
    body = {"assessment": new_id("assessment"), "act": act_id, "document": document}
    story.office.send(
        "assessment.shared", {**body, "digest": digest(canonical(document))}, thread=act_id
    )
    found, _ = service.landscape(lab.person("release-lead"))
    assert names(found) == {("orion-1", lab.here.name)}


def test_another_tenant_reads_none_of_it(shared: Shared) -> None:
    other = shared.office.organisation("Other Office", "office")
    stranger = shared.office.person("reviewing-officer", other.id)
    assert names(service.landscape(stranger)[0]) == set()
