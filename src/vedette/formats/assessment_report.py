"""The report of an assessment: one HTML page that needs nothing else, for people.

Everything that came from a run is data: it is escaped, and never markup. The page carries its
marking at top and bottom, and shows trajectories of samples drawn by the run's own commitment, so
that nobody picks them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from vedette.formats.assessment_plot import intervals_svg
from vedette.formats.document import Stamp
from vedette.kernel.classification import Block
from vedette.kernel.markings import Marking
from vedette.kernel.portions import portion_mark

DRAWN = 5
# how often reader and time stand across the page
MARKS = 40
KINDS = {"reference": "reference subject", "endpoint": "model at an endpoint", "inspect": "model"}


def render(
    assessment: Mapping[str, Any],
    run: Mapping[str, Any],
    stamp: Stamp | None = None,
    block: Block | None = None,
) -> str:
    """Return the page.

    Args:
        assessment: an assessment as `Assessment.to_json` gives it.
        run: the run it was made of, as in result.json.
        stamp: whose copy the page is, where it bears a watermark.
        block: the classification block, where its marking needs one.
    """
    subjects = sorted(assessment["subjects"], key=lambda s: (s["role"] != "assessed", s["name"]))
    assessed = [subject for subject in subjects if subject["role"] == "assessed"]
    title = "Assessment of " + (_names(assessed) or "the reference subjects")
    style = files("vedette.formats").joinpath("assessment_report.css").read_text("utf-8")
    marking = str(assessment["marking"])
    sections = [
        _head(title, assessment, assessed or subjects),
        _block(block),
        _figure(subjects),
        _subjects(subjects),
        _items(subjects, run["samples"]),
        _families(subjects),
        _measured(assessment, run),
        _trajectories(run),
        _limits(assessment["limits"]),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(str(assessment['marking']))} · {escape(title)}</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n{_banner(marking, 'top')}\n<main>\n"
        + _portion_marked("\n".join(filter(None, sections)), Marking.parse(marking))
        + f"\n</main>\n{_stamped(stamp)}{_banner(marking, 'bottom')}\n</body>\n</html>\n"
    )


def _block(block: Block | None) -> str:
    """Who classified it, from what, until when, and the sources where there are several."""
    if block is None:
        return ""
    lines = "".join(
        f"<dt>{escape(label)}:</dt><dd>{escape(value)}</dd>" for label, value in block.lines
    )
    listed = "".join(f"<li>{escape(source)}</li>" for source in block.sources)
    sources = f"<p>Sources:</p><ul>{listed}</ul>" if listed else ""
    return f'<aside class="block" aria-label="Classification"><dl>{lines}</dl>{sources}</aside>'


def _portion_marked(page: str, marking: Marking) -> str:
    """The page with the mark of its portions before each heading: all have the page's own."""
    mark = f'<span class="portion">{escape(portion_mark(marking))}</span> '
    return re.sub(r"<(h[12])\b([^>]*)>", lambda found: f"{found[0]}{mark}", page)


def _stamped(stamp: Stamp | None) -> str:
    """Reader and time across the page, and once as a sentence for those who hear it."""
    if stamp is None:
        return ""
    marks = f"<span>{escape(' · '.join(stamp.short))}</span>" * MARKS
    return (
        f'<aside class="copy" aria-label="Whose copy">{escape(stamp.sentence)}</aside>\n'
        f'<div class="watermark" aria-hidden="true">{marks}</div>\n'
    )


def _banner(marking: str, where: str) -> str:
    label = marking.rsplit("TLP:", 1)[-1].split("+")[0].lower()
    shade = label if label in ("red", "amber", "green") else "clear"
    return (
        f'<aside class="marking marking--{shade}" aria-label="Marking, {where}">'
        f"{escape(marking)}</aside>"
    )


def _head(title: str, assessment: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]) -> str:
    suite = assessment["suite"]
    cards = "".join(
        f"<li><strong>{escape(subject['name'])}</strong>"
        f'<span class="figure">{score["solved"]} of {score["n"]}</span>'
        f"solved: a share of {_share(score['estimate'])}, 95% interval {_range(score)}</li>"
        for subject in shown
        for score in [subject["score"]]
    )
    return (
        f"<h1>{escape(title)}</h1>\n"
        f'<p class="lede">On the suite {escape(str(suite.get("name", "")))}'
        f" {escape(str(suite.get('version', '')))}, made {escape(assessment['made_at'])}.</p>\n"
        f'<ul class="scores">{cards}</ul>'
    )


def _figure(subjects: Sequence[Mapping[str, Any]]) -> str:
    words = "; ".join(
        f"{s['name']}: {_share(s['score']['estimate'])}, interval {_range(s['score'])}"
        for s in subjects
    )
    svg = intervals_svg(subjects, title="Scores with 95% intervals", description=words)
    return (
        "<h2>Scores, beside the reference subjects</h2>\n"
        f"<figure>{svg}<figcaption>Filled: assessed. Hollow: reference subjects, which say what"
        " nothing, chance, a fuzzer and the answer key reach. Bars are 95% intervals, clustered"
        " by item family.</figcaption></figure>"
    )


def _subjects(subjects: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            escape(s["name"]) + f"<small>{escape(KINDS.get(s['kind'], s['kind']))}</small>",
            f"{s['score']['solved']} of {s['score']['n']}",
            _share(s["score"]["estimate"]),
            _range(s["score"]),
            f"{s['used']['calls']:,}",
            f"{s['used']['input_tokens']:,} / {s['used']['output_tokens']:,}",
            f"{s['used']['executions']:,}",
            f"{float(s['seconds']):,.1f}",
        ]
        for s in subjects
    ]
    heads = ["Subject", "Solved", "Share", "95% interval", "Metered calls", "Tokens in / out"]
    return _table(
        "Each subject: what it solved and what it used. A metered call is one HTTP attempt.",
        [*heads, "Executions", "Seconds"],
        rows,
    )


