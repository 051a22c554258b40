"""What a run leaves behind: samples, metered calls, and the commitment made before the first one.

Rules:
- A sample is one subject on one item in one trial; its score is 1 only when a verifier reproduced
  the submitted input, else 0, and an error scores 0 with its reason.
- A metered call is one HTTP attempt with a request id; a retry is a call of its own.
- On disk everything is canonical JSON: times as RFC 3339, seconds as decimal text, inputs base64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from vedette.kernel.bounds import from_text, to_text
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput

FORMAT = "vedette-run/1"
ROLES = ("assessed", "reference")


@dataclass(frozen=True)
class Sample:
    """One subject's outcome on one item; `seconds` is wall time, `trajectory` short lines."""

    subject: str
    item: str
    family: str
    trial: int
    score: int
    submitted: bytes | None
    evidence: Mapping[str, Any]
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0
    executions: int = 0
    seconds: float = 0.0
    ended: str = ""
    trajectory: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        return self.subject, self.item, self.trial

    def to_json(self) -> dict[str, Any]:
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["submitted"] = None if self.submitted is None else to_text(self.submitted)
        value["seconds"] = f"{self.seconds:.3f}"
        value["trajectory"] = list(self.trajectory)
        value["evidence"] = dict(self.evidence)
        return value

    @classmethod
    def from_json(cls, value: Any) -> Sample:
        """Read one line of samples.jsonl. Raises BadInput naming the field."""
        given = dict(_object(value, "sample"))
        text = _take(given, "submitted", (str, type(None)))
        sample = cls(
            subject=_take(given, "subject", str),
            item=_take(given, "item", str),
            family=_take(given, "family", str),
            trial=_take(given, "trial", int),
            score=_take(given, "score", int),
            submitted=None if text is None else from_text(text, field="submitted"),
            evidence=_object(given.pop("evidence", {}), "sample.evidence"),
            seconds=_seconds(_take(given, "seconds", str)),
            ended=_take(given, "ended", str),
            trajectory=tuple(str(line) for line in given.pop("trajectory", [])),
            **{name: _take(given, name, int) for name in _COUNTS},
        )
        if sample.score not in (0, 1):
            raise BadInput(f"sample.score: {sample.score} is neither 0 nor 1")
        return sample


_COUNTS = ("calls", "input_tokens", "output_tokens", "tool_calls", "executions")


@dataclass(frozen=True)
class MeteredCall:
    """One HTTP attempt; status 0 means that no answer came. Tokens as the answer's usage says.

    `build` and `refused` are what a lab's proxy says of it: the build reached, or why it was not.
    """

    request_id: str
    subject: str
    item: str
    trial: int
    started_at: str
    status: int
    input_tokens: int
    output_tokens: int
    seconds: float
    build: str = ""
    refused: str = ""

    def to_json(self) -> dict[str, Any]:
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["seconds"] = f"{self.seconds:.3f}"
        return value

    @classmethod
    def from_json(cls, value: Any) -> MeteredCall:
        given = dict(_object(value, "call"))
        texts = ("request_id", "subject", "item", "started_at")
        numbers = ("trial", "status", "input_tokens", "output_tokens")
        return cls(
            seconds=_seconds(_take(given, "seconds", str)),
            build=str(given.get("build", ""))[:40],
            refused=str(given.get("refused", ""))[:40],
            **{name: _take(given, name, str) for name in texts},
            **{name: _take(given, name, int) for name in numbers},
        )


