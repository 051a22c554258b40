"""What is fixed before the first sample of a run, and whether a result keeps to it.

Rules:
- One canonical document fixes suite, items, subjects, budgets, trials, seed, rule, threshold,
  custody and isolation. It carries a 256-bit nonce, so that its digest tells nothing.
- Its digest is the commitment: it goes into the ledger, and to the lab where a session is used,
  before anything runs. The document may be signed (DSSE) and is opened after.
- The threshold stands in it as a digest behind a nonce of its own, so that opening the document
  opens no threshold.
- A result keeps to it when its own commitment is the same in every field, and its samples are
  those of every subject, item and trial, each once. Anything else has a sentence that says what.
- A run that was done over in secret and wholly replaced by another shows only where somebody else
  has the first one's digest or counted its calls; no document can show it by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vedette.kernel.bounds import MIB, Bounds
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.dsse import open_envelope, sign
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys, PublicKeys

if TYPE_CHECKING:
    from vedette.bench.results import RunResult, Sample

FORMAT = "vedette-run/1"
PAYLOAD_TYPE = "application/vnd.vedette.run-commitment+json"
BOUNDS = Bounds(size=16 * MIB, depth=16, count=500_000, any_text=True)
OCCASION = ("committed_at", "run", "nonce")


@dataclass(frozen=True)
class Criterion:
    """What the result will be held against: a rule by id and pack digest, a threshold by digest.

    Each "" where none was committed to.
    """

    rule: str = ""
    pack: str = ""
    threshold_digest: str = ""

    def to_json(self) -> dict[str, str]:
        return {"rule": self.rule, "pack": self.pack, "threshold_digest": self.threshold_digest}

    @classmethod
    def from_json(cls, value: Any) -> Criterion:
        given = dict(object_of(value, "run.json.criterion"))
        made = cls(**{name: taken(given, name, str) for name in cls().to_json()})
        nothing_else(given, "run.json.criterion")
        return made


NO_CRITERION = Criterion()


@dataclass(frozen=True)
class Commitment:
    """What was fixed before the first sample ran; its digest is the pre-commitment.

    `budgets` maps each item that runs to its budget: of a suite from which items were left out,
    those that are left.
    """

    suite: Mapping[str, Any]
    subjects: tuple[Mapping[str, Any], ...]
    budgets: Mapping[str, Mapping[str, int]]
    seed: int
    trials: int
    isolation: Mapping[str, Any]
    committed_at: str
    run: str
    custody: str = "here"
    criterion: Criterion = NO_CRITERION
    nonce: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "suite": dict(self.suite),
            "subjects": [dict(subject) for subject in self.subjects],
            "budgets": {item: dict(budget) for item, budget in self.budgets.items()},
            "seed": self.seed,
            "trials": self.trials,
            "criterion": self.criterion.to_json(),
            "custody": self.custody,
            "isolation": dict(self.isolation),
            "committed_at": self.committed_at,
            "nonce": self.nonce,
        }

    @classmethod
    def from_json(cls, value: Any) -> Commitment:
        given = dict(object_of(value, "run.json"))
        if (found := given.pop("format", None)) != FORMAT:
            raise BadInput(f"run.json.format: {str(found)[:40]!r} is not {FORMAT}")
        subjects = taken(given, "subjects", list)
        budgets = object_of(given.pop("budgets", None), "run.json.budgets")
        made = cls(
            suite=object_of(given.pop("suite", None), "run.json.suite"),
            subjects=tuple(object_of(subject, "run.json.subjects") for subject in subjects),
            budgets={k: object_of(v, f"run.json.budgets.{k}") for k, v in budgets.items()},
            seed=taken(given, "seed", int),
            trials=taken(given, "trials", int),
            isolation=object_of(given.pop("isolation", None), "run.json.isolation"),
            committed_at=taken(given, "committed_at", str),
            run=taken(given, "run", str),
            custody=taken(given, "custody", str),
            criterion=Criterion.from_json(given.pop("criterion", None)),
            nonce=taken(given, "nonce", str),
        )
        nothing_else(given, "run.json")
        return made

    @property
    def digest(self) -> str:
        return digest(canonical(self.to_json()))

    def same_plan(self, other: Commitment) -> bool:
        """Tell whether `other` is this run over again, so that its samples may be kept."""
        mine, theirs = self.to_json(), other.to_json()
        return all(mine[key] == theirs[key] for key in mine if key not in OCCASION)

    def signed(self, keys: PrivateKeys) -> dict[str, Any]:
        """Return the document in a DSSE envelope."""
        return sign(canonical(self.to_json()), PAYLOAD_TYPE, keys)


def open_signed(data: bytes, *, source: str, signer: PublicKeys | None) -> bytes:
    """Return the document in a signed commitment, checked where `signer` is given.

    Raises BadInput where it is none, or not signed by `signer`.
    """
    opened = open_envelope(data, PAYLOAD_TYPE, source=source, bounds=BOUNDS)
    if signer is not None and not opened.verify(signer):
        raise BadInput(f"{source}: the signature is not of the key {signer.keyid[:16]}")
    return opened.payload


def differences(committed: Commitment, found: Commitment) -> Iterator[str]:
    """Say in words what `found` has otherwise than `committed`, the weightiest first."""
    yield from _suite(committed.suite, found.suite)
    yield from _subjects(committed.subjects, found.subjects)
    yield from _budgets(committed.budgets, found.budgets)
    mine, theirs = committed.to_json(), found.to_json()
    mine.update(_flat(mine.pop("criterion"), "criterion"))
    theirs.update(_flat(theirs.pop("criterion"), "criterion"))
    for name, words in _WORDS.items():
        if mine[name] != theirs[name]:
            yield f"{words} changed: committed {_brief(mine[name])}, here {_brief(theirs[name])}"


_WORDS = {
    "trials": "trials",
    "seed": "seed",
    "criterion.rule": "rule",
    "criterion.pack": "policy pack of the rule",
    "criterion.threshold_digest": "threshold",
    "custody": "custody",
    "isolation": "isolation",
    "committed_at": "hour of the commitment",
    "run": "run",
    "nonce": "nonce",
}


def _flat(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {f"{name}.{key}": each for key, each in value.items()}


def _brief(value: Any) -> str:
    return canonical(value).decode()[:120] if value not in ("", []) else "none"


def _suite(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys(["digest", *sorted({*mine, *theirs})]):
        if mine.get(name) != theirs.get(name):
            said = f"committed {_brief(mine.get(name))}, here {_brief(theirs.get(name))}"
            yield f"suite changed: {name}: {said}"


def _subjects(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> Any:
    known, found = ({str(s.get("name")): dict(s) for s in each} for each in (mine, theirs))
    yield from (f"subject added: {name}" for name in found if name not in known)
    yield from (f"subject dropped: {name}" for name in known if name not in found)
    for name, entry in known.items():
        for key in sorted({*entry, *found.get(name, entry)}):
            was, now = entry.get(key), found.get(name, entry).get(key)
            if was != now:
                said = f"committed {_brief(was)}, here {_brief(now)}"
                yield f"subject changed: {name}: {key}: {said}"
    if known == found and list(mine) != list(theirs):
        yield "subjects changed: their order, or one stands twice"


def _budgets(
    mine: Mapping[str, Mapping[str, int]], theirs: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    yield from (f"item added: {item}" for item in theirs if item not in mine)
    yield from (f"item dropped: {item}" for item in mine if item not in theirs)
    for item in sorted(set(mine) & set(theirs)):
        for name in sorted({*mine[item], *theirs[item]}):
            was, now = mine[item].get(name), theirs[item].get(name)
            if was != now:
                said = f"{name.replace('_', ' ')} {_brief(was)} committed, {_brief(now)} here"
                yield f"budget changed: {item}: {said}"


def faults(result: RunResult, log: Sequence[Sample] = ()) -> Iterator[str]:
    """Say where a result's samples are not those that its own commitment asks for.

    Args:
        log: the samples as they came, where they are at hand; the result has exactly those.
    """
    plan = result.commitment
    wanted = [
        (str(subject["name"]), item, trial)
        for subject in plan.subjects
        for item in sorted(plan.budgets)
        for trial in range(plan.trials)
    ]
    asked, seen = set(wanted), set()
    for sample in result.samples:
        if sample.key in seen:
            yield f"trial re-run: {_sample(sample.key)} stands twice"
        elif sample.key not in asked:
            yield f"sample added: {_sample(sample.key)} was not committed to"
        seen.add(sample.key)
    missing = [key for key in wanted if key not in seen]
    if missing:
        yield f"samples missing: {len(missing)} of {len(wanted)}, first {_sample(missing[0])}"
    yield from _log(result.samples, log)


def _log(samples: Sequence[Sample], log: Sequence[Sample]) -> Iterator[str]:
    came: dict[tuple[str, str, int], Sample] = {}
    for sample in log:
        if sample.key in came:
            yield f"trial re-run: {_sample(sample.key)} came twice"
        came[sample.key] = sample
    kept = {sample.key: sample for sample in samples}
    for key, sample in came.items():
        if key not in kept:
            yield f"sample dropped: {_sample(key)} came and is not in the result"
        elif kept[key] != sample:
            yield f"sample changed: {_sample(key)} is another than the one that came"
    if log:
        yield from (f"sample added: {_sample(key)} never came" for key in kept if key not in came)


def _sample(key: tuple[str, str, int]) -> str:
    subject, item, trial = key
    return f"{subject} on {item}, trial {trial}"


def object_of(value: Any, name: str) -> dict[str, Any]:
    """Return `value` where it is an object. Raises BadInput naming it."""
    if not isinstance(value, dict):
        raise BadInput(f"{name}: must be an object")
    return value


def nothing_else(given: Mapping[str, Any], name: str) -> None:
    """Raise BadInput where a field is left that nobody knows: a digest would not cover it."""
    if given:
        raise BadInput(f"{name}.{min(given)[:40]}: unknown field")


def taken(given: dict[str, Any], name: str, kind: Any) -> Any:
    """Take a field of a type out of `given`. Raises BadInput naming it."""
    if name not in given:
        raise BadInput(f"{name}: missing")
    value = given.pop(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise BadInput(f"{name}: {type(value).__name__} where another type belongs")
    return value
