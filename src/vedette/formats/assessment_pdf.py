"""A report of an assessment as a PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vedette import __version__
from vedette.formats import document_pdf
from vedette.formats.assessment_content import contents
from vedette.formats.document import Edition, Stamp
from vedette.kernel.classification import Block
from vedette.kernel.markings import Marking
from vedette.kernel.portions import Portion, Source


def to_pdf(
    report: Mapping[str, Any],
    *,
    marking: Marking,
    source: Source,
    block: Block | None,
    stamp: Stamp | None = None,
) -> bytes:
    """Set a report as `bench.report.build` gives it. Raises as `document_pdf.to_pdf`."""
    told = report["measured"]
    parts = tuple(Portion(content, marking, (source,)) for content in contents(report))
    edition = Edition(
        "assessment", told["run"], told["assessment_digest"], parts, left_out=False, block=block
    )
    provenance = (
        ("Run", told["run"]),
        ("Edition", f"for {report['audience']}"),
        ("Made", f"{report['made_at']} with Vedette {__version__}"),
        ("Made from the assessment", told["assessment_digest"]),
        ("Committed before the first sample", told["commitment_digest"]),
        ("Result", told["result_digest"]),
    )
    return document_pdf.to_pdf(edition, stamp, provenance)
