"""The harness of the benchmarks: runs, writes both accounts, loses nothing when one fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from benchmarks.account import renewed, write
from benchmarks.child import cost
from benchmarks.result import Result, Skipped, Spread, in_turns

from benchmarks import __main__ as harness
from benchmarks import dedupe, growth

ROOT = Path(__file__).resolve().parent.parent.parent


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_tiny_run_writes_both_accounts(tmp_path: Path) -> None:
    done = bench("ledger", "--quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    account = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert account["schema"] == 1
    assert {"date", "python", "cores", "memory_gib", "benchmarks"} <= set(account)
    (part,) = account["benchmarks"]
    assert part["status"] == "measured"
    for row in part["results"]:
        assert row["ours"]["low"] <= row["ours"]["median"] <= row["ours"]["high"]
        assert row["ratio"] == pytest.approx(row["ours"]["median"] / row["peer"]["median"])
        assert row["n"] >= 1
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "SHA-256 alone" in page
    assert str(ROOT) not in page + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", harness.SUBJECTS)
def test_each_runs_at_its_smallest_size(name: str, tmp_path: Path) -> None:
    done = bench(name, "--quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_part_never_replaces_the_full_account() -> None:
    for arguments in (["ledger"], ["--quick"], ["no-such", "--out", "x"], ["--quick", "--renew"]):
        assert bench(*arguments).returncode == 2


def test_parts_are_renewed_each_with_its_own_day_and_processor() -> None:
    names = ("ledger", "match", "reading")
    earlier = {"date": "then", "benchmarks": [{"name": "ledger"}, {"name": "reading"}]}
    told = {"date": "2026-11-25T09:00:00Z", "processor": "two"}
    later = {"date": "now", "benchmarks": [{"name": name, **told} for name in names[1:]]}
    found = renewed(earlier, later, names)
    assert found["date"] == "then"
    assert found["benchmarks"] == [{"name": "ledger"}, *later["benchmarks"]]


def test_growth_has_a_picture_with_the_peer_in_it() -> None:
    rows = [
        {
            "name": f"{components:,} components × {advisories:,} advisories, {way}",
            "ours": {"median": components / 1000},
            "peer": {"median": advisories / 1000},
        }
        for components, advisories in ((500, 2_661), (5_000, 2_661), (5_000, 10_644))
        for way in growth.WAYS.values()
    ]
    drawn = growth.picture(rows)
    assert drawn == growth.picture(rows)
    root = ElementTree.fromstring(drawn)
    words = set("".join(root.itertext()).split("\n"))
    told = {"components, against 2,661 advisories", "advisories, by 5,000 components"}
    assert told | set(growth.WAYS.values()) | {growth.PEER} <= {word.strip() for word in words}


def fails(quick: bool) -> list[Result]:
    raise RuntimeError("broken")


def skips(quick: bool) -> list[Result]:
    raise Skipped("no data here")


@pytest.mark.parametrize(("work", "status"), [(fails, "failed"), (skips, "skipped")])
def test_one_that_cannot_run_says_why(
    work: Any, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.demo.run", work)
    part = harness.measure("demo", True)
    assert part["status"] == status
    account = {**harness.machine(), "quick": True, "benchmarks": [part]}
    write(account, tmp_path / "a.json", tmp_path / "a.md")
    assert part["reason"] in (tmp_path / "a.md").read_text("utf-8")


def test_turns_alternate_and_the_first_does_not_count() -> None:
    seen: list[str] = []

    def work(name: str) -> float:
        seen.append(name)
        return float(len(seen))

    found = in_turns({name: lambda name=name: work(name) for name in ("a", "b")}, 3)
    assert seen == ["a", "b"] * 4
    assert found["a"] == Spread(median=5.0, low=3.0, high=7.0, p95=7.0, n=3)


def test_a_childs_memory_is_its_own() -> None:
    ballast = bytearray(200 * 2**20)
    spent = cost([sys.executable, "-c", "pass"])
    assert spent.memory < 100 < len(ballast) / 2**20
    with pytest.raises(RuntimeError, match="the reason"):
        cost([sys.executable, "-c", "import sys; sys.exit('the reason')"])


def test_pairs_are_scored_across_reporters_only(tmp_path: Path) -> None:
    truth, out = tmp_path / "truth.json", tmp_path / "out.jsonl"
    truth.write_text(json.dumps([["a1", "b1"], ["a2", "b2"], ["a3", "a4"]]), "utf-8")
    groups = {"a1": ["a1", "a9", "b1"], "a3": ["a3", "a4"]}
    rows = [
        {"id": each, "cluster": cluster, "relation": "same"}
        for cluster, ids in groups.items()
        for each in ids
    ]
    rows.append({"id": "b2", "cluster": "b2", "relation": "unique"})
    out.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert dedupe.score(truth, out) == {"f1": 0.5, "precision": 0.5, "recall": 0.5}
