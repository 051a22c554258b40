"""The addresses of findings, cases, advisories, notices and inventories."""

from __future__ import annotations

from django.urls import path, re_path

from vedette.web.pages import (
    advisories,
    case_acts,
    cases,
    finding_acts,
    findings,
    inventories,
    matches,
    notices,
    scans,
    testbeds,
    typed,
)

urlpatterns = [
    path("findings/", findings.list_findings, name="findings"),
    path("findings/report/", finding_acts.report, name="finding-report"),
    path("findings/<str:finding_id>/", findings.finding, name="finding"),
    path("findings/<str:finding_id>/recipe.json", findings.recipe_file, name="finding-recipe"),
    path("findings/<str:finding_id>/execute/", finding_acts.execute_again, name="finding-execute"),
    path("findings/<str:finding_id>/<str:name>/", finding_acts.act, name="finding-act"),
    path("cases/", cases.list_cases, name="cases"),
    path("cases/<str:case_id>", cases.case),  # as mail writes it
    path("cases/<str:case_id>/", cases.case, name="case"),
    path("cases/<str:case_id>/participants/", cases.participants, name="case-participants"),
    path("cases/<str:case_id>/notes/", cases.notes, name="case-notes"),
    path(
        "cases/<str:case_id>/recipes/<str:finding_id>.json",
        cases.recipe_file,
        name="case-recipe",
    ),
    path("cases/<str:case_id>/<str:name>/", case_acts.act, name="case-act"),
    path("advisories/", advisories.list_advisories, name="advisories"),
    path("advisories/<str:tracking_id>/", advisories.advisory, name="advisory"),
    re_path(
        r"^advisories/(?P<tracking_id>[^/]+)/(?P<format_>csaf|osv)\.json$",
        advisories.document,
        name="advisory-document",
    ),
    path("scans/", scans.list_scans, name="scans"),
    path("scans/new/", scans.new, name="scan-new"),
    path("scans/wishes/", scans.list_wishes, name="scan-wishes"),
    path("scans/wishes/<str:wish_id>/withdraw/", scans.withdraw_wish, name="wish-withdraw"),
    path("scans/<str:scan_id>/", scans.scan, name="scan"),
    path("scans/<str:scan_id>/consent/", scans.consent, name="scan-consent"),
    path("scans/<str:scan_id>/end/", scans.end, name="scan-end"),
    path("testbeds/", testbeds.list_testbeds, name="testbeds"),
    path("testbeds/offer/", testbeds.offer, name="testbed-offer"),
    path("testbeds/<str:testbed_id>/withdraw/", testbeds.withdraw, name="testbed-withdraw"),
    path("notices/", notices.list_notices, name="notices"),
    path("notices/answer/", notices.answer_several, name="notices-answer"),
    path("notices/undo/", notices.undo_several, name="notices-undo"),
    path("notices/<str:notice_id>/", notices.notice, name="notice"),
    path("notices/<str:notice_id>/verify/", notices.verify, name="notice-verify"),
    path("matches/", matches.list_matches, name="matches"),
    path("matches/mark/", matches.mark, name="matches-mark"),
    path("matches/again/", matches.again, name="matches-again"),
    path("inventories/", inventories.list_inventories, name="inventories"),
    path("inventories/type/", typed.type_list, name="inventory-type"),
    path("inventories/take/", inventories.take, name="inventory-take"),
    path("inventories/pull/", inventories.pull, name="index-pull"),
    path("inventories/<str:inventory_id>/", inventories.inventory, name="inventory"),
]
