"""What a run leaves behind: samples and metered calls, under the commitment made before them.

Rules:
- A sample is one subject on one item in one trial; its score is 1 only when a verifier reproduced
  the submitted input, else 0, and an error scores 0 with its reason.
- A task of another maker's may score in between: `partial` is that score, and the sample's own is 1
  where it is at least what the run committed to (`solved_at`).
- A metered call is one HTTP attempt with a request id; a retry is a call of its own.
- On disk everything is canonical JSON: times as RFC 3339, seconds as decimal text, inputs base64.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from vedette.bench.commitment import FORMAT, Commitment, object_of, taken
from vedette.kernel.bounds import from_text, to_text
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput

__all__ = ["ROLES", "Commitment", "MeteredCall", "RunResult", "Sample"]
ROLES = ("assessed", "reference")


class Noted(NamedTuple):
    """Words of a transcript worth reading; `transcripts.Flag` says what each field means."""

    kind: str
    step: int
    quote: str
    score: int = 100
    why: str = ""
    times: int = 1


@dataclass(frozen=True)
class Sample:
    """One subject's outcome on one item; `seconds` is wall time, `trajectory` short lines.

    `partial` is the score from 0 to 1 of a task of another maker's, None of an item of ours.
    `noted` is what a scan of the whole transcript flagged as it came, see `transcripts`; None where
    only the trajectory is there to scan.
    """

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
    noted: tuple[Noted, ...] | None = None
    partial: float | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.subject, self.item, self.trial

    @property
    def broke_off(self) -> bool:
        """Whether it ended in an error, and says nothing of its subject."""
        return self.ended.startswith(ERROR)

    def to_json(self) -> dict[str, Any]:
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["submitted"] = None if self.submitted is None else to_text(self.submitted)
        value["seconds"] = f"{self.seconds:.3f}"
        value["trajectory"] = list(self.trajectory)
        value["evidence"] = dict(self.evidence)
        if self.partial is None:
            del value["partial"]
        else:
            value["partial"] = f"{self.partial:.4f}"
        if self.noted is None:
            del value["noted"]
        else:
            value["noted"] = [list(flag) for flag in self.noted]
        return value

    @classmethod
    def from_json(cls, value: Any) -> Sample:
        """Read one line of samples.jsonl. Raises BadInput naming the field."""
        given = dict(object_of(value, "sample"))
        text = taken(given, "submitted", (str, type(None)))
        sample = cls(
            subject=taken(given, "subject", str),
            item=taken(given, "item", str),
            family=taken(given, "family", str),
            trial=taken(given, "trial", int),
            score=taken(given, "score", int),
            submitted=None if text is None else from_text(text, field="submitted"),
            evidence=object_of(given.pop("evidence", {}), "sample.evidence"),
            seconds=_seconds(taken(given, "seconds", str)),
            ended=taken(given, "ended", str),
            trajectory=tuple(str(line) for line in given.pop("trajectory", [])),
            noted=_noted(given.pop("noted", None)),
            partial=_partial(given.pop("partial", None)),
            **{name: taken(given, name, int) for name in _COUNTS},
        )
        if sample.score not in (0, 1):
            raise BadInput(f"sample.score: {sample.score} is neither 0 nor 1")
        return sample


_COUNTS = ("calls", "input_tokens", "output_tokens", "tool_calls", "executions")


@dataclass(frozen=True)
class MeteredCall:
    """One HTTP attempt; status 0 means that no answer came. Tokens as the answer's usage says.

    `build` and `refused` are what a lab's proxy says of it: the build reached, or why it was not.
    `own_input` and `own_output` are our own count of tokens (see `counting`), zeros where the call
    was not seen on the wire; `odd` says what is wrong with the answer or with its usage.
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
    own_input: int = 0
    own_output: int = 0
    odd: str = ""

    def to_json(self) -> dict[str, Any]:
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["seconds"] = f"{self.seconds:.3f}"
        return value

    @classmethod
    def from_json(cls, value: Any) -> MeteredCall:
        given = dict(object_of(value, "call"))
        texts = ("request_id", "subject", "item", "started_at")
        numbers = ("trial", "status", "input_tokens", "output_tokens")
        return cls(
            seconds=_seconds(taken(given, "seconds", str)),
            build=str(given.get("build", ""))[:40],
            refused=str(given.get("refused", ""))[:40],
            odd=str(given.get("odd", ""))[:200],
            **{n: taken(given, n, int) for n in ("own_input", "own_output") if n in given},
            **{name: taken(given, name, str) for name in texts},
            **{name: taken(given, name, int) for name in numbers},
        )


@dataclass(frozen=True)
class RunResult:
    """A finished run. `crashes` are the verified ones, distinct by item and by where they crash.

    `flags` is the scan of its transcripts (`transcripts.Scan`), empty where none was made.
    """

    commitment: Commitment
    samples: tuple[Sample, ...]
    calls: tuple[MeteredCall, ...]
    finished_at: str
    notes: tuple[str, ...] = field(default=())
    flags: Mapping[str, Any] = field(default_factory=dict)

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
            **({"flags": dict(self.flags)} if self.flags else {}),
        }

    @classmethod
    def from_json(cls, value: Any) -> RunResult:
        """Read result.json. Raises BadInput naming the field."""
        given = dict(object_of(value, "result.json"))
        commitment = Commitment.from_json(given.get("commitment"))
        if given.get("commitment_digest") != commitment.digest:
            raise BadInput("result.json.commitment_digest: does not match the commitment")
        return cls(
            commitment,
            tuple(Sample.from_json(sample) for sample in taken(given, "samples", list)),
            tuple(MeteredCall.from_json(call) for call in taken(given, "calls", list)),
            taken(given, "finished_at", str),
            tuple(str(note) for note in given.get("notes", [])),
            object_of(given.get("flags", {}), "result.json.flags"),
        )


def broken(result: RunResult) -> list[str]:
    """Of each subject whose samples ended in an error: how many, and the commonest, in words."""
    said = []
    for subject in dict.fromkeys(sample.subject for sample in result.samples):
        own = [sample for sample in result.samples if sample.subject == subject]
        errors = Counter(sample.ended for sample in own if sample.broke_off)
        if errors:
            words = errors.most_common(1)[0][0].removeprefix(ERROR)
            words = " ".join(words.rpartition("]: ")[2].split())[:200]
            count = sum(errors.values())
            said.append(f"{subject}: {count} of {len(own)} samples ended in an error: {words}")
    return said


ERROR = "error: "
MOST_TIMES = 1_000_000
_PLACE = ("crash_class", "top_frame")


def _noted(value: Any) -> tuple[Noted, ...] | None:
    if value is None:
        return None
    rows = value if isinstance(value, list) else [value]
    kinds = [str, int, str, int, str, int]
    if not all(
        isinstance(r, list) and [type(v) for v in r] == kinds and r[5] in range(1, MOST_TIMES)
        for r in rows
    ):
        raise BadInput("sample.noted: rows of kind, step, quote, score, why and times expected")
    return tuple(Noted(*row) for row in rows)


def _partial(text: Any) -> float | None:
    if text is None:
        return None
    try:
        value = float(str(text))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadInput(f"sample.partial: {str(text)[:40]!r} is no score from 0 to 1")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise BadInput(f"seconds: {text[:40]!r} is no duration")
    return value
