"""A report of an assessment as the parts of a document: for its page and its PDF alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vedette.formats.assessment_annex import checklists_of, flags_of, label, samples_of
from vedette.formats.assessment_figures import figures
from vedette.formats.document import Bullets, Content, Facts, Figure, Grid, Heading, Text

Report = Mapping[str, Any]
KINDS = {"reference": "reference subject", "endpoint": "model at an endpoint", "inspect": "model"}
READERS = {
    "office": "The office's own edition.",
    "lab": "The lab's edition: what tells an item that is not public is left out.",
    "operators": "The edition for operators: scores, uplift, isolation and limits.",
}
NOTHING = "Not recorded."
MINUS = "\N{MINUS SIGN}"


def title_of(report: Report) -> str:
    names = ", ".join(str(s["name"]) for s in report["subjects"] if s["role"] == "assessed")
    return "Assessment of " + (names or "the reference subjects")


def lede_of(report: Report) -> str:
    told = report["measured"]
    suite = told["suite"]
    many = f"{suite['items']} items, {told['trials']} trial(s) each"
    own = not str(suite.get("name", "")).startswith("inspect:")
    executed = " Every item counted as solved was reproduced by execution." if own else ""
    return (
        f"On the suite {suite.get('name', '')} {suite.get('version', '')} ({many}), made"
        f" {report['made_at']}.{executed} What this does not show is listed under Limits."
    )


def contents(report: Report) -> Iterator[Content]:
    """The parts in their order; the first is the title."""
    yield Heading(title_of(report), 1)
    yield Text(f"{READERS[report['audience']]} {lede_of(report)}")
    drawn = figures(report)
    yield Heading("Scores, beside the reference subjects")
    yield from drawn.get("scores", [])
    yield from _scores(report)
    yield from _domains(report)
    yield from _families(report)
    yield from _items(report)
    yield from _scale(report, drawn)
    yield from _cost(report, drawn)
    yield from _gaps(report, drawn)
    yield Heading("What was measured, on what")
    yield Facts(tuple(_measured(report)))
    yield from samples_of(report)
    yield from flags_of(report["flags"])
    yield Heading("Limits")
    yield Bullets(tuple(str(text) for text in report["limits"]))
    yield from checklists_of(report)


def _share(text: Any) -> str:
    return f"{float(text):.2f}"


def _signed(text: Any) -> str:
    return f"{float(text):+.2f}".replace("-", MINUS)


def between(of: Mapping[str, Any]) -> str:
    return f"{_share(of['low'])} to {_share(of['high'])}"


def _amount(text: Any) -> str:
    value = float(text)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _signs(of: Mapping[str, Any]) -> str:
    return f"{_signed(of['low'])} to {_signed(of['high'])}"


def _row(score: Mapping[str, Any]) -> tuple[str, str, str]:
    solved = f"{int(score['solved'])} of {int(score['n'])}"
    return solved, _share(score["estimate"]), between(score)


def uplift_words(uplift: Mapping[str, Any] | None) -> str:
    """The uplift in words; "" where there is none."""
    if not uplift:
        return ""
    return f"{_signed(uplift['estimate'])} over {uplift['over']} ({_signs(uplift)})"


def partial_words(partial: Mapping[str, Any]) -> str:
    """The mean of a scorer's scores in words."""
    mean = f"mean score {_share(partial['estimate'])}, 95% interval {between(partial)}"
    return f"{mean}, {partial['between']} between 0 and 1"


def _scores(report: Report) -> Iterator[Content]:
    """What each subject solved, its uplift beside it, and what it used."""
    lifted = [s["uplift"] for s in report["subjects"] if s["uplift"]]
    heads = ["Subject", "What it is", "Solved", "Share", "95% interval"]
    if lifted:
        heads += [f"Uplift over {lifted[0]['over']}", "Its 95% interval"]
    rows = []
    for subject in report["subjects"]:
        kind = KINDS.get(subject["kind"], str(subject["kind"]))
        row = [str(subject["name"]), kind, *_row(subject["score"])]
        up = subject["uplift"]
        if lifted:
            row += [_signed(up["estimate"]), _signs(up)] if up else ["none", "none"]
        rows.append(tuple(row))
    yield Grid("What each subject solved", tuple(heads), tuple(rows))
    if lifted:
        yield Text(
            "Uplift is the share that the assessed subject solved, less the share that the best"
            " conventional tool of this run solved on the same items, paired by item. An interval"
            " that holds 0 shows no uplift."
        )
    yield from _partial(report)
    if "used" in report["subjects"][0]:
        yield _used(report)


