"""Inspect tasks of other makers, by name: loaded, described, run, their samples read as ours.

A task is a program of its maker's and runs on this machine as its user, in the Inspect process;
what its subject does runs in the sandbox that the task asks for, or in ours where that is wished.

Rules:
- A sample is solved when its first score is at least what the run committed to, a full score (1)
  where nothing else was said. The score itself, from 0 to 1, is kept as the sample's `partial`; an
  error, no score and one outside 0 to 1 count as 0.
- A family comes from the sample's metadata, else it is the task; human minutes likewise, else they
  are said to be absent.
- The log stays Inspect's own, whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from typing import Any

from inspect_ai import Task, task_with
from inspect_ai.dataset import MemoryDataset
from inspect_ai.hooks import Hooks, SampleEnd, hooks
from inspect_ai.log import EvalSample
from inspect_ai.scorer import value_to_float
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import SandboxEnvironmentSpec

from vedette.bench.results import Sample
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, VedetteError
from vedette.runner.inspect.attempt import Attempt
from vedette.runner.inspect.metering import CURRENT, Meter
from vedette.runner.inspect.provider import NAME

MOST_SAMPLES, MOST_ID, MOST_ANSWER = 10_000, 200, 64 * 1024
FAMILY = ("family", "category", "domain", "subject", "topic")
MINUTES = "human_minutes"
PLACE = "vedette"


def load(name: str) -> Task:
    """Load one task: `PACKAGE/TASK` of an installed package, or `FILE.py@TASK`. Raises BadInput."""
    from inspect_ai._eval.loader import load_tasks

    try:
        found = load_tasks([name], {})
    except VedetteError:
        raise
    except Exception as error:
        raise BadInput(
            f"inspect:{name}: can't be loaded ({type(error).__name__}: {error})"[:400],
            next_step="install what it needs; try `inspect list tasks`",
        ) from error
    if len(found) != 1:
        raise BadInput(
            f"inspect:{name}: {len(found) or 'no'} tasks of this name",
            next_step="name one: inspect:PACKAGE/TASK of an installed package, or"
            " inspect:FILE.py@TASK",
        )
    return found[0]


def described(name: str) -> dict[str, Any]:
    """Return what a commitment says of a task: version, digest, items, and the sandboxes it asks
    for, with those that are not to be had here. Raises BadInput."""
    task = load(name)
    samples = list(task.dataset)
    if not samples or len(samples) > MOST_SAMPLES:
        raise BadInput(f"inspect:{name}: {len(samples):,} samples; 1 to {MOST_SAMPLES:,} are taken")
    items = {
        _item(sample, number): _minutes(sample.metadata or {})
        for number, sample in enumerate(samples, 1)
    }
    if len(items) != len(samples):
        raise BadInput(f"inspect:{name}: two samples have one id")
    whole = [sample.model_dump(mode="json", fallback=str) for sample in samples]
    text = json.dumps([name, str(task.version), whole], sort_keys=True, default=str)
    asked = {_kind(each.sandbox or task.sandbox) for each in samples} - {""}
    return {
        "title": task.name,
        "version": str(task.version),
        "digest": digest(text.encode("utf-8", "surrogatepass")),
        "items": list(items),
        "minutes_stated": sum(minutes is not None for minutes in items.values()),
        "sandboxes": sorted(asked),
        "absent": "; ".join(filter(None, map(_absent, sorted(asked)))),
    }


def _item(sample: Any, number: int) -> str:
    return str(number if sample.id is None else sample.id)[:MOST_ID]


def _kind(sandbox: Any) -> str:
    """The kind of sandbox that a sample asks for, "" where it asks for none."""
    if sandbox is None:
        return ""
    if isinstance(sandbox, SandboxEnvironmentSpec):
        return str(sandbox.type)
    return str(sandbox if isinstance(sandbox, str) else sandbox[0])


def _absent(kind: str) -> str:
    """Why a kind of sandbox is not to be had here, "" where it is."""
    from inspect_ai.util._sandbox.registry import registry_find_sandboxenv

    if kind == "docker" and shutil.which("docker") is None:
        return "docker, which is not installed"
    try:
        registry_find_sandboxenv(kind)
    except ValueError as error:
        return str(error)[:200]
    return ""


def prepared(
    name: str,
    subject: str,
    model: Any,
    wanted: list[tuple[str, int]],
    budget: Mapping[str, int],
    own_sandbox: bool,
) -> Task:
    """Return the task of one subject over the (item, trial) pairs it still has to do."""
    task = load(name)
    by_id = {_item(sample, number): sample for number, sample in enumerate(task.dataset, 1)}
    samples = []
    for item, trial in wanted:
        place = {PLACE: {"subject": subject, "item": item, "trial": trial}}
        sample = by_id[item].model_copy(deep=True)
        sample.id, sample.metadata = f"{item}#{trial}", {**(sample.metadata or {}), **place}
        if own_sandbox and _kind(sample.sandbox or task.sandbox):
            sample.sandbox = SandboxEnvironmentSpec(NAME)
        samples.append(sample)
    before = task.setup if task.setup is not None else []
    setup = [placed(), *(before if isinstance(before, list | tuple) else [before])]
    limits: dict[str, Any] = {}
    if "tokens" in budget:
        limits["token_limit"] = budget["tokens"]
    if "seconds" in budget:
        limits["time_limit"] = budget["seconds"]
    if own_sandbox:
        limits["sandbox"] = NAME if task.sandbox else None
    return task_with(
        task,
        dataset=MemoryDataset(samples),
        setup=setup,
        model=model,
        epochs=1,
        name=f"{task.name}-{''.join(c if c.isalnum() else '-' for c in subject)}",
        **limits,
    )


@solver
def placed() -> Solver:
    """Puts the calls that follow to their sample."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        place = state.metadata[PLACE]
        CURRENT.set((place["item"], place["trial"]))
        return state

    return solve