@dataclass(frozen=True)
class Commitment:
    """What was fixed before the first sample ran; its digest is the pre-commitment."""

    suite: Mapping[str, Any]
    subjects: tuple[Mapping[str, Any], ...]
    budgets: Mapping[str, Mapping[str, int]]
    seed: int
    trials: int
    isolation: Mapping[str, Any]
    committed_at: str
    run: str

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "suite": dict(self.suite),
            "subjects": [dict(subject) for subject in self.subjects],
            "budgets": {item: dict(budget) for item, budget in self.budgets.items()},
            "seed": self.seed,
            "trials": self.trials,
            "isolation": dict(self.isolation),
            "committed_at": self.committed_at,
        }

    @classmethod
    def from_json(cls, value: Any) -> Commitment:
        given = dict(_object(value, "run.json"))
        if given.get("format") != FORMAT:
            raise BadInput(f"run.json.format: {given.get('format')!r} is not {FORMAT}")
        subjects = _take(given, "subjects", list)
        budgets = _object(given.pop("budgets", None), "run.json.budgets")
        return cls(
            suite=_object(given.pop("suite", None), "run.json.suite"),
            subjects=tuple(_object(subject, "run.json.subjects") for subject in subjects),
            budgets={k: _object(v, f"run.json.budgets.{k}") for k, v in budgets.items()},
            seed=_take(given, "seed", int),
            trials=_take(given, "trials", int),
            isolation=_object(given.pop("isolation", None), "run.json.isolation"),
            committed_at=_take(given, "committed_at", str),
            run=_take(given, "run", str),
        )

    @property
    def digest(self) -> str:
        return digest(canonical(self.to_json()))

    def same_plan(self, other: Commitment) -> bool:
        """Tell whether `other` is this run over again, so that its samples may be kept."""
        ignore = ("committed_at", "run")
        mine, theirs = self.to_json(), other.to_json()
        return all(mine[key] == theirs[key] for key in mine if key not in ignore)


@dataclass(frozen=True)
class RunResult:
    """A finished run. `crashes` are the verified ones, distinct by item and by where they crash."""

    commitment: Commitment
    samples: tuple[Sample, ...]
    calls: tuple[MeteredCall, ...]
    finished_at: str
    notes: tuple[str, ...] = field(default=())

    @property
    def isolation(self) -> Mapping[str, Any]:
        return self.commitment.isolation

    @property
    def digest(self) -> str:
        return digest(canonical(self.to_json()))

    @property
    def crashes(self) -> list[dict[str, Any]]:
        """Verified crashes as findings: [{item, input_b64, evidence, subjects}], sorted by item."""
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for sample in sorted(self.samples, key=lambda s: s.key):
            if sample.score != 1 or sample.submitted is None or "top_frame" not in sample.evidence:
                continue  # a mended source is no crash
            place = (sample.item, *(str(sample.evidence.get(k, "")) for k in _PLACE))
            entry = found.setdefault(
                place,
                {
                    "item": sample.item,
                    "input_b64": to_text(sample.submitted),
                    "evidence": dict(sample.evidence),
                    "subjects": [],
                },
            )
            if sample.subject not in entry["subjects"]:
                entry["subjects"].append(sample.subject)
        return [found[place] for place in sorted(found)]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "commitment": self.commitment.to_json(),
            "commitment_digest": self.commitment.digest,
            "samples": [sample.to_json() for sample in self.samples],
            "calls": [call.to_json() for call in self.calls],
            "finished_at": self.finished_at,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Any) -> RunResult:
        """Read result.json. Raises BadInput naming the field."""
        given = dict(_object(value, "result.json"))
        commitment = Commitment.from_json(given.get("commitment"))
        if given.get("commitment_digest") != commitment.digest:
            raise BadInput("result.json.commitment_digest: does not match the commitment")
        return cls(
            commitment,
            tuple(Sample.from_json(sample) for sample in _take(given, "samples", list)),
            tuple(MeteredCall.from_json(call) for call in _take(given, "calls", list)),
            _take(given, "finished_at", str),
            tuple(str(note) for note in given.get("notes", [])),
        )


_PLACE = ("crash_class", "top_frame")


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{name}: must be an object")
    return value


def _take(given: dict[str, Any], name: str, kind: Any) -> Any:
    if name not in given:
        raise BadInput(f"{name}: missing")
    value = given.pop(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise BadInput(f"{name}: {type(value).__name__} where another type belongs")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise BadInput(f"seconds: {text[:40]!r} is no duration")
    return value
