"""Every router of the API, one a line; the API is complete when this module is imported."""

from __future__ import annotations

from vedette.web.api import (
    access,
    advisories,
    assessment,
    cases,
    custody,
    delegated_vex,
    documents,
    early,
    engagement,
    feeds,
    findings,
    instance,
    inventories,
    mandates,
    matches,
    notices,
    partners,
    publications,
    readiness,
    reviews,
    scans,
    suites,
    vex,
)
from vedette.web.api.root import api

ROUTERS = (
    ("", access.router),
    ("", advisories.router),
    ("", assessment.router),
    ("", cases.router),
    ("", custody.router),
    ("", delegated_vex.router),
    ("", documents.router),
    ("", early.router),
    ("", engagement.router),
    ("", feeds.router),
    ("", findings.router),
    ("", instance.router),
    ("", inventories.router),
    ("", mandates.router),
    ("", matches.router),
    ("", notices.router),
    ("", partners.router),
    ("", publications.router),
    ("", readiness.router),
    ("", scans.router),
    ("", suites.router),
    ("", vex.router),
    ("", reviews.router),
)

for prefix, router in ROUTERS:
    api.add_router(prefix, router)

__all__ = ["api"]
