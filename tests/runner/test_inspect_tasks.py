"""Inspect tasks of other makers: by name, scores read, log kept, budgets, sandboxes, resumed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.log import EvalSample
from inspect_ai.model import ChatMessageAssistant, ContentReasoning, ContentText, ModelOutput
from inspect_ai.scorer import Score
from inspect_ai.tool import ToolCall

from vedette.bench.isolation import Level
from vedette.bench.results import RunResult
from vedette.kernel.errors import BadInput, MissingPart, Refused
from vedette.kernel.markings import RED
from vedette.runner import tasks
from vedette.runner.inspect import foreign
from vedette.runner.inspect.foreign import PLACE, read_sample
from vedette.runner.runs import SubjectSpec
from vedette.runner.tasks import run_task

pytestmark = pytest.mark.any_database
SOURCE = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, accuracy, includes, scorer
from inspect_ai.solver import generate, solver
from inspect_ai.util import sandbox


@task
def sums():
    return Task(
        dataset=[
            Sample(id="one", input="1+1", target="nothing", metadata={"category": "small"}),
            Sample(id="two", input="2+2", target="5", metadata={"human_minutes": 3}),
        ],
        solver=generate(),
        scorer=includes(),
    )


@solver
def looks():
    async def solve(state, generate):
        state = await generate(state)
        found = await sandbox().exec(["sh", "-c", "id -u; cat /etc/hostname || echo none"])
        state.store.set("found", found.stdout)
        return state
    return solve


@scorer(metrics=[accuracy()])
def half():
    async def score(state, target):
        return Score(value=0.5, explanation=state.store.get("found"))
    return score


@task
def boxed():
    return Task(dataset=[Sample(input="go")], solver=looks(), scorer=half(), sandbox="docker")
"""
MOCK = [SubjectSpec("mock", "inspect", model="mockllm/model")]


@pytest.fixture(scope="module")
def task_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("private") / "private_tasks.py"
    path.write_text(SOURCE)
    return path


def ended(**fields: object) -> EvalSample:
    given = {"id": "a#0", "epoch": 1, "input": "x", "target": "y", **fields}
    sample = EvalSample(**given)  # type: ignore[arg-type]
    sample.metadata = {PLACE: {"subject": "m", "item": "a", "trial": 0}, **sample.metadata}
    return sample


@pytest.mark.parametrize(
    ("value", "score", "told"),
    [
        ("C", 1, "1.0000"),
        ("I", 0, "0.0000"),
        ("P", 0, "0.5000"),
        (True, 1, "1.0000"),
        (0.25, 0, "0.2500"),
        (1.0, 1, "1.0000"),
        ({"main": 1, "style": 0}, 1, "1.0000"),
        (7, 0, "7.0000"),
        (-1, 0, "-1.0000"),
        ("no number", 0, "0.0000"),
    ],
)
def test_scores_are_read(value: object, score: int, told: str) -> None:
    sample = read_sample(ended(scores={"s": Score(value=value, explanation="why")}), (1, 2, 3))  # type: ignore[arg-type]
    assert (sample.score, sample.evidence["score"]) == (score, told)
    assert sample.partial == (float(told) if 0 <= float(told) <= 1 else 0.0)
    assert ("outside 0 to 1" in sample.evidence["reason"]) == (value in (7, -1))
    assert sample.evidence["human_minutes"] == "not stated"
    assert (sample.calls, sample.input_tokens, sample.output_tokens) == (1, 2, 3)
    assert sample.family == "task"


def test_a_sample_is_solved_from_the_committed_score_on() -> None:
    half = ended(scores={"s": Score(value=0.5)})
    solved = [read_sample(half, None, at).score for at in (0.25, 0.5, 0.51, 1.0)]
    assert solved == [1, 1, 0, 0]
    assert read_sample(ended(), None, 0.25).score == 0
    with pytest.raises(BadInput, match="solved at"):
        run_task("t", MOCK, out_dir=Path("unused"), solved_at=0.0)


WORKS = """
from vedette.runner.inspect import __main__ as process
process._foreign = lambda job, lines: lines.write("described", task=job)
process.main()
"""


def test_the_process_takes_a_task_without_a_suite() -> None:
    job = {"task": "package/task"}
    command, pipe = [sys.executable, "-c", WORKS], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()  # and left open: the process ends where it is closed
        assert json.loads(process.stdout.readline()) == {"kind": "described", "task": job}


def test_what_was_said_and_done_is_the_trajectory_and_is_scanned() -> None:
    call = ToolCall(id="1", function="bash", arguments={"cmd": "curl http://a.example"})
    thought = ContentReasoning(reasoning="Perhaps they are testing me.")
    unseen = ContentReasoning(reasoning="sealed", redacted=True)
    said = ContentText(text="this is a CTF")
    message = ChatMessageAssistant(content=[thought, unseen, said], tool_calls=[call])
    output = ModelOutput.from_content("m", "done")
    sample = read_sample(ended(messages=[message], output=output, metadata={"domain": "web"}), None)
    assert sample.trajectory[:2] == ("thought: Perhaps they are testing me.", "said: this is a CTF")
    found = sorted((each.step, each.kind) for each in sample.noted or ())
    assert found == [(1, "aware"), (2, "aware"), (3, "network")]
    assert (sample.tool_calls, sample.family, sample.submitted) == (1, "web", b"done")
    assert sample.evidence["reason"] == "it has no score"


