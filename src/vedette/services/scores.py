"""EPSS: how likely it is that a vulnerability is exploited within 30 days, as a fact beside others.

Rules:
- A newer set of scores takes the place of the one here, whole.
- A score moves no deadline and no order; the directive's row does not know it.
- Of a notice on several vulnerabilities the highest score is shown.

Source: FIRST, EPSS, CSV of `cve,epss,percentile`, as `vedette feeds sync` keeps it.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable

from vedette.formats import exploited_in
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.markings import CLEAR
from vedette.services.acting import Actor, act
from vedette.services.sources import CVE, EPSS, may_feed
from vedette.store.models import ExploitScore, NoticeName, SourceAdvisory

MAX_BYTES = 64 * MIB
BATCH = 2_000


def import_epss(actor: Actor, data: bytes) -> int:
    """Take a set of EPSS scores, plain or gzipped; return how many. Raises BadInput."""
    needed = may_feed(actor)
    actor.require(needed)
    try:
        read = exploited_in.read_epss(_plain(data), "scores")
    except csv.Error as error:
        raise BadInput(f"scores: no CSV ({error})", kept="the scores as they were") from None
    scores = {
        name: score for name, score in read.items() if CVE.fullmatch(name) and 0 <= score <= 1
    }
    if not scores:
        raise BadInput("scores: none of a CVE, 0 to 1", kept="the scores as they were")
    with act(actor, needed) as doing:
        ExploitScore.objects.all().delete()
        ExploitScore.objects.bulk_create(
            (ExploitScore(cve=name, score=score) for name, score in scores.items()),
            batch_size=BATCH,
        )
        SourceAdvisory.objects.update_or_create(
            org_id=doing.here.org,
            source=EPSS,
            key=EPSS,
            defaults={"document": "", "digest": digest(data), "taken_at": doing.now},
        )
        doing.record(
            Event.INDEX_ADVISORIES_IMPORTED,
            EPSS,
            {"digest": digest(data), "scores": len(scores)},
            marking=str(CLEAR),
        )
    return len(scores)


def _plain(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise BadInput("scores: the gzip can't be read", kept="the scores as they were") from None
    if len(content) > MAX_BYTES:
        raise BadInput(f"scores: more than {MAX_BYTES:,} bytes unpacked")
    return content


def of_notices(notices: Iterable[str]) -> dict[str, float]:
    """The highest score of each notice's vulnerabilities, 0 to 1; under the reader's scope."""
    names = NoticeName.objects.filter(notice_id__in=list(notices), name__startswith="CVE-")
    by_notice = list(names.values_list("notice_id", "name"))
    known = ExploitScore.objects.filter(cve__in=["", *(name for _, name in by_notice)])
    scores = dict(known.values_list("cve", "score"))
    found: dict[str, float] = {}
    for notice, name in by_notice:
        if name in scores:
            found[notice] = max(scores[name], found.get(notice, 0.0))
    return found
