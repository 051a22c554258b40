"""What leaves about a run is looked through for anything of its sealed items, and fails closed.

The assessment of a run on sealed items is kept unsealed, so it holds none of a transcript's words:
they stand on the run's page, sealed with its result.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vedette.bench.assessment import Assessment
from vedette.kernel.errors import Refused
from vedette.services.suites import guard_of, row_of
from vedette.store.models import Run


def check_releasable(run: Run, document: Any) -> None:
    """Raise Refused where a document that would leave tells anything of a run's sealed items.

    Where it can't be looked through (the suite's record is gone, or does not open) the error of
    that comes through, and it does not leave either. Shipped items are public.
    """
    if not run.items:
        return
    told = guard_of(row_of(run.suite, run.suite_digest)).told(document)
    if told:
        raise Refused(
            f"the summary holds {told} of a sealed suite",
            kept="the assessment; nothing was sent",
            next_step="take it out of the limits or the reasons that were typed, then share again",
        )


LEFT_OUT = "A note of the run is left out here: it holds words of a sealed item."


def without_words(run: Run, made: Assessment) -> Assessment:
    """An assessment as it is kept: of sealed items without any transcript's or item's words."""
    if not run.items:
        return made
    guard = guard_of(row_of(run.suite, run.suite_digest))
    notes = tuple(LEFT_OUT if guard.told(note) else note for note in made.notes)
    return replace(made, notes=notes, flags={**made.flags, "flags": []})