def _items(subjects: Sequence[Mapping[str, Any]], samples: Sequence[Mapping[str, Any]]) -> str:
    items = sorted({(s["family"], s["item"]) for s in samples})
    rows = []
    for family, item in items:
        row = [escape(item) + f"<small>{escape(family)}</small>"]
        for subject in subjects:
            of = [s for s in samples if s["item"] == item and s["subject"] == subject["name"]]
            row.append(_cell(of))
        rows.append(row)
    heads = ["Item", *(escape(subject["name"]) for subject in subjects)]
    caption = "Each item: who solved it, and where the crash was or what the mended source showed."
    return "<h2>Item by item</h2>\n" + _table(caption, heads, rows, numbers=False)


def _cell(samples: Sequence[Mapping[str, Any]]) -> str:
    solved = [s for s in samples if s["score"] == 1]
    if not samples:
        return '<span class="open">not run</span>'
    count = f" {len(solved)}/{len(samples)}" if len(samples) > 1 else ""
    if not solved:
        return f'<span class="open">not solved{count}</span>'
    evidence = solved[0]["evidence"]
    place = str(evidence.get("reason", ""))
    if "top_frame" in evidence:
        place = f"{evidence.get('crash_class', '')} in {evidence.get('top_frame', '')}"
    return f'<span class="solved">solved{count}</span><small>{escape(place)}</small>'


def _families(subjects: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            escape(family),
            escape(subject["name"]),
            f"{score['solved']} of {score['n']}",
            _share(score["estimate"]),
            _range(score),
        ]
        for subject in subjects
        for family, score in subject["families"].items()
        if subject["role"] == "assessed"
    ]
    if not rows:
        return ""
    heads = ["Family", "Subject", "Solved", "Share", "95% interval"]
    return "<h2>By item family</h2>\n" + _table(
        "The assessed subjects by family of items; few items give wide intervals.", heads, rows
    )


def _measured(assessment: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    plan, suite = run["commitment"], assessment["suite"]
    budgets = sorted({_budget(budget) for budget in plan["budgets"].values()})
    facts = {
        "Suite": f"{suite.get('name', '')} {suite.get('version', '')}",
        "Suite digest": suite.get("digest", ""),
        "Items and trials": f"{assessment['items']} items, {assessment['trials']} trial(s) each",
        "Budget of an item": "; ".join(budgets),
        "Seed": assessment["seed"],
        **{f"Isolation: {key}": value for key, value in assessment["isolation"].items()},
        "Run": f"{assessment['run']}, committed {plan['committed_at']},"
        f" finished {run['finished_at']}",
        "Committed before the first sample": assessment["commitment_digest"],
        "Result digest": assessment["result_digest"],
        "Metered calls": _statuses(run["calls"]),
    }
    entries = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in facts.items()
        if value != ""
    )
    return f"<h2>What was measured, on what</h2>\n<dl>{entries}</dl>"


def _budget(budget: Mapping[str, Any]) -> str:
    return ", ".join(f"{amount:,} {name.replace('_', ' ')}" for name, amount in budget.items())


def _statuses(calls: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[int, int] = {}
    for call in calls:
        counts[call["status"]] = counts.get(call["status"], 0) + 1
    parts = [f"{n} with status {status or 'none'}" for status, n in sorted(counts.items())]
    return f"{len(calls)} ({', '.join(parts)})" if parts else "none"


def _trajectories(run: Mapping[str, Any]) -> str:
    assessed = {s["name"] for s in run["commitment"]["subjects"] if s["role"] == "assessed"}
    samples = [s for s in run["samples"] if s["subject"] in assessed] or list(run["samples"])
    samples.sort(key=lambda s: (s["subject"], s["item"], s["trial"]))
    draw = random.Random(run["commitment_digest"])  # noqa: S311 - repeatable by intent
    drawn = draw.sample(samples, min(DRAWN, len(samples)))
    blocks = "".join(
        f"<details><summary>{escape(s['subject'])} on {escape(s['item'])}, trial {s['trial'] + 1}:"
        f" {'solved' if s['score'] else 'not solved'}</summary><ol>"
        + "".join(f"<li><code>{escape(line)}</code></li>" for line in s["trajectory"])
        + f"<li>{escape(str(s['evidence'].get('reason', '') or s['ended']))}</li></ol></details>"
        for s in drawn
    )
    return (
        "<h2>Samples drawn at random</h2>\n"
        f'<p class="note">{len(drawn)} of {len(samples)}, drawn by the commitment’s digest; steps'
        f" are shortened.</p>\n{blocks}"
    )


def _limits(limits: Iterable[str]) -> str:
    entries = "".join(f"<li>{escape(limit)}</li>" for limit in limits)
    return f"<h2>Limits</h2>\n<ul>{entries}</ul>"


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True
) -> str:
    def kind(column: int) -> str:
        return ' class="number"' if numbers and column > 0 and heads[column] != "Subject" else ""

    head = "".join(f'<th scope="col"{kind(i)}>{text}</th>' for i, text in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{kind(i)}>{cell}</td>" for i, cell in enumerate(row) if i)
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _share(text: str) -> str:
    return f"{float(text):.2f}"


def _range(score: Mapping[str, Any]) -> str:
    return f"{float(score['low']):.2f} to {float(score['high']):.2f}"


def _names(subjects: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(subject["name"]) for subject in subjects)
