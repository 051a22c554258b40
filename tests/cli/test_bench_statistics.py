"""The statistics commands: the contract's JSON, and one line for bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.bench.runs import result as run_of
from tests.bench.simulated import table

from vedette.cli import main


def run(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["bench", *args])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def answer(args: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    code, out, err = run([*args, "--json"], capsys)
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def responses(tmp_path: Path) -> Path:
    _, cells = table(60, 30, 1)
    lines = ["subject," + ",".join(f"i{n}" for n in range(30))]
    lines += [f"s{n}," + ",".join(map(str, row)) for n, row in enumerate(cells)]
    path = tmp_path / "responses.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_ability(responses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "items.json"
    rows = answer(["ability", "--responses", str(responses), "--save", str(saved)], capsys)
    assert [row["subject"] for row in rows] == [f"s{n}" for n in range(60)]
    assert set(rows[0]) == {"subject", "n", "accuracy", "accuracy_ci95", "ability", "se"}
    assert all(r["accuracy_ci95"][0] <= r["accuracy"] <= r["accuracy_ci95"][1] for r in rows)
    onto = answer(["ability", "--responses", str(responses), "--onto", str(saved)], capsys)
    for row, moved in zip(rows, onto, strict=True):
        assert moved["ability"] == pytest.approx(row["ability"], abs=1e-3)
    saved.write_text('{"items": [{"item": "i1", "a": 0, "b": 1}]}')
    code, _, err = run(["ability", "--responses", str(responses), "--onto", str(saved)], capsys)
    assert (code, "'i1': a above 0" in err) == (2, True)
    _, out, _ = run(["ability", "--responses", str(responses)], capsys)
    assert "One unit of ability multiplies the odds" in out


def test_nothing_depends_on_the_order_of_the_file(
    responses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [line.split(",") for line in responses.read_text().splitlines()]
    columns = [0, *reversed(range(1, 31))]
    turned = tmp_path / "turned.csv"
    turned.write_text(
        "\n".join(",".join(row[c] for c in columns) for row in [table[0], *table[:0:-1]])
    )
    known = tmp_path / "known.txt"
    known.write_text("\n".join(f"s{n}" for n in range(40)))
    for args in (["ability"], ["adaptive", "--calibrate", str(known), "--max-items", "9"]):
        one, other = (
            answer([args[0], "--responses", str(path), *args[1:]], capsys)
            for path in (responses, turned)
        )
        assert one == other[::-1]


def test_empty_cells_and_a_subject_without_any(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("subject,a,b,c\nx,1,,0\ny,,,\nz,1,1,1\nw,0,0,0\n\n")
    rows = answer(["ability", "--responses", str(path)], capsys)
    assert [row["n"] for row in rows] == [2, 0, 3, 3]
    assert (rows[1]["accuracy"], rows[1]["ability"]) == (None, None)
    assert rows[2]["ability"] > rows[0]["ability"] > rows[3]["ability"]


def test_one_subject_has_an_accuracy_and_no_ability(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("subject,a,b\nx,1,0\n")
    code, out, err = run(["ability", "--responses", str(path), "--json"], capsys)
    assert code == 0
    assert json.loads(out)[0]["ability"] is None
    assert "a scale needs at least two" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no item"),
        ("subject,a\n", "no subject"),
        ("subject,a,a\nx,1,0\n", "item 'a' is column 2, too"),
        ("subject,a\nx,1\nx,0\n", "line 3: subject 'x' stands in line 2 already"),
        ("subject,a\nx,nan\n", "line 2, item 'a': 'nan' is neither 0, 1 nor empty"),
        ("subject,a\nx,1,0\n", "line 2: 3 cells, the first line has 2"),
        ("subject,a\nx,2\n", "'2' is neither"),
        ("subject,item,score\nx,a,1\n", "is in long form"),
    ],
)
def test_bad_tables_are_named(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    code, out, err = run(["ability", "--responses", str(path), "--json"], capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("mark", "start", "end"), [(";", "", "\n"), ("\t", "\ufeff", "\r\n"), (",", "\ufeff", "\r\n")]
)
def test_other_programs_tables(
    mark: str, start: str, end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, other, groups = (tmp_path / name for name in ("p.csv", "o.csv", "g.csv"))
    plain.write_text("subject,a,b,c\nx,1,0,1\ny,0,,1\n")
    other.write_text(start + plain.read_text().replace(",", mark), newline=end)
    groups.write_text(f"item{mark}cluster\na{mark}1\nb{mark}2\nc{mark}2\n")
    for args in (["ability"], ["compare", "--a", "x", "--b", "y", "--cluster", str(groups)]):
        one, same = (
            answer([args[0], "--responses", str(path), *args[1:]], capsys)
            for path in (plain, other)
        )
        assert one == same


def test_text_that_is_not_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes("subject,a\nx,1\n".encode("utf-16"))
    for command in (["ability", "--responses"], ["horizon", "--runs"], ["horizon", "--trend"]):
        code, _, err = run([*command, str(path)], capsys)
        assert code == 2
        assert "is not UTF-8 text; next: save it as CSV in UTF-8" in err


def test_adaptive(responses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.txt"
    known.write_text("\n".join(f"s{n}" for n in range(40)))
    base = ["adaptive", "--responses", str(responses), "--calibrate", str(known)]
    rows = answer([*base, "--max-items", "6", "--seed", "4"], capsys)
    assert [row["subject"] for row in rows] == [f"s{n}" for n in range(40, 60)]
    assert set(rows[0]) == {"subject", "items", "ability", "se", "ci95"}
    assert all(len(set(row["items"])) == 6 for row in rows)
    assert rows == answer([*base, "--max-items", "6", "--seed", "4"], capsys)
    code, out, _ = run(base, capsys)
    assert code == 0
    assert "items a subject" in out
    for option, said in (("--target-se=nan", "nan is not finite"), ("--seed=-1", "'--seed'")):
        code, _, err = run([*base, option], capsys)
        assert (code, err.count("\n")) == (2, 1)
        assert said in err
    known.write_text("nobody")
    code, _, err = run(base, capsys)
    assert code == 2
    assert "'nobody' is not in" in err


def test_compare(responses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(["compare", "--responses", str(responses), "--a", "s1", "--b", "s2"], capsys)
    assert list(found) == [
        *("a", "b", "items", "mean_a", "mean_b", "difference", "se", "ci95", "p"),
        *("verdict_fixed", "verdict_anytime", "stopped_at", "pass_at_k", "pass_hat_k"),
    ]
    path = tmp_path / "long.csv"
    trials = [("x", "p", 1, 1), ("x", "p", 2, 0), ("y", "p", 1, 0), ("y", "p", 2, 0)]
    trials += [("x", "q", 1, 1), ("y", "q", 1, 0.5)]
    path.write_text(
        "subject,item,trial,score\n" + "".join(",".join(map(str, t)) + "\n" for t in trials)
    )
    groups = tmp_path / "groups.csv"
    groups.write_text("item,cluster\np,one\nq,two\n")
    args = ["compare", "--responses", str(path), "--a", "x", "--b", "y", "--cluster", str(groups)]
    found = answer(args, capsys)
    assert (found["mean_a"], found["mean_b"], found["items"]) == (0.75, 0.25, 2)
    assert found["pass_at_k"] == {"a": {"1": 0.75, "2": 1.0}, "b": {"1": 0.0, "2": 0.0}}
    path.write_text(path.read_text() + "x,p,1,0\n")
    code, _, err = run(args, capsys)
    assert code == 2
    assert "stand in line 2 already" in err


def test_against(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.csv"
    rows = [f"x,i{n // 2},{n % 2},1" for n in range(40)]
    path.write_text("subject,item,trial,score\n" + "\n".join(rows) + "\ny,i0,1,0.5\n")
    args = ["against", "--responses", str(path), "--threshold", "0.5", "--subject"]
    found = answer([*args, "x"], capsys)
    assert list(found) == [
        *("subject", "n", "share", "ci95", "outcome_fixed", "outcome_anytime", "stopped_at"),
        *("se_clusters", "se_trials"),
    ]
    assert (found["n"], found["outcome_fixed"], found["outcome_anytime"]) == (40, "meets", "meets")
    assert found["stopped_at"] < 40
    code, out, _ = run([*args, "x"], capsys)
    assert code == 0
    assert "however often one looked" in out
    for subject, said in (("y", "a score of 0 or 1 expected"), ("z", "'z' has no score")):
        code, _, err = run([*args, subject], capsys)
        assert code == 2
        assert said in err
    shared = answer([*args, "y", "--solved-at", "0.5"], capsys)
    assert (shared["share"], shared["mean_score"], shared["between"]) == (1.0, 0.5, 1)
    code, out, _ = run([*args, "y", "--solved-at", "1"], capsys)
    assert code == 0
    assert "counted as solved from a score of" in out
    code, _, err = run([*args, "y", "--solved-at", "0"], capsys)
    assert (code, "--solved-at: 0 is not above 0" in err) == (2, True)


def test_against_reads_a_run_by_what_it_committed_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = run_of({"m": [1, 0, 0, 0]})
    samples = tuple(replace(s, partial=0.8 - 0.2 * n) for n, s in enumerate(made.samples))
    suite = {**made.commitment.suite, "solved_at": "0.7"}
    made = replace(made, samples=samples, commitment=replace(made.commitment, suite=suite))
    (tmp_path / "result.json").write_text(json.dumps(made.to_json()))
    args = ["against", "--responses", str(tmp_path), "--threshold", "0.5", "--subject", "m"]
    found = answer(args, capsys)
    assert (found["solved_at"], found["share"], found["between"]) == (0.7, 0.25, 4)
    assert found["mean_score"] == pytest.approx(0.5)
    assert answer([*args, "--solved-at", "0.5"], capsys)["share"] == 0.5


RUNS = [("m", f"t{n}", f"f{n % 4}", 2.0**n, float(n < 5 or n == 7)) for n in range(10)]
NAMES = ("subject", "task", "family", "human_minutes", "score")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_horizon(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"runs.{form}"
    rows = [*RUNS, ("all", "t1", "f1", 2.0, 1.0)]
    if form == "csv":
        path.write_text("\n".join([",".join(NAMES), *(",".join(map(str, r)) for r in rows)]))
    else:
        path.write_text("\n".join(json.dumps(dict(zip(NAMES, r, strict=True))) for r in rows))
    found, none = answer(["horizon", "--runs", str(path), "--draws", "100"], capsys)
    assert set(found) == {"subject", "n", "p50_minutes", "p50_ci95", "p80_minutes", "p80_ci95"}
    assert found["p80_minutes"] < found["p50_minutes"]
    assert found["p50_ci95"][0] < found["p50_minutes"]
    assert (none["p50_minutes"], none["reason"]) == (None, "solved everything")


@pytest.mark.parametrize("apart", [True, False])
def test_trend(apart: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "h.csv"
    path.write_text("subject,release_date,p50\na,2025-01-01,10\nb,2025-07-20,20\nc,2026-02-05,40\n")
    given = ["--trend", str(path)] if apart else ["--trend", "--runs", str(path)]
    found = answer(["horizon", *given], capsys)
    assert found["doubling_days"] == pytest.approx(200, abs=0.1)
    assert found["n"] == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("m,t1,f1,0,1", "human_minutes: more than 0"),
        ("m,t1,f1,5,1.5", "score: '1.5' is not between 0 and 1"),
        ("m,t1,f1,inf,1", "'inf' is not finite"),
        ("m,,f1,5,1", "task missing"),
        ("m,t0,f0,99,1", "takes 99 human minutes here, 1 in line 2"),
        ("m,t1,f1,5,1,-1", "line 3, weight: -1 is negative"),
        ("m,t1,f1,5,1,,9", "line 3: 7 cells, the first line has 6"),
        ("m,t1,f1,5,1,2", "some runs have a weight and some have none"),
    ],
)
def test_bad_runs_are_named(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(",".join(NAMES) + ",weight\nm,t0,f0,1,1,\n" + line + "\n")
    code, _, err = run(["horizon", "--runs", str(path)], capsys)
    assert code == 2
    assert said in err
