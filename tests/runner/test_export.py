"""A run as Inspect's logs: Inspect reads them, and other editions tell no item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.log import read_eval_log
from tests.bench.runs import CANARY, ITEMS, NOW, result

from vedette.bench.assessment import assess
from vedette.bench.report import Audience, build
from vedette.kernel.markings import AMBER
from vedette.runner.export import _job, export_eval

pytestmark = pytest.mark.any_database


def test_inspect_reads_every_subjects_log(tmp_path: Path) -> None:
    run = result({"lab/model": [1, 1, 0, 1], "null": [0] * 4}, trials=2)
    made = assess(run, markings=[AMBER], now=NOW)
    whole = build(made, run, audience=Audience.OFFICE)
    paths = export_eval(run, whole, tmp_path / "office", open_items=True)
    assert [path.name for path in paths] == ["01-lab-model.eval", "02-null.eval"]
    log = read_eval_log(str(paths[0]))
    assert (log.status, log.eval.task, log.eval.model) == ("success", "toys", "lab/model")
    assert log.results is not None
    assert log.results.scores[0].metrics["accuracy"].value == pytest.approx(0.75)
    assert log.eval.metadata is not None
    assert log.eval.metadata["marking"] == "TLP:AMBER"
    assert log.samples is not None
    assert {(s.id, s.epoch) for s in log.samples} == {(i, t) for i in ITEMS for t in (1, 2)}
    solved = {s.id: s.scores["execution"].value for s in log.samples if s.scores}
    assert solved == dict(zip(ITEMS, [1, 1, 0, 1], strict=True))


def test_other_editions_tell_no_item(tmp_path: Path) -> None:
    """What the process that writes them is told; it is told nothing else."""
    run = result({"lab/model": [1, 1, 0, 1], "null": [0] * 4}, trials=2)
    made = assess(run, markings=[AMBER], now=NOW)
    lab = build(made, run, audience=Audience.LAB)
    hidden = json.dumps(_job(run, lab, tmp_path, open_items=False))
    assert CANARY not in hidden
    assert not [item for item in ITEMS if f'"{item}"' in hidden or f"{item} of" in hidden]
    assert "item-0004" in hidden
    assert CANARY in json.dumps(_job(run, lab, tmp_path, open_items=True))
