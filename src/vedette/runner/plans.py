"""What a run will be, fixed before its first sample, and checked again when it begins."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from vedette.bench.commitment import NO_CRITERION, Commitment, Criterion, differences
from vedette.bench.custody import choose
from vedette.bench.isolation import Level, asked, require
from vedette.bench.suites import Suite
from vedette.kernel.canonical import new_salt
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, MissingPart, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.packs import PolicyPack, default_pack
from vedette.runner.build import have_clang
from vedette.runner.harness import Harness
from vedette.runner.isolation import measured
from vedette.runner.native import default_cache
from vedette.runner.subjects.agent import check_agent
from vedette.runner.subjects.reference import SUBJECTS
from vedette.runner.subjects.standins import STAND_INS

BUDGET = ("tool_calls", "executions", "tokens", "seconds")
SERVED = tuple(name for name in STAND_INS if name not in SUBJECTS)
REFERENCES = tuple(sorted({*SUBJECTS, *SERVED}))


@dataclass(frozen=True)
class SubjectSpec:
    """Who is measured.

    `reference`: one of REFERENCES by name. `inspect`: `model` is any of Inspect's model names.
    `agent`: a program in `folder` (see `subjects.agent`); `model` is the folder's digest.
    `endpoint`: `model` at a `base_url` that speaks `dialect` (openai or anthropic). `headers` go
    with every HTTP attempt.
    """

    name: str
    kind: Literal["reference", "inspect", "endpoint", "agent"]
    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    model_args: Mapping[str, Any] = field(default_factory=dict)
    dialect: str = "openai"
    folder: Path | None = None

    @property
    def role(self) -> str:
        return "reference" if self.kind == "reference" else "assessed"

    @property
    def single(self) -> bool:
        """Whether it needs no model, so that Inspect does not run it."""
        return self.kind == "agent" or (self.kind == "reference" and self.name in SUBJECTS)

    def committed(self) -> dict[str, Any]:
        """Return what is fixed about the subject beforehand; no key, no address."""
        return {"name": self.name, "kind": self.kind, "role": self.role, "model": self.model}


def plan_of(
    suite: Suite,
    subjects: Sequence[SubjectSpec],
    *,
    now: datetime,
    seed: int = 0,
    trials: int = 1,
    budget: Mapping[str, int] | None = None,
    custody: str = "",
    criterion: Criterion = NO_CRITERION,
    pack: PolicyPack | None = None,
    run: str = "",
) -> Commitment:
    """Fix what a run will be; nothing runs yet.

    Args:
        custody: one of `bench.custody`; "" for what the subjects make of it.
        criterion: the rule and the threshold's commitment, where there are any.
        pack: the rules in force, the shipped pack where not given.
        run: the run's id; a new one where not given.

    Raises:
        BadInput: no or doubtful subjects, an unknown budget or custody.
        Refused: this machine isolates less than the pack asks for a suite of its marking.
        MissingPart: bubblewrap is not installed, or what a subject needs is not.
    """
    check_plan(subjects, trials, budget or {})
    here, least = measured(), asked(pack or default_pack(), suite.marking)
    require(here, least, why=f"the policy pack for a suite marked {suite.marking}")
    return Commitment(
        suite=_described(suite),
        subjects=tuple(subject.committed() for subject in subjects),
        budgets={item.id: _budget(item.budget, budget or {}) for item in suite.items},
        seed=seed,
        trials=trials,
        isolation={
            "level": here.level.label,
            "level_asked": least.label,
            "sandbox": here.words,
            "network": "none",
            "verification": "in further fresh sandboxes, which the subject never touched",
        },
        committed_at=format_time(now),
        run=run or new_id("run"),
        custody=choose(custody, [subject.kind for subject in subjects]).name,
        criterion=criterion,
        nonce=new_salt(),
    )


def check_kept(plan: Commitment, suite: Suite, subjects: Sequence[SubjectSpec]) -> list[str]:
    """Check that what is about to run is what was committed to; say where the sandbox is another.

    Raises:
        Refused: it is not, with the first difference; or this machine isolates less.
        BadInput, MissingPart: as `plan_of`.
    """
    check_plan(subjects, plan.trials, {})
    here, own = measured(), {item.id: item.budget for item in suite.items}
    require(here, Level.parse(str(plan.isolation.get("level_asked", ""))), why="the commitment")
    found = dataclasses.replace(
        plan,
        suite=_described(suite),
        subjects=tuple(subject.committed() for subject in subjects),
        budgets={item: plan.budgets.get(item, own[item]) for item in own},
    )
    for words in differences(plan, found):
        raise Refused(f"this is not the run that was committed to: {words}", kept="the commitment")
    committed = plan.isolation.get("sandbox")
    same = here.words == committed
    return [] if same else [f"The sandbox was {here.words}; committed was {committed}."]


def _described(suite: Suite) -> dict[str, str]:
    return Harness(suite, default_cache()).described()


def _budget(own: Mapping[str, int], given: Mapping[str, int]) -> dict[str, int]:
    return {name: given.get(name, own[name]) for name in BUDGET}


def check_plan(subjects: Sequence[SubjectSpec], trials: int, budget: Mapping[str, int]) -> None:
    names = [subject.name for subject in subjects]
    if not names or len(set(names)) != len(names):
        raise BadInput("subjects: give at least one, each once", next_step="--subject NAME")
    for subject in subjects:
        if subject.kind == "reference" and subject.name not in REFERENCES:
            raise BadInput(
                f"subject {subject.name[:60]!r}: no reference subject",
                next_step=f"one of {', '.join(REFERENCES)}, or an Inspect model name",
            )
        if subject.folder is not None:
            check_agent(subject.folder)
        if subject.kind != "reference" and not subject.model:
            raise BadInput(f"subject {subject.name[:60]!r}: needs a model")
        if subject.kind != "reference" and subject.name in REFERENCES:
            raise BadInput(
                f"subject {subject.name[:60]!r}: is the name of a reference subject",
                next_step="serve or call the model by a name of its own",
            )
    if (
        not all(subject.single for subject in subjects)
        and importlib.util.find_spec("inspect_ai") is None
    ):
        raise MissingPart(
            "a model runs through inspect_ai, which is not installed",
            next_step="pip install 'vedette[bench]'",
        )
    if "libfuzzer" in names and not have_clang():
        raise MissingPart(
            "the subject libfuzzer needs clang, which is not installed",
            next_step="apt-get install clang",
        )
    if trials < 1:
        raise BadInput("trials: must be at least 1")
    for name, amount in budget.items():
        if name not in BUDGET or amount < 1:
            raise BadInput(f"budget: {name[:40]}={amount}", next_step=f"of {', '.join(BUDGET)}, >0")