def _partial(report: Report) -> Iterator[Content]:
    """What a task's own scorer gave in between, which solved and not solved does not tell."""
    scores = [(s["name"], s["score"]["partial"]) for s in report["subjects"] if _own(s)]
    if scores:
        rows = tuple(
            (str(name), _share(of["estimate"]), between(of), str(of["between"]))
            for name, of in scores
        )
        heads = ("Subject", "Mean score", "95% interval", "Samples between 0 and 1")
        yield Grid("Mean of the scores from 0 to 1 that the task's own scorer gave", heads, rows)


def _own(subject: Mapping[str, Any]) -> bool:
    return "partial" in subject["score"]


def _used(report: Report) -> Grid:
    names = ("calls", "input_tokens", "output_tokens", "executions")
    heads = ("Subject", "Metered calls", "Tokens in", "Tokens out", "Executions", "Seconds")
    rows = tuple(
        (
            str(s["name"]),
            *(f"{s['used'][name]:,}" for name in names),
            f"{float(s['seconds']):,.1f}",
        )
        for s in report["subjects"]
    )
    return Grid("What each subject used; a metered call is one HTTP attempt", heads, rows)


def _domains(report: Report) -> Iterator[Content]:
    rows = tuple(
        (str(domain), str(subject["name"]), *_row(score))
        for subject in report["subjects"]
        if subject["role"] == "assessed"
        for domain, score in subject["domains"].items()
    )
    if rows:
        heads = ("Domain", "Subject", "Solved", "Share", "95% interval")
        yield Grid("The assessed subjects by domain", heads, rows)


def _families(report: Report) -> Iterator[Content]:
    rows = tuple(
        (str(family), str(subject["name"]), *_row(score))
        for subject in report["subjects"]
        if subject["role"] == "assessed"
        for family, score in subject.get("families", {}).items()
    )
    if rows:
        yield Heading("By item family")
        heads = ("Family", "Subject", "Solved", "Share", "95% interval")
        caption = "The assessed subjects by family of items; few items give wide intervals"
        yield Grid(caption, heads, rows)


def _items(report: Report) -> Iterator[Content]:
    if not report["items"]:
        return
    names = [str(s) for s in report["items"][0]["outcomes"]]
    rows = tuple(
        (str(row["item"]), str(row["family"]), *(_outcome(row["outcomes"][n]) for n in names))
        for row in report["items"]
    )
    yield Heading("Item by item")
    caption = "Who solved it, and where the crash was or what the mended source showed"
    yield Grid(caption, ("Item", "Family", *names), rows)


def _outcome(of: Mapping[str, Any]) -> str:
    count = f" {of['solved']}/{of['n']}" if of["n"] > 1 else ""
    if not of["n"]:
        return "not run"
    said = [f"score {_share(of['partial'])}"] if "partial" in of else []
    if of["solved"]:
        return f"solved{count}: {'; '.join([*said, of['where']])}"
    return ": ".join([f"not solved{count}", *said])


def _scale(report: Report, drawn: Mapping[str, Sequence[Figure]]) -> Iterator[Content]:
    yield Heading("Ability and time horizon")
    ladder = report["ladder"]
    if ladder["subjects"]:
        yield from drawn.get("ladder", [])
        rows = tuple(
            (r["name"], r["ability"], f"{r['low']} to {r['high']}") for r in ladder["subjects"]
        )
        unit = (
            f"one unit multiplies the odds of solving a typical item by {ladder['unit_odds_ratio']}"
        )
        caption = f"Ability ladder, on a scale of this run alone: {unit}"
        yield Grid(caption, ("Subject", "Ability", "95% interval"), rows)
    else:
        yield Text(f"Ability: {ladder['reason']}.")
    if not report["horizons"]:
        yield Text(f"Time horizon: {NOTHING.lower()} The items' human times are not at hand.")
        return
    yield from drawn.get("horizon", [])
    heads = ("Subject", "50% horizon", "95% interval", "80% horizon", "95% interval")
    caption = "Time horizon: how long a task, in human minutes, is solved half of the time"
    yield Grid(caption, heads, tuple(_horizon(row) for row in report["horizons"]))


