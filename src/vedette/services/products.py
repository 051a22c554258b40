"""The products that the indexes in hand know, prepared by a job when an index comes in.

Rules:
- A typed list is compared with what is prepared; no advisory is read for it.
- Where the job has not run yet, the index itself is read, once a process.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from django.db import transaction

from vedette.matching import candidates
from vedette.matching.candidates import Known
from vedette.matching.index import Index
from vedette.services.jobs import job
from vedette.store.models import IndexBuild, KnownProducts
from vedette.store.tenancy import SYSTEM, scoped

_known: dict[tuple[str, ...], Known] = {}
_one_at_a_time = Lock()


@job(queue="long")
def prepare_products(index: str) -> None:
    """Prepare an index's products, and forget those of indexes that count no more. Idempotent."""
    with transaction.atomic(), scoped(SYSTEM):
        build = IndexBuild.objects.filter(id=index, current=True).first()
    if build is None:
        return
    rows = candidates.prepare(Index(bytes(build.data), build.digest))
    with transaction.atomic(), scoped(SYSTEM):
        KnownProducts.objects.exclude(build__current=True).delete()
        KnownProducts.objects.update_or_create(
            build=build, defaults={"org_id": build.org_id, "rows": rows}
        )


def known_products() -> Known:
    """The products of the newest index of each maker, kept while these are the newest."""
    with transaction.atomic(), scoped(SYSTEM):
        rows = IndexBuild.objects.filter(current=True).order_by("built_at", "pk")
        builds = dict(rows.values_list("id", "digest"))
    names = tuple(builds.values())
    with _one_at_a_time:
        if names not in _known:
            _known.clear()
            _known[names] = Known.of(row for build in builds for row in _rows(build))
        return _known[names]


def _rows(build: str) -> list[Any]:
    with transaction.atomic(), scoped(SYSTEM):
        found = KnownProducts.objects.filter(build_id=build).first()
        if found is not None:
            return list(found.rows)
        row = IndexBuild.objects.get(id=build)
    return candidates.prepare(Index(bytes(row.data), row.digest))
