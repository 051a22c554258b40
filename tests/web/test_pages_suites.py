"""Pages of suites: become a keyholder, unseal by two, see the exposures, seal again."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.test import Client
from tests.web.visitors import read, send, stranger, visitor

from vedette.runner.scaffold import new_suite
from vedette.services import exposures, runs
from vedette.services.acting import act, instance_actor
from vedette.services.suites import take_suite
from vedette.services.testing import Fixture
from vedette.store.models import Run, Seconding
from vedette.store.tenancy import SYSTEM, scoped


def code_of(client: Client) -> str:
    """Become a keyholder on the page; the code that it shows."""
    page = client.post("/suites/keyholder/")
    assert "no-store" in page.headers["Cache-Control"]
    found = re.search(r"[2-9a-z]{9}-[2-9a-z]{9}-[2-9a-z]{9}", page.content.decode())
    assert found
    return found[0]


def test_two_unseal_a_suite_and_its_exposures_are_read(office: Fixture, tmp_path: Path) -> None:
    evaluator = visitor(office, "evaluator")
    officer = visitor(office, "reviewing-officer")
    assert "No suite of your own yet" in read(evaluator, "/suites/")
    codes = [code_of(client) for client in (evaluator, officer)]
    assert "No suite of your own yet" in read(evaluator, "/suites/")
    suite = new_suite(tmp_path / "own")
    tried: Any = SimpleNamespace(item="example", holds=True, to_json=dict)
    row = take_suite(instance_actor(), suite, [tried], seed=0)
    at = f"/suites/{row.id}/"
    assert "two keyholders unseal it" in read(evaluator, at)
    wrong = evaluator.post(f"{at}unseal/", {"code": codes[1], "why": ""})
    assert (wrong.status_code, codes[1] in wrong.content.decode()) == (422, False)
    send(evaluator, f"{at}unseal/", code=codes[0], why="for a run")
    with scoped(SYSTEM):
        asked = Seconding.objects.get()
    assert f"/seconds/{asked.id}/code/" in read(officer, "/seconds/")
    waiting = read(officer, at)
    assert "Proposed to be unsealed" in waiting
    assert f"{at}unseal/" not in waiting
    assert "Become a keyholder anew" in read(officer, "/suites/")
    send(officer, f"/seconds/{asked.id}/code/", code=codes[1])
    assert "Seal it again" in read(officer, at)
    chosen = {"suite": suite.name, "references": "null", "seed": 0, "trials": 1}
    cost = evaluator.post("/runs/new/plan/", chosen).content.decode()
    assert "Exposures an item" in cost
    assert "1 here" in cost
    assert (
        "Trials an item"
        in evaluator.post("/runs/new/plan/", {**chosen, "trials": 0}).content.decode()
    )
    planned = evaluator.post("/runs/new/", {**chosen, "step": "plan"})
    assert (planned.status_code, "Exposures an item" in planned.content.decode()) == (200, True)
    with scoped(SYSTEM):
        assert not Run.objects.exists(), "planned, not started"
    assert visitor(office, "auditor").post("/runs/new/plan/", chosen).status_code == 403
    run = runs.start_run(instance_actor(), suite.name, references=["null"])
    begun = runs._begin(run.id)
    assert begun is not None
    with act(instance_actor(), None) as doing:
        exposures.record(doing, begun)
    for url in ("/suites/", at, f"{at}?item=1&custody=here", "/runs/new/"):
        page = read(evaluator, url)
        assert suite.items[0].title not in page
    assert "1 item, each with 3 exposures or more left" in read(officer, at)
    rows = list(csv.DictReader(io.StringIO(read(officer, f"{at}exposures.csv"))))
    assert [(r["item"], r["custody"], r["run"]) for r in rows] == [("1", "here", run.id)]
    assert not list(csv.DictReader(io.StringIO(read(officer, f"{at}exposures.csv?item=2"))))
    send(officer, f"{at}disclose/", run=run.id, item="example", why="found elsewhere")
    send(evaluator, f"{at}seal/")
    assert "Unseal it" in read(officer, at)
    assert visitor(office, "auditor").get(at).status_code == 403
    assert evaluator.post(f"{at}disclose/").status_code == 403
    assert visitor(office, "auditor").post(f"{at}seal/").status_code == 403
    assert evaluator.get("/suites/suite-2222222222222222/").status_code == 404
    assert evaluator.get(f"{at}seal/").status_code == 405
    assert stranger(office, "office").get(at).status_code == 404
    assert Client().get(at).status_code == 302
