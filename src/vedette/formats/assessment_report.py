"""The report of an assessment: one HTML page that needs nothing else, for people.

Everything that came from a run is data: it is escaped, and never markup. The page carries its
marking at top and bottom, and shows trajectories of samples drawn by the run's own commitment, so
that nobody picks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from vedette.formats.assessment_content import contents, partial_words, title_of, uplift_words
from vedette.formats.document import Bullets, Content, Facts, Figure, Grid, Heading, Stamp, Text
from vedette.kernel.classification import Block
from vedette.kernel.markings import Marking
from vedette.kernel.portions import portion_mark

# how often reader and time stand across the page
MARKS = 40
_NUMBER = re.compile(r"[+-]?[\d,. /]*\d|[+-]?[\d.]+ to [+-]?[\d.]+|\d+ of \d+|none|no bound.*")


def render(
    report: Mapping[str, Any], stamp: Stamp | None = None, block: Block | None = None
) -> str:
    """Return the page.

    Args:
        report: a report as `bench.report.build` gives it.
        stamp: whose copy the page is, where it bears a watermark.
        block: the classification block, where its marking needs one.
    """
    style = files("vedette.formats").joinpath("assessment_report.css").read_text("utf-8")
    marking = str(report["marking"])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(marking)} · {escape(title_of(report))}</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n{_banner(marking, 'top')}\n<main>\n"
        + _portion_marked("\n".join(_sections(report, block)), Marking.parse(marking))
        + f"\n</main>\n{_stamped(stamp)}{_banner(marking, 'bottom')}\n</body>\n</html>\n"
    )


def _sections(report: Mapping[str, Any], block: Block | None) -> Iterator[str]:
    """The parts one by one; after the title and its words come the block and the main figures."""
    for place, part in enumerate(contents(report)):
        html = _part(part)
        yield html.replace("<p>", '<p class="lede">') if place == 1 else html
        if place == 1:
            yield _block(block)
            yield _cards(report)


def _cards(report: Mapping[str, Any]) -> str:
    subjects = report["subjects"]
    shown = [s for s in subjects if s["role"] == "assessed"] or subjects
    cards = "".join(
        f"<li><strong>{escape(str(subject['name']))}</strong>"
        f'<span class="figure">{score["solved"]} of {score["n"]}</span>'
        f"solved: a share of {float(score['estimate']):.2f}, 95% interval"
        f" {float(score['low']):.2f} to {float(score['high']):.2f}"
        f"{_small(partial_words(score['partial']) if 'partial' in score else '')}"
        f"{_small(_lifted(subject))}</li>"
        for subject in shown
        for score in [subject["score"]]
    )
    return f'<ul class="scores">{cards}</ul>'


def _lifted(subject: Mapping[str, Any]) -> str:
    words = uplift_words(subject["uplift"])
    return f"Uplift {words}" if words else ""


def _small(words: str) -> str:
    return f"<small>{escape(words[:1].upper() + words[1:])}</small>" if words else ""


def _part(part: Content) -> str:
    match part:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Text(text):
            return "".join(f"<p>{escape(line)}</p>" for line in text.split("\n\n") if line)
        case Facts(pairs):
            entries = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs)
            return f"<dl>{entries}</dl>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Grid(caption, heads, rows):
            return _table(caption, heads, rows)
        case Figure(svg, _, caption):
            return f"<figure>\n{svg}\n<figcaption>{escape(caption)}</figcaption></figure>"


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a column of figures is set flush right, and what was solved stands out."""
    numeric = [
        place > 0 and bool(rows) and all(_NUMBER.fullmatch(row[place]) for row in rows)
        for place in range(len(heads))
    ]
    kinds = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(
        f'<th scope="col"{kind}>{escape(text)}</th>'
        for kind, text in zip(kinds, heads, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(
            f"<td{kind}>{_cell(cell)}</td>" for kind, cell in zip(kinds[1:], row[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    outcome, _, rest = text.partition(": ")
    small = f"<small>{escape(rest)}</small>" if rest else ""
    if re.fullmatch(r"solved( \d+/\d+)?", outcome):
        return f'<span class="solved">{outcome}</span>{small}'
    if re.fullmatch(r"not solved( \d+/\d+)?|not run|Not recorded", outcome):
        return f'<span class="open">{outcome}</span>{small}'
    return escape(text)


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
    return re.sub(r"<(h[123])\b([^>]*)>", lambda found: f"{found[0]}{mark}", page)


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