def telling(
    meters: Mapping[str, tuple[Meter, bool]], finish: Callable[[Sample], None], solved_at: float = 1
) -> None:
    """From now on hand each sample that ends to `finish`, read as one of ours."""

    @hooks(name="vedette-samples", description="Hands finished samples on.")
    class Ends(Hooks):
        async def on_sample_end(self, data: SampleEnd) -> None:
            place = data.sample.metadata.get(PLACE)
            if place is not None:
                meter, on_the_wire = meters[place["subject"]]
                sums = meter.sums(place["item"], place["trial"]) if on_the_wire else None
                finish(read_sample(data.sample, sums, solved_at))


def read_sample(
    ended: EvalSample, sums: tuple[int, int, int] | None, solved_at: float = 1
) -> Sample:
    """Read an ended sample as one of ours; `sums` are its metered calls and tokens, where known."""
    place = ended.metadata[PLACE]
    partial, evidence = _scored(ended)
    attempt = Attempt({})
    tool_calls = 0
    for message in ended.messages:
        if message.role != "assistant":
            continue
        attempt.note_message(message)
        for call in message.tool_calls or []:
            tool_calls += 1
            attempt.note(f"{call.function} {json.dumps(call.arguments, default=str)}")
    if sums is None:
        usage = ended.model_usage.values()
        sums = (
            sum(event.event == "model" for event in ended.events),
            sum(each.input_tokens for each in usage),
            sum(each.output_tokens for each in usage),
        )
    answer = ended.output.completion.encode("utf-8", "replace")[:MOST_ANSWER]
    return Sample(
        subject=place["subject"],
        item=place["item"],
        family=_family(ended),
        trial=place["trial"],
        score=int(partial >= solved_at),
        partial=partial,
        submitted=answer or None,
        evidence=evidence,
        calls=sums[0],
        input_tokens=sums[1],
        output_tokens=sums[2],
        tool_calls=tool_calls,
        seconds=float(ended.total_time or 0),
        ended=_ended(ended),
        trajectory=attempt.trajectory,
        noted=tuple(attempt.noted),
    )


def _scored(ended: EvalSample) -> tuple[float, dict[str, Any]]:
    """The sample's score from 0 to 1, with what it was read from."""
    minutes = _minutes(ended.metadata)
    evidence: dict[str, Any] = {
        MINUTES: "not stated" if minutes is None else f"{minutes:g}",
        "reason": "",
    }
    if not ended.scores:
        return 0, {**evidence, "reason": "it has no score"}
    scorer, score = next(iter(ended.scores.items()))
    value: Any = score.value
    if isinstance(value, dict | list):
        parts = list(value.values()) if isinstance(value, dict) else value
        value = next(iter(parts), None)  # the first of several is the one that is meant
    found = value_to_float()(value) if value is not None else float("nan")
    evidence |= {"scorer": scorer, "score": f"{found:.4f}"}
    evidence["reason"] = " ".join((score.explanation or "").split())[:300]
    if not 0 <= found <= 1:
        return 0, {**evidence, "reason": f"a score of {found:g} lies outside 0 to 1"}
    return found, evidence


def _ended(ended: EvalSample) -> str:
    if ended.error is not None:
        return f"error: {' '.join(ended.error.message.split())}"[:300]
    return f"{ended.limit.type} limit" if ended.limit is not None else "scored"


def _family(ended: EvalSample) -> str:
    found = next((ended.metadata[name] for name in FAMILY if ended.metadata.get(name)), "")
    return str(found)[:80] or "task"


def _minutes(metadata: Mapping[str, Any]) -> float | None:
    value = metadata.get(MINUTES)
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if good and value is not None else None