def test_a_task_that_is_not_there_is_named(task_file: Path) -> None:
    for name in ("no_such_package/task", f"{task_file}@nothing", "nowhere.py@task"):
        with pytest.raises(BadInput, match="inspect:") as told:
            foreign.load(name)
        assert told.value.next_step


def test_a_task_is_described(task_file: Path) -> None:
    found = foreign.described(f"{task_file}@sums")
    assert (found["items"], found["minutes_stated"]) == (["one", "two"], 1)
    assert (found["sandboxes"], found["absent"]) == ([], "")
    assert found["digest"] == foreign.described(f"{task_file}@sums")["digest"]
    assert foreign.described(f"{task_file}@boxed")["sandboxes"] == ["docker"]


def describing(monkeypatch: pytest.MonkeyPatch, kind: str, absent: str = "") -> None:
    task = {"version": "1", "title": "t", "digest": "sha256:0", "items": ["a"], "minutes_stated": 0}
    found = {**task, "sandboxes": [kind], "absent": absent}
    monkeypatch.setattr(tasks, "_describe", lambda name: found)


def test_a_sandbox_that_is_not_there_or_isolates_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    describing(monkeypatch, "docker", "docker, which is not installed")
    with pytest.raises(MissingPart, match="asks for the sandbox docker") as told:
        run_task("t", MOCK, out_dir=out)
    assert "--sandbox vedette-bubblewrap" in told.value.next_step
    describing(monkeypatch, "local")
    with pytest.raises(Refused, match=r"has level none.*local, isolates nothing"):
        run_task("t", MOCK, out_dir=out)
    describing(monkeypatch, "docker")
    with pytest.raises(Refused, match=r"has level namespaces.*not measured"):
        run_task("t", MOCK, out_dir=out, marking=RED)
    assert not out.exists()


@pytest.mark.parametrize(
    ("subject", "budget", "match"),
    [
        (SubjectSpec("oracle", "reference"), {}, "knows our own items alone"),
        (MOCK[0], {"executions": 5}, "executions: Inspect has no such limit"),
    ],
)
def test_what_inspect_can_not_hold_to_is_named(
    tmp_path: Path, subject: SubjectSpec, budget: dict[str, int], match: str
) -> None:
    with pytest.raises(BadInput, match=match):
        run_task("t", [subject], out_dir=tmp_path / "out", budget=budget)


@pytest.fixture(scope="module")
def ran(task_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, Path]:
    folder = tmp_path_factory.mktemp("foreign")
    subjects = [MOCK[0], SubjectSpec("mutator", "reference")]
    made = run_task(
        *(f"{task_file}@sums", subjects), out_dir=folder, trials=2, budget={"tokens": 5000}
    )
    return made, folder


@pytest.mark.long
def test_a_task_file_runs_and_keeps_its_log(ran: tuple[RunResult, Path], task_file: Path) -> None:
    result, folder = ran
    scores = {(s.subject, s.item, s.trial): s.score for s in result.samples}
    assert len(scores) == 8
    assert scores["mock", "one", 0] == scores["mock", "one", 1] == 1
    assert scores["mock", "two", 0] == 0
    assert {s.family for s in result.samples} == {"small", "task"}
    assert result.commitment.suite["name"] == f"inspect:{task_file}@sums"
    assert result.commitment.budgets == {"one": {"tokens": 5000}, "two": {"tokens": 5000}}
    assert list((folder / "logs").glob("*.eval"))
    metered = [call for call in result.calls if call.subject == "mutator"]
    assert {(call.item, call.trial) for call in metered} == {(i, t) for _, i, t in scores}
    assert "No human time is stated for 1 of 2 items." in result.notes


@pytest.mark.long
def test_a_finished_sample_is_not_asked_for_again(
    ran: tuple[RunResult, Path], task_file: Path
) -> None:
    result, folder = ran
    lines = (folder / "samples.jsonl").read_text().splitlines()
    (folder / "samples.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    subjects = [MOCK[0], SubjectSpec("mutator", "reference")]
    again = run_task(
        *(f"{task_file}@sums", subjects), out_dir=folder, trials=2, budget={"tokens": 5000}
    )
    assert (folder / "samples.jsonl").read_text().splitlines()[:-1] == lines[:-1]
    assert [s.key for s in again.samples] == [s.key for s in result.samples]


@pytest.mark.long
def test_a_docker_task_runs_in_our_sandbox_where_that_is_wished(
    task_file: Path, tmp_path: Path
) -> None:
    result = run_task(f"{task_file}@boxed", MOCK, out_dir=tmp_path / "out", own_sandbox=True)
    (sample,) = result.samples
    assert sample.evidence["reason"] == "65534 none"
    assert (sample.score, sample.partial, sample.evidence["score"]) == (0, 0.5, "0.5000")
    assert result.commitment.suite["solved_at"] == "1"
    assert Level.parse(str(result.isolation["level"])) >= Level.NAMESPACES
