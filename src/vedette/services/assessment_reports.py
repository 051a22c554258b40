"""The report of an assessment made here, in an edition for one of three readers.

Rules:
- Only the office makes reports, of runs that it ran; where the terms keep a window's material on
  the pages, none leaves.
- An edition is made again from the run each time, and only while the run still gives the assessment
  that was recorded.
- A signed statement is signed by this instance; it is about the report by its own digest.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vedette.bench.report import Audience, build
from vedette.bench.report_parts import Facts, facts_of
from vedette.formats.assessment_pdf import to_pdf
from vedette.formats.assessment_report import render
from vedette.formats.attestation import attest
from vedette.formats.document import Stamp
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.runner.export import export_eval
from vedette.runner.runfolder import MEMORY, in_memory
from vedette.services import assessments, runs
from vedette.services.acting import Actor, reading
from vedette.services.binding import require_export
from vedette.services.document_kinds import sources_of
from vedette.services.documents import leaving_block
from vedette.services.here import here
from vedette.services.releasable import check_releasable
from vedette.services.sides import only
from vedette.services.suites import suite_of
from vedette.store.models import Assessment

# form -> content type, and how its file's name ends
FORMS = {
    "html": ("text/html; charset=utf-8", "html"),
    "pdf": ("application/pdf", "pdf"),
    "json": ("application/json", "json"),
    "intoto": ("application/vnd.in-toto+json", "intoto.json"),
    "eval": ("application/zip", "eval.zip"),
}


@dataclass(frozen=True)
class Edition:
    """A report as a file."""

    data: bytes
    content_type: str
    name: str


def report(
    actor: Actor,
    assessment_id: str,
    *,
    audience: str = "office",
    form: str = "html",
    stamp: Stamp | None = None,
) -> Edition:
    """The report for a reader in a form; `stamp` says whose copy a page or a PDF is."""
    only(Profile.OFFICE, actor)
    if audience not in {str(each) for each in Audience}:
        raise BadInput(f"for: {audience[:40]!r} is none of {', '.join(Audience)}")
    if form not in FORMS:
        raise BadInput(f"format: {form[:40]!r} is none of {', '.join(FORMS)}")
    with reading(actor, Permission.ASSESSMENT_READ):
        row = assessments.find_assessment(assessment_id)
        if row.act is not None:
            require_export(actor, row.act)
        if row.run is None:
            raise NotFound("this assessment has no run here")
        result = runs.result_of(row.run)
        block = leaving_block(Marking.parse(row.marking), sources_of(row))
        made = assessments.assessed_again(row)
        told = build(
            made,
            result,
            audience=Audience(audience),
            facts=_facts(row),
            sealed=bool(row.run.items),
        )
        if audience != Audience.OFFICE:
            check_releasable(row.run, told)
        match form:
            case "html":
                data = render(told, stamp, block).encode()
            case "pdf":
                marking = Marking.parse(row.marking)
                source = sources_of(row)[0]
                data = to_pdf(told, marking=marking, source=source, block=block, stamp=stamp)
            case "json":
                data = _json(told)
            case "intoto":
                data = _json(attest(told, {}, here().keys))
            case _:
                data = _logs(told, result)
    content_type, end = FORMS[form]
    return Edition(data, content_type, f"{row.id}-{audience}.{end}")


def _facts(row: Assessment) -> Facts:
    """What the suite says of its items; nothing where it is not here any more."""
    assert row.run is not None
    try:
        suite = suite_of(row.run.suite, row.run.suite_digest)
        return facts_of(suite.name, suite.items)
    except (BadInput, NotFound):
        return {}


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def _logs(told: dict[str, Any], result: Any) -> bytes:
    """Inspect's logs in one archive, written in memory: they may hold what is sealed."""
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory(dir=MEMORY if in_memory() else None) as folder:
        paths = export_eval(result, told, Path(folder), open_items=bool(told["items"]))
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in paths:
                archive.write(path, path.name)
    return buffer.getvalue()
