"""An edition as an accessible PDF (PDF/UA-1 and PDF/A-2a), set by Typst, offline.

Banner at top and bottom of every page, the classification block on the first, a mark before each
portion, headings as bookmarks, the plot as vector; on every page whose copy it is; on the last
where it comes from. Bounded: `LONGEST` characters in, `SECONDS` and `MEMORY` for the setting.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vedette.formats.document import (
    GAP,
    Bullets,
    Content,
    Edition,
    Facts,
    Figure,
    Grid,
    Heading,
    Stamp,
    Text,
    visible,
)
from vedette.kernel.errors import BadInput, OurFault
from vedette.kernel.markings import CLEAR
from vedette.kernel.portions import Gap, Portion, portion_mark

TEMPLATE = Path(__file__).parent / "document.typ"
LONGEST = 3_000_000
SECONDS = 60
MEMORY = 2 * 1024**3
# a word longer than this may be broken anywhere, or it would run off the page
UNBROKEN = 34
# no other character ends a line here: those are shown
_BREAK = re.compile(r"\r\n|\r|\n")


def to_pdf(edition: Edition, stamp: Stamp | None, provenance: Sequence[tuple[str, str]]) -> bytes:
    """Set an edition.

    Raises:
        BadInput: it is longer than LONGEST characters.
        ModuleNotFoundError: the extra [server] is not installed.
    """
    if importlib.util.find_spec("typst") is None:
        raise ModuleNotFoundError("No module named 'typst'", name="typst")
    data = json.dumps(data_of(edition, stamp, provenance), ensure_ascii=False)
    if len(data) > LONGEST:
        raise BadInput(
            f"the document has {len(data):,} characters, a PDF takes {LONGEST:,}",
            kept="the document",
            next_step="take it as JSON",
        )
    return _set(data)


def _set(data: str) -> bytes:
    limits = [str(MEMORY), str(SECONDS)]
    command = [sys.executable, "-m", "vedette.formats.typesetting", str(TEMPLATE), *limits]
    try:
        made = subprocess.run(
            command, input=data.encode(errors="replace"), capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BadInput(
            f"the document could not be set within {SECONDS} seconds",
            kept="the document",
            next_step="take it as JSON",
        ) from None
    if made.returncode or not made.stdout.startswith(b"%PDF"):
        last = made.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise OurFault(f"the PDF could not be set: {visible(' '.join(last))[:300]}")
    return made.stdout


def data_of(
    edition: Edition, stamp: Stamp | None, provenance: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """What the template takes: text by its lines, and nothing but text."""
    line = stamp.line if stamp else ""
    block = edition.block
    return {
        "title": visible(edition.title)[:300].strip() or edition.kind,
        "kind": visible(edition.kind),
        "banner": edition.banner,
        "colour": edition.marking.tlp.name.lower().removesuffix("_strict"),
        "instance": visible(stamp.instance) if stamp else "Vedette",
        "keywords": [edition.id, *([stamp.code] if stamp and stamp.code else [])],
        "description": visible(f"{edition.banner} {stamp.sentence if stamp else ''}").strip(),
        "stamp": line,
        "watermark": [visible(part) for part in stamp.short] if stamp else [],
        "block": [[_lines(label), _lines(value)] for label, value in block.lines] if block else [],
        "sources": [_lines(source) for source in block.sources] if block else [],
        # these lists say nothing of the content: they stand at the lowest marking
        "mark": portion_mark(CLEAR, edition.marking),
        "parts": list(_parts(edition)),
        "provenance": [[_lines(label), _value(value)] for label, value in provenance],
    }


def _parts(edition: Edition) -> Iterator[dict[str, Any]]:
    """The parts as the template takes them; a PDF for all readers begins with its title."""
    first = next(edition.portions, None)
    titled = first is not None and first == edition.parts[0] and _is_title(first.content)
    if not titled:
        mark = portion_mark(CLEAR, edition.marking)
        lines = _lines(edition.kind.capitalize())
        yield {"kind": "heading", "lines": lines, "level": 1, "mark": mark, "first": True}
    for number, part in enumerate(edition.parts):
        if isinstance(part, Gap):
            yield {"kind": "gap", "lines": [GAP]}
        else:
            yield {"mark": edition.mark(part), **_content(part), "first": titled and number == 0}


def _is_title(content: Content) -> bool:
    return isinstance(content, Heading) and content.level == 1


def _content(part: Portion[Content]) -> dict[str, Any]:
    match part.content:
        case Heading(text, level):
            return {"kind": "heading", "lines": _lines(text), "level": level}
        case Text(text):
            paragraphs = [block for block in text.split("\n\n") if block.strip()] or [""]
            return {"kind": "text", "paragraphs": [_lines(block) for block in paragraphs]}
        case Facts(pairs):
            return {"kind": "facts", "pairs": [[_lines(name), _value(v)] for name, v in pairs]}
        case Bullets(items):
            return {"kind": "bullets", "entries": [_lines(item) for item in items]}
        case Grid(caption, heads, rows):
            return {
                "kind": "grid",
                "caption": _lines(caption),
                "heads": [_lines(head) for head in heads],
                "rows": [[_value(cell) for cell in row] for row in rows],
            }
        case Figure(svg, words, caption):
            return {
                "kind": "figure",
                "svg": svg,
                "words": visible(words),
                "caption": _lines(caption),
            }


def _value(text: str) -> Mapping[str, Any]:
    return {"lines": _lines(text), "code": text.startswith(("sha256:", "ed25519:"))}


def _lines(text: str) -> list[str]:
    """The lines of a text, each visible and breakable."""
    return [breakable(visible(line)) for line in _BREAK.split(text)]


def breakable(text: str) -> str:
    """`text` with a place to break in words that would run off the page."""
    return " ".join(
        word
        if len(word) <= UNBROKEN
        else "\u200b".join(word[n : n + UNBROKEN] for n in range(0, len(word), UNBROKEN))
        for word in text.split(" ")
    )
