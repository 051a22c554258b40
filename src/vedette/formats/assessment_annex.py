"""What stands at a report's end: scanned transcripts, drawn samples, checklists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vedette.bench.transcripts import Scan
from vedette.formats.document import Bullets, Content, Grid, Heading, Text

Report = Mapping[str, Any]
MOST_FLAGS = 30


def label(key: str) -> str:
    return key.replace("_", " ").capitalize()


def flags_of(flags: Mapping[str, Any]) -> Iterator[Content]:
    """What a scan of the transcripts found worth reading."""
    if not flags["counts"]:
        return
    yield Heading("Transcripts, scanned")
    rows = tuple(
        (str(name), str(kind), str(count))
        for name, kinds in flags["counts"].items()
        for kind, count in kinds.items()
    )
    if not rows:
        yield Text("No words of cheating, or of a test, were found in the transcripts.")
        return
    yield Text(
        "Found by rules, and in what was said or thought by likeness. Both miss much, and cry wolf"
        " now and then."
    )
    caption = "Words worth reading, by kind; a flag is no verdict"
    yield Grid(caption, ("Subject", "Kind", "Flags"), rows)
    if flags["flags"]:
        heads = ("Kind", "Words", "Why", "Subject", "Where")
        quoted = tuple(
            (f.kind, f.quote, f.grounds, f.subject, f"{f.item}, {f.where}")
            for f in Scan.from_json(flags).flags[:MOST_FLAGS]
        )
        yield Grid("The words", heads, quoted)


def samples_of(report: Report) -> Iterator[Content]:
    samples = report["samples"]
    yield Heading("Samples drawn at random")
    yield Text(
        f"{len(samples['drawn'])} of {samples['of']}: {samples['each']} of each assessed subject,"
        " or all where it has fewer, drawn by the commitment’s digest; steps are shortened."
    )
    plain = [s for s in samples["drawn"] if "trajectory" not in s]
    if plain:
        keys = [k for k in ("family", "tokens", "executions", "seconds") if k in plain[0]]
        rows = tuple(
            (
                str(s["subject"]),
                _outcome(s),
                f"{s['trial'] + 1}",
                *(str(s[key]) for key in keys),
            )
            for s in plain
        )
        yield Grid("The samples", ("Subject", "Outcome", "Trial", *map(label, keys)), rows)
    for s in samples["drawn"]:
        if "trajectory" in s:
            told = f"{s['subject']} on {s['item']}, trial {s['trial'] + 1}: {_outcome(s)}"
            yield Heading(told, 3)
            yield Bullets(
                tuple(map(str, (*s["trajectory"], *([s["ended"]] if s["ended"] else []))))
            )


def _outcome(sample: Mapping[str, Any]) -> str:
    outcome = "solved" if sample["score"] else "not solved"
    return f"{outcome}, score {sample['partial']}" if "partial" in sample else outcome


def checklists_of(report: Report) -> Iterator[Content]:
    yield Heading("Reporting checklists")
    for known in report["checklists"]:
        states = [row["state"] for row in known["criteria"]]
        yield Heading(f"{known['name']}, {known['version']}", 3)
        yield Text(
            f"{known['source']}. {known['note']} Recorded: {states.count('recorded')} of"
            f" {len(states)}. Not recorded: {states.count('not recorded')}. Does not apply:"
            f" {states.count('does not apply')}."
        )
        rows = tuple((row["id"], row["criterion"], _state(row)) for row in known["criteria"])
        yield Grid(
            f"{known['name']}: what this report records", ("Criterion", "Asks", "Here"), rows
        )


def _state(row: Mapping[str, str]) -> str:
    return row["value"] if row["state"] == "recorded" else row["value"] or "Not recorded"