def _horizon(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["p50_minutes"] is None:
        return str(row["name"]), f"none: {row['reason']}", "", "", ""
    return (
        str(row["name"]),
        *(
            text
            for share in ("p50", "p80")
            for text in (_minutes(row[f"{share}_minutes"]), _bounds(row[f"{share}_ci95"]))
        ),
    )


def _minutes(value: str | None) -> str:
    return "none" if value is None else f"{float(value):,.3g} min"


def _bounds(pair: Sequence[str | None] | None) -> str:
    if pair is None:
        return ""
    low, high = ("no bound" if value is None else f"{float(value):,.3g}" for value in pair)
    return f"{low} to {high}"


def _cost(report: Report, drawn: Mapping[str, Sequence[Figure]]) -> Iterator[Content]:
    if not report["cost"]:
        return
    yield Heading("Cost")
    yield from drawn.get("cost", [])
    rows = tuple(
        (
            str(curve["subject"]),
            str(curve["unit"]),
            _amount(point["spent"]),
            _share(point["estimate"]),
            between(point),
        )
        for curve in report["cost"]
        for point in (curve["points"][len(curve["points"]) // 2], curve["points"][-1])
    )
    heads = ("Subject", "Unit", "At most, a sample", "Share solved", "95% interval")
    yield Grid(
        "What it cost: share of the samples solved at half way and at the whole", heads, rows
    )


def _gaps(report: Report, drawn: Mapping[str, Sequence[Figure]]) -> Iterator[Content]:
    gaps = report["gaps"]
    yield Heading("Contamination: published against fresh items")
    if not gaps["rows"]:
        yield Text(f"{gaps['reason'].capitalize()}.")
        return
    yield from drawn.get("gaps", [])
    rows = tuple(
        (
            str(row["subject"]),
            *(f"{_share(row[k]['estimate'])} of {row[k]['n']}" for k in ("published", "fresh")),
            _signed(row["difference"]["estimate"]),
            _signs(row["difference"]),
        )
        for row in gaps["rows"]
    )
    yield Grid(
        "Share solved on items published before the run, less that on fresh ones; a tool has"
        " nothing to remember, so a gap that it shares is difficulty",
        ("Subject", "Published", "Fresh", "Difference", "95% interval"),
        rows,
    )


def _measured(report: Report) -> Iterator[tuple[str, str]]:
    told = report["measured"]
    suite = told["suite"]
    budgets = (
        ", ".join(f"{amount:,} {name.replace('_', ' ')}" for name, amount in budget.items())
        for budget in told["budgets"]
    )
    pairs = {
        "Suite": f"{suite.get('name', '')} {suite.get('version', '')}",
        "Suite digest": suite.get("digest", ""),
        "Counted as solved from a score of": suite.get("solved_at", ""),
        "Domains": ", ".join(told["domains"]),
        "Items and trials": f"{suite['items']} items in {told['families']} families,"
        f" {told['trials']} trial(s) each",
        "Budget of an item": "; ".join(budgets),
        "Seed": told["seed"],
        **{
            f"Isolation: {key.replace('_', ' ')}": value
            for key, value in report["isolation"].items()
        },
        **dict(_recorded(report["recorded"])),
        "Run": f"{told['run']}, committed {told['committed_at']}, finished {told['finished_at']}",
        "Metered calls": _calls(told["calls"]),
        "Committed before the first sample": told["commitment_digest"],
        "Result digest": told["result_digest"],
        "Assessment digest": told["assessment_digest"],
    }
    return ((name, str(value)) for name, value in pairs.items() if value not in ("", None))


def _recorded(recorded: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What else the assessment records: an object field by field, nothing where it is empty."""
    for key, value in recorded.items():
        if isinstance(value, Mapping):
            rows = ((f"{label(key)}: {str(k).replace('_', ' ')}", v) for k, v in value.items())
            # a title says what a name is short for
            named = f"{label(key)}: name" if "title" in value else ""
            yield from ((words, _words(v)) for words, v in rows if v and words != named)
        elif value:
            yield label(key), _words(value)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{label(str(k)).lower()} {_words(v)}" for k, v in value.items() if v)
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    return str(value)


def _calls(rows: Sequence[Mapping[str, int]]) -> str:
    if not rows:
        return "none"
    parts = (f"{row['calls']:,} with status {row['status'] or 'none'}" for row in rows)
    return f"{sum(row['calls'] for row in rows):,} ({', '.join(parts)})"
