"""What a finished run showed: item by item, what was found, and words worth reading."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from vedette.bench.results import RunResult, Sample
from vedette.bench.transcripts import Scan
from vedette.web.cells import Cell, Code, State, Table

FRAMES_SHOWN = 8
FLAGS_SHOWN = 50
# of a crash class: the title, what "access" says there, what its runs did, what its frames are
WORDS = {
    "rule-broken": ("A rule broken in {}", "Rule", "Runs that broke it", ""),
    "goal-reached": ("The goal reached at the {}", "Goal", "Sessions that reached it", "Steps"),
}
CRASH = ("{} in {}", "Access", "Runs that crashed", "Stack")


def results(result: RunResult) -> Table:
    """Item by subject: who solved it."""
    subjects = [str(subject["name"]) for subject in result.commitment.subjects]
    items = sorted({(sample.family, sample.item) for sample in result.samples})
    rows: list[list[Cell]] = []
    for family, item in items:
        of = {s: [x for x in result.samples if (x.item, x.subject) == (item, s)] for s in subjects}
        rows.append([item, family, *map(_outcome, of.values())])
    caption = "Item by item: which subject solved it"
    return Table(caption, ["Item", "Family", *subjects], rows)


def _outcome(samples: list[Sample]) -> Cell:
    scores = [sample.score for sample in samples]
    if not scores:
        return "not run"
    if all(sample.broke_off for sample in samples):
        return State("broke off", "attention")
    of = f" of {len(scores)}" if len(scores) > 1 else ""
    said = f"solved {sum(scores)}{of}" if of else "solved"
    partial = [sample.partial for sample in samples if sample.partial is not None]
    mean = f", score {sum(partial) / len(partial):.2f}" if partial else ""
    return State(said + mean, "done") if any(scores) else f"not solved{mean}"


def verdicts(result: RunResult) -> Table | None:
    """What was submitted and is no input of one program: sources, policies, sessions on a plant."""
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for sample in result.samples:
        known = sample.evidence
        crash = known.get("top_frame") and known.get("crash_class") != "goal-reached"
        on_the_way = known.get("crash_class") == "" and known.get("frames")
        told = known.keys() & {"repaired", "contained"} or on_the_way
        if sample.submitted is not None and not crash and (sample.score or told):
            subjects = said[sample.item, str(known.get("reason", ""))]
            if sample.subject not in subjects:
                subjects.append(sample.subject)
    rows: list[list[Cell]] = [
        [item, ", ".join(subjects), reason] for (item, reason), subjects in sorted(said.items())
    ]
    columns = ["Item", "Submitted by", "Verdict"]
    caption = "What became of sources, policies and sessions that were submitted"
    return Table(caption, columns, rows) if rows else None


def flagged(result: RunResult) -> Scan:
    """The scan of a run's transcripts; empty where none was made."""
    return Scan.from_json(result.flags) if result.flags else Scan()


def flags(result: RunResult) -> Table:
    """What a scan of the transcripts quotes, to be read by a person."""
    rows: list[list[Cell]] = [
        [
            flag.kind,
            flag.subject,
            flag.item,
            flag.where,
            flag.quote,
            flag.grounds,
        ]
        for flag in flagged(result).flags[:FLAGS_SHOWN]
    ]
    columns = ["Kind", "Subject", "Item", "Where", "Words", "Why"]
    return Table("Words of transcripts that hint at cheating or at a test", columns, rows)


def found(crash: dict[str, Any]) -> dict[str, Any]:
    """A verified crash, or another harm, with its evidence as the page shows it."""
    evidence = crash["evidence"]
    kind, place = str(evidence.get("crash_class", "crash")), str(evidence.get("top_frame", "?"))
    title, access, runs, frames = WORDS.get(kind, CRASH)
    clean = "none" if evidence.get("fixed_clean") else "some"
    facts: list[tuple[str, Cell]] = [
        ("Item", crash["item"]),
        ("Found by", ", ".join(crash["subjects"])),
        (access, evidence.get("access") or None),
        (
            runs,
            f"{evidence.get('crashed')} of {evidence.get('runs')} on the vulnerable build,"
            f" {clean} on the fixed one",
        ),
        ("Isolation", evidence.get("isolation")),
        ("Digest of the input", Code(str(evidence.get("input_digest", "")))),
    ]
    shown = list(evidence.get("frames", []))[:FRAMES_SHOWN] if frames else []
    return {
        "title": title.format(place) if kind in WORDS else title.format(kind, place),
        "facts": [(label, value) for label, value in facts if value is not None],
        "what": frames,
        "frames": [frame.replace("_", " ") for frame in shown[:0:-1]] if kind in WORDS else shown,
    }
