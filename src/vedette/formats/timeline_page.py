"""The story of several ledgers as one page: a picture with a lane an instance, and a table.

Self-contained: nothing is loaded from elsewhere, nothing runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from vedette.kernel.clock import format_time
from vedette.ledger.timeline import Crossing, Moment, Story

ROW, TOP, LEFT, LANE, DAY = 26, 72, 150, 290, 22
FITS = 42
HIDDEN = ("message:message:delivered", "message:message:accepted")
COLOURS = ("#1a4480", "#8b0a03", "#2e5e2a", "#6b3fa0", "#7a4e00", "#0b5c6b")


def render(story: Story, heading: str, lanes: Sequence[str]) -> str:
    """Return the page. `lanes` gives the instances' order from left to right."""
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(heading)}</title><style>{STYLE}</style></head><body>\n"
        f"<main><h1>{escape(heading)}</h1>\n<p>{len(story.moments)} ledger entries of"
        f" {len(lanes)} instances; {len(story.crossings)} messages crossed. Each arrow is one"
        " message, joined by its id from two ledgers that share nothing else.</p>\n"
        f'<figure class="scroll" tabindex="0" role="group" aria-label="Timeline">'
        f"{_picture(story, lanes)}"
        "<figcaption>The same entries stand in the table below.</figcaption></figure>\n"
        f"{_table(story)}</main></body></html>\n"
    )


@dataclass(frozen=True)
class _Line:
    """One line of the picture: an entry, or several of one ledger's own housekeeping."""

    first: int
    moment: Moment
    label: str


def _lines(story: Story) -> list[_Line]:
    lines: list[_Line] = []
    kept: dict[str, tuple[int, list[Moment]]] = {}
    for position, moment in enumerate(story.moments):
        event = moment.entry.event
        if event in HIDDEN:
            continue
        if event.startswith("instance:"):
            kept.setdefault(moment.ledger, (len(lines), []))[1].append(moment)
            if len(kept[moment.ledger][1]) == 1:
                lines.append(_Line(position, moment, ""))
            continue
        kept.pop(moment.ledger, None)
        lines.append(_Line(position, moment, _label(moment)))
    return [line if line.label else _folded(line, story) for line in lines]


def _folded(line: _Line, story: Story) -> _Line:
    """Founding, peers and people of one ledger in one line, up to its next other entry."""
    counts: Counter[str] = Counter()
    for moment in story.moments[line.first :]:
        if moment.ledger != line.moment.ledger or moment.entry.event in HIDDEN:
            continue
        if not moment.entry.event.startswith("instance:"):
            break
        counts[moment.title.lower()] += 1
    words = [f"{n} × {what}" if n > 1 else what for what, n in counts.items()]
    return replace(line, label=", ".join(words).capitalize())


def _label(moment: Moment) -> str:
    if moment.entry.event == "message:message:sent":
        return (moment.name or "message").replace(".", " ").replace("-", " ")
    return moment.title + (f": {moment.name}" if moment.name else "")


def _picture(story: Story, lanes: Sequence[str]) -> str:
    lines = _lines(story)
    row_of = {line.first: row for row, line in enumerate(lines)}
    days = len({f"{line.moment.entry.time:%Y%m%d}" for line in lines})
    height = TOP + ROW * (len(lines) + 1) + DAY * days
    width = LEFT + LANE * len(lanes)
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        ' aria-label="One lane an instance, time running down, an arrow a message">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#565c65"/></marker></defs>',
    ]
    for index, lane in enumerate(lanes):
        x = LEFT + LANE * index
        parts.append(
            f'<text class="lane" x="{x}" y="28">{escape(lane)}</text>'
            f'<line x1="{x + 5}" y1="40" x2="{x + 5}" y2="{height - 8}" stroke="#dfe1e2"/>'
        )
    y, day, at = TOP, "", {}
    for line in lines:
        today = f"{line.moment.entry.time:%d %b %Y}".lstrip("0")
        if today != day:
            y += DAY if day else 0
            parts.append(
                f'<line x1="0" y1="{y - 26}" x2="{width}" y2="{y - 26}" stroke="#a9aeb1"/>'
                f'<text class="day" x="0" y="{y + 4}">{today}</text>'
            )
            day = today
        at[line.first] = y
        parts.append(_entry(line, y, lanes))
        y += ROW
    parts += [_arrow(c, story, at, lanes) for c in story.crossings if c.sent in row_of]
    return "".join([*parts, "</svg>"])


def _entry(line: _Line, y: int, lanes: Sequence[str]) -> str:
    index = lanes.index(line.moment.ledger)
    x = LEFT + LANE * index
    short = line.label if len(line.label) <= FITS else line.label[: FITS - 1] + "…"
    style = ' class="sent"' if line.moment.entry.event == "message:message:sent" else ""
    return (
        f'<circle cx="{x + 5}" cy="{y}" r="4.5" fill="{COLOURS[index % len(COLOURS)]}"/>'
        f'<text{style} x="{x + 16}" y="{y + 4}"><title>{escape(line.label)}</title>'
        f"{escape(short)}</text>"
        f'<text class="hour" x="{LEFT - 12}" y="{y + 4}">{line.moment.entry.time:%H:%M}</text>'
    )


def _arrow(crossing: Crossing, story: Story, at: dict[int, int], lanes: Sequence[str]) -> str:
    """From the sender's dot, just below its line, to the receiver's lane."""
    source, target = story.moments[crossing.sent], story.moments[crossing.accepted]
    x1 = LEFT + LANE * lanes.index(source.ledger) + 5
    x2 = LEFT + LANE * lanes.index(target.ledger) + 5
    y, side = at[crossing.sent], 1 if x2 > x1 else -1
    return (
        f'<path d="M{x1} {y + 6} L{x1} {y + 11} L{x2 - 7 * side} {y + 11}" fill="none"'
        ' stroke="#565c65" stroke-width="1.2" marker-end="url(#tip)"/>'
    )


def _table(story: Story) -> str:
    rows = "".join(
        f"<tr><td>{format_time(m.entry.time)}</td><td>{escape(m.ledger)}</td>"
        f"<td>{escape(m.title)}</td><td>{escape(m.name)}</td>"
        f"<td><code>{escape(m.entry.object_id)}</code></td>"
        f"<td><code>{escape(m.entry.message_id or '')}</code></td></tr>"
        for m in story.moments
    )
    return (
        '<details><summary>All entries as a table</summary><div class="scroll" tabindex="0"'
        ' role="group" aria-label="All entries"><table><thead><tr><th scope="col">Time (UTC)</th>'
        '<th scope="col">Instance</th><th scope="col">Event</th><th scope="col">What</th>'
        '<th scope="col">Object</th><th scope="col">Message</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>\n"
    )


STYLE = (
    "body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff}"
    "main{max-width:1320px;margin:0 auto;padding:24px 20px 64px}h1{font-size:1.8rem;margin:0 0 8px}"
    "figure{margin:24px 0}.scroll{overflow:auto;border:1px solid #dfe1e2;padding:8px}"
    "figcaption{color:#565c65;font-size:.875rem}svg text{font-size:12.5px;fill:#1b1b1b}"
    "svg .lane{font-size:15px;font-weight:700}svg .day{font-weight:700}"
    "svg .sent{font-style:italic;fill:#3d4551}"
    "svg .hour{fill:#565c65;text-anchor:end;font-size:11px}"
    "table{border-collapse:collapse;font-size:.8125rem}"
    "th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #dfe1e2}"
    "th,td{white-space:nowrap}"
    "code{font-size:.75rem}"
    "summary{cursor:pointer;font-weight:600;padding:8px 0}"
)
