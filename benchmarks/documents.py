"""Documents: an assessment set as an accessible PDF, beside the same engine on an empty page.

Each is one process from its start to the finished file, with its time and its largest memory: a
page of nothing; an assessment of eight subjects with plot, banner, portion marks and watermark; and
a document of about a hundred pages of text.
"""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from benchmarks.child import compare
from benchmarks.result import Result, Skipped
from vedette.formats.assessment_document import assessment_portions
from vedette.formats.document import Content, Document, Edition, Heading, Stamp, Text, edition_for
from vedette.formats.document_pdf import MEMORY, SECONDS, TEMPLATE, data_of
from vedette.kernel.classification import Authority, Rules
from vedette.kernel.markings import AMBER, RED
from vedette.kernel.packs import default_pack
from vedette.kernel.portions import Portion

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
STAMP = Stamp("Eve", "eve@office.example", NOW, "Office", "assessment-1", "copy-7k2m9x4qwb3n8rtz")
EMPTY = b"#set document(title: [Nothing])\n= Nothing\n"
LINE = "The quick brown fox jumps over the lazy dog. " * 8


def run(quick: bool) -> list[Result]:
    if find_spec("typst") is None or find_spec("matplotlib") is None:
        raise Skipped("the extras [server] and [bench] are not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty.typ").write_bytes(EMPTY)
        commands = {
            "empty": _command(folder / "empty.typ", folder / "empty.json", "{}"),
            "assessment": _command(TEMPLATE, folder / "a.json", _data(_assessment())),
            "pages": _command(TEMPLATE, folder / "p.json", _data(_pages(40 if quick else 800))),
        }
        found = compare(commands, 1 if quick else 7)
    empty_seconds, empty_memory = found["empty"]
    peer = "the engine on an empty page"
    names = {"assessment": "an assessment", "pages": "about 100 pages of text"}
    return [
        result
        for key, what in names.items()
        for result in (
            Result(f"{what}: time", "s", found[key][0], empty_seconds, peer),
            Result(f"{what}: memory", "MiB", found[key][1], empty_memory, peer),
        )
    ]


def _command(template: Path, file: Path, data: str) -> list[str]:
    file.write_text(data, "utf-8")
    words = [sys.executable, "-m", "vedette.formats.typesetting", str(template)]
    line = shlex.join([*words, str(MEMORY), str(SECONDS)])
    return ["/bin/sh", "-c", f"exec {line} < {shlex.quote(str(file))}"]


def _data(edition: Edition) -> str:
    said = data_of(edition, STAMP, [("Made with", edition.made_with)])
    return json.dumps(said, ensure_ascii=False)


def _edition(portions: list[Portion[Content]]) -> Edition:
    return edition_for(
        Document("assessment", "assessment-1", "", tuple(portions)),
        RED,
        authority=Authority("", "Office"),
        rules=Rules.of(default_pack()),
        gaps=True,
        now=NOW,
    )


def _assessment() -> Edition:
    score = {"n": 40, "solved": 17, "estimate": "0.43", "low": "0.30", "high": "0.57"}
    used = {"calls": 400, "input_tokens": 9_000, "output_tokens": 8_000, "executions": 120}
    subjects = [
        {
            "name": f"subject-{n}",
            "role": "reference" if n else "assessed",
            "score": score,
            "families": {f"family-{family}": score for family in range(6)},
            "used": used,
            "seconds": "61.0",
        }
        for n in range(8)
    ]
    digest = "sha256:" + "a" * 64
    document = {
        "run": "run-1",
        "suite": {"name": "daemons", "version": "1", "digest": digest, "items": 40},
        "subjects": subjects,
        "isolation": {"network": "none", "sandbox": "bubblewrap"},
        "trials": 1,
        "limits": ["The intervals say how far that carries."] * 5,
        "commitment_digest": digest,
        "result_digest": digest,
        "made_at": "2026-12-01T09:00:00Z",
    }
    return _edition(assessment_portions(document, whole=AMBER, sources=()))


def _pages(paragraphs: int) -> Edition:
    text: list[Portion[Content]] = [Portion(Text(LINE), AMBER) for _ in range(paragraphs)]
    return _edition([Portion(Heading("Pages", 1), AMBER), *text])
