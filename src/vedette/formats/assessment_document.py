"""An assessment and a determination as marked documents, for people.

A received one is another instance's: where it has a form that this version does not know, it stands
there as it came, as text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vedette.formats.assessment_content import uplift_words
from vedette.formats.document import Bullets, Content, Facts, Figure, Grid, Heading, Text
from vedette.kernel.markings import CLEAR, Marking
from vedette.kernel.portions import Portion, Source

USED = ("calls", "input_tokens", "output_tokens", "executions")
UNKNOWN = (KeyError, TypeError, ValueError, AttributeError)
Sources = tuple[Source, ...]


def assessment_portions(
    document: Mapping[str, Any],
    *,
    whole: Marking,
    sources: Sources,
    suite: tuple[Marking, Sources] | None = None,
) -> list[Portion[Content]]:
    """The portions of an assessment.

    Args:
        whole: its own marking, for whatever is made of all its sources.
        suite: marking and sources of what tells of the suite alone, where they are known.
    """

    def made(content: Content) -> Portion[Content]:
        return Portion(content, whole, sources)

    try:
        subjects = _in_order(document["subjects"])
        parts: list[Portion[Content]] = [
            made(Heading(f"Assessment of {_names(subjects)}", 1)),
            Portion(Heading("Scores, beside the reference subjects"), CLEAR),
            *(made(figure) for figure in _figure(subjects)),
            made(_scores(subjects)),
            *(made(grid) for grid in _families(subjects)),
            made(_use(subjects)),
        ]
        told = _suite(document)
    except UNKNOWN:
        return _as_it_came("Assessment", document, made)
    about, from_suite = suite or (whole, sources)
    parts += [
        Portion(Heading("What was measured, on what"), CLEAR),
        Portion(Facts(told), about, from_suite),
        made(Facts(_run(document))),
    ]
    limits = tuple(str(text) for text in document.get("limits", ()))
    if limits:
        parts += [Portion(Heading("What it does not show"), CLEAR), made(Bullets(limits))]
    return parts


def _as_it_came(title: str, document: Mapping[str, Any], made: Any) -> list[Portion[Content]]:
    said = json.dumps(document, indent=1, ensure_ascii=False)
    return [Portion(Heading(title, 1), CLEAR), made(Text(said))]


def _in_order(subjects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(subjects, key=lambda s: (s["role"] != "assessed", str(s["name"])))


def _names(subjects: Sequence[Mapping[str, Any]]) -> str:
    names = [str(s["name"]) for s in subjects if s["role"] == "assessed"]
    return ", ".join(names) or "the reference subjects"


def _share(text: Any) -> str:
    return f"{float(text):.2f}"


def _row(score: Mapping[str, Any]) -> tuple[str, str, str]:
    between = f"{_share(score['low'])} to {_share(score['high'])}"
    return f"{int(score['solved'])} of {int(score['n'])}", _share(score["estimate"]), between


def _figure(subjects: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """The plot; none on an instance without the extra that draws it: the table says the same."""
    from vedette.formats.assessment_plot import intervals_svg

    said = "; ".join(
        f"{s['name']}: {share}, interval {between}"
        for s in subjects
        for _, share, between in [_row(s["score"])]
    )
    try:
        svg = intervals_svg(subjects, title="Scores with 95% intervals", description=said)
    except ModuleNotFoundError:
        return []
    caption = (
        "Filled: assessed. Hollow: reference subjects, which say what nothing, chance, a fuzzer"
        " and the answer key reach. Bars are 95% intervals."
    )
    return [Figure(svg, said, caption)]


def _scores(subjects: Sequence[Mapping[str, Any]]) -> Grid:
    rows = tuple(
        (str(s["name"]), str(s["role"]), *_row(s["score"]), uplift_words(s.get("uplift")) or "none")
        for s in subjects
    )
    heads = ("Subject", "Role", "Solved", "Share", "95% interval", "Uplift over conventional tools")
    return Grid("Scores", heads, rows)


def _families(subjects: Sequence[Mapping[str, Any]]) -> list[Grid]:
    rows = tuple(
        (str(family), str(s["name"]), *_row(score))
        for s in subjects
        if s["role"] == "assessed"
        for family, score in s["families"].items()
    )
    caption = "By family of items; few items give wide intervals"
    heads = ("Family", "Subject", "Solved", "Share", "95% interval")
    return [Grid(caption, heads, rows)] if rows else []


def _use(subjects: Sequence[Mapping[str, Any]]) -> Grid:
    rows = tuple(
        (str(s["name"]), *(f"{int(s['used'][name]):,}" for name in USED), str(s["seconds"]))
        for s in subjects
    )
    heads = ("Subject", "Metered calls", "Tokens in", "Tokens out", "Executions", "Seconds")
    return Grid("What each subject used", heads, rows)


def _suite(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    suite = document["suite"]
    return (
        ("Suite", f"{suite.get('name', '')} {suite.get('version', '')}".strip()),
        ("Suite digest", str(suite.get("digest", ""))),
        ("Items", str(document.get("items") or suite.get("items", ""))),
    )


def _run(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    isolation = document.get("isolation", {})
    pairs = {
        "Run": document["run"],
        "Trials an item": document.get("trials", ""),
        **{f"Isolation: {key}": value for key, value in isolation.items()},
        "Made": document["made_at"],
        "Committed before the first sample": document["commitment_digest"],
        "Result digest": document["result_digest"],
    }
    return tuple((name, str(value)) for name, value in pairs.items() if value != "")


def determination_portions(
    document: Mapping[str, Any], *, whole: Marking, sources: Sources
) -> list[Portion[Content]]:
    """The portions of a determination record."""

    def made(content: Content) -> Portion[Content]:
        return Portion(content, whole, sources)

    try:
        uncertainty = document.get("uncertainty") or {}
        facts = {
            "Outcome": document["outcome"],
            "The interval suggests": document.get("suggested", ""),
            "Estimate less threshold": document.get("margin", ""),
            "Interval": " to ".join(str(uncertainty[k]) for k in ("low", "high") if uncertainty),
            "Made by": document["maker"],
            "Made": document["made_at"],
            "Rule": f"{document['rule']} of {document['pack']}",
            "Threshold, behind a nonce": document["threshold_digest"],
            "Made on": document["made_on"],
        }
        consulted = tuple(
            (str(c["office"]), str(c["view"]), str(c["on"])) for c in document["consulted"]
        )
        parts: list[Portion[Content]] = [
            made(Heading(f"Determination on {document['subject']}", 1)),
            Portion(Text("It has no effect on a release."), CLEAR),
            made(Facts(tuple((name, str(value)) for name, value in facts.items() if value))),
            Portion(Heading("Why"), CLEAR),
            made(Text(str(document["why"]))),
        ]
    except UNKNOWN:
        return _as_it_came("Determination", document, made)
    heads = ("Office", "What it holds", "On")
    rest: Content = Grid("Consulted", heads, consulted) if consulted else Text("Nobody is named.")
    return [*parts, Portion(Heading("Consulted"), CLEAR), made(rest)]
