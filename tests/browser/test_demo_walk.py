"""Everybody of the demo walks through their portal with a real browser.

Every page that a person's links lead to is opened: no error in the console, nothing loaded from
elsewhere. One page of each kind is looked at on a desktop and on a phone: no barrier that axe
knows, nothing wider than the screen. The long run (or VEDETTE_SHOTS) walks as everybody, looks at
each person's pages, and keeps pictures.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from demo.stage import PASSWORD
from playwright.sync_api import Browser, expect
from tests.browser.visits import Visit, kind_of

# files to load down, and what is not the portal's
NOT_PAGES = (".json", ".ics", "/metrics")
LEDGERS = {"/messages/", "/messages/*/", "/ledger/"}
LAB = {"/plan/", "/plan/*/", "/dossier/", "/acts/", "/acts/*/", "/acts/*/terms/", "/sessions/*/"}
OFFICE = {"/acts/", "/acts/*/", "/acts/*/window/", "/acts/*/terms/", "/sessions/*/", "/runs/*/"}
RESULTS = {"/assessments/", "/assessments/*/", "/determinations/*/"}
CASES = {"/cases/", "/cases/*/", "/cases/*/severity/"}
NOTICES = {"/notices/", "/notices/*/", "/inventories/", "/inventories/*/"}
ADVISORIES = {"/advisories/", "/advisories/*/"}
LIVE_RUN_MS = 90_000
# what an act brought stays closed to whom its terms leave out, and the page says so
UNNAMED = "of the terms does not name you"
# two, since a page may differ by what it shows: an act with terms, an act without
OF_A_KIND = 2


@dataclass(frozen=True)
class Walk:
    """One person: the pages that links must lead to, and the addresses that stay closed."""

    instance: str
    email: str
    reach: set[str]
    closed: tuple[str, ...]
    long: bool = False

    @property
    def name(self) -> str:
        return f"{self.instance}-{self.email.split('@')[0]}"


WALKS = (
    Walk(
        "lab",
        "lead@meridian.example",
        LAB | LEDGERS | RESULTS | {"/acts/offer/*/determination-request/", "/models/"},
        ("/people/", "/runs/", "/cases/", "/notices/"),
    ),
    Walk("lab", "compliance@meridian.example", LAB | LEDGERS, ("/people/", "/models/"), long=True),
    Walk("lab", "admin@meridian.example", LEDGERS | {"/people/"}, ("/runs/",), long=True),
    Walk(
        "office",
        "officer@office.example",
        OFFICE | RESULTS | LEDGERS | {"/assessments/*/report/"},
        ("/plan/", "/people/", "/runs/new/", "/cases/"),
    ),
    Walk(
        "office",
        "evaluator@office.example",
        OFFICE | RESULTS | {"/runs/new/", "/findings/*/", "/assessments/*/report/"},
        ("/people/", "/plan/", "/dossier/"),
    ),
    Walk("office", "admin@office.example", LEDGERS | {"/people/"}, ("/plan/",), long=True),
    Walk(
        "clearinghouse",
        "coordinator@clearinghouse.example",
        CASES | ADVISORIES | LEDGERS | {"/findings/*/", "/cases/*/invite/", "/cases/*/embargo/"},
        ("/people/", "/runs/", "/acts/", "/plan/"),
    ),
    Walk(
        "clearinghouse",
        "psirt@norrvik.example",
        CASES | ADVISORIES | {"/cases/*/terms/"},
        ("/people/", "/notices/", "/ledger/", "/findings/"),
    ),
    Walk(
        "clearinghouse",
        "team@smallhours.example",
        ADVISORIES | {"/findings/", "/findings/*/", "/findings/report/"},
        ("/people/", "/notices/", "/ledger/"),
    ),
    Walk(
        "clearinghouse",
        "operations@millbrook-water.example",
        NOTICES | ADVISORIES,
        ("/findings/", "/cases/", "/people/", "/ledger/"),
    ),
    Walk("clearinghouse", "ot@eastfield.example", NOTICES, ("/findings/", "/people/"), long=True),
    Walk(
        "clearinghouse",
        "desk@civicdefence.example",
        ADVISORIES | {"/findings/"},
        ("/cases/", "/notices/", "/people/"),
    ),
    Walk(
        "clearinghouse",
        "admin@clearinghouse.example",
        LEDGERS | {"/people/"},
        ("/plan/",),
        long=True,
    ),
    Walk(
        "operator",
        "security@harbourbank.example",
        NOTICES | LEDGERS | {"/people/"},
        ("/cases/", "/plan/", "/findings/"),
    ),
)


def address(stage: dict[str, Any], instance: str) -> str:
    return f"http://127.0.0.1:{stage[instance]['port']}"


@pytest.fixture(scope="module")
def looked_at() -> set[tuple[str, str]]:
    """Instance and kind of the pages that somebody has looked at."""
    return set()


def walk(visit: Visit, instance: str, looked_at: set[tuple[str, str]], thorough: bool) -> set[str]:
    """Follow every link of every page, OF_A_KIND addresses of each kind; return the kinds seen."""
    opened: Counter[str] = Counter()
    known = [f"{visit.base}/"]
    for there in known:  # grows on the way
        kind = kind_of(there)
        if opened[kind] == OF_A_KIND or kind.endswith(NOT_PAGES):
            continue
        opened[kind] += 1
        status = visit.open(there)
        if status == 409 and UNNAMED in visit.text():
            visit.wrong.pop()  # what the browser says of it
            continue
        if status != 200:
            visit.wrong.append(f"{kind}: {status}, though a link leads there")
            continue
        shown = (instance, kind_of(visit.page.url))  # where the address led
        if thorough or shown not in looked_at:
            looked_at.add(shown)
            visit.look(thorough=thorough)
        known += [link for link in visit.links() if link not in known]
    return set(opened)


@pytest.mark.parametrize(
    "plan",
    [pytest.param(p, id=p.name, marks=[pytest.mark.long] if p.long else []) for p in WALKS],
)
def test_walk(
    stage: dict[str, Any],
    browser: Browser,
    looked_at: set[tuple[str, str]],
    thorough: bool,
    plan: Walk,
) -> None:
    with Visit(browser, address(stage, plan.instance), plan.name) as visit:
        visit.sign_in(plan.email, PASSWORD)
        seen = walk(visit, plan.instance, looked_at, thorough)
        answers = {path: visit.status(path) for path in plan.closed}
    assert not visit.wrong, "\n".join(visit.wrong)
    assert plan.reach <= seen, f"no link leads to {plan.reach - seen}; seen {sorted(seen)}"
    assert all(answer in (403, 404) for answer in answers.values()), answers


@pytest.mark.parametrize("instance", ["lab", "office", "clearinghouse", "operator"])
def test_nobody_sees_anything_without_signing_in(
    stage: dict[str, Any], browser: Browser, instance: str
) -> None:
    with Visit(browser, address(stage, instance), f"{instance}-nobody") as visit:
        for path in ("/", "/messages/", "/ledger/", "/notices/", "/acts/"):
            visit.open(path)
            assert kind_of(visit.page.url).startswith("/accounts/login/"), path
    assert not visit.wrong, "\n".join(visit.wrong)


def test_somebody_else_does_not_find_a_case(stage: dict[str, Any], browser: Browser) -> None:
    at = address(stage, "clearinghouse")
    with Visit(browser, at, "coordinator") as insider:
        insider.sign_in("coordinator@clearinghouse.example", PASSWORD)
        insider.open("/cases/")
        case = next(link for link in insider.links() if kind_of(link) == "/cases/*/")
        assert insider.status(case) == 200
    with Visit(browser, at, "partner") as stranger:
        stranger.sign_in("desk@civicdefence.example", PASSWORD)
        assert stranger.status(case) in (403, 404)


def test_without_scripts_a_notice_is_answered_by_form(
    stage: dict[str, Any], browser: Browser
) -> None:
    with Visit(browser, address(stage, "clearinghouse"), "no-script", script=False) as visit:
        visit.sign_in("ot@eastfield.example", PASSWORD)
        visit.open("/notices/")
        page = visit.page
        page.locator("main a[href^='/notices/notice-']").first.click()
        page.get_by_label("Answer").select_option("deferred")
        page.get_by_label("Compensating control").fill("Only the plant's own switch reaches it.")
        visit.press("Answer")
        # without a day the deferral is not taken, and what was written is still there
        assert page.get_by_label("Compensating control").input_value().startswith("Only the plant")
        page.get_by_label("Looked at again on").fill("2027-02-01")
        visit.press("Answer")
        assert "deferred" in visit.text()
        assert "Only the plant's own switch reaches it." in visit.text()
    refused = "the server responded with a status of 422"
    assert not [line for line in visit.wrong if refused not in line], visit.wrong


def test_progress_of_a_run_is_seen_without_reloading(
    stage: dict[str, Any], browser: Browser
) -> None:
    with Visit(browser, address(stage, "office"), "live") as visit:
        visit.sign_in("evaluator@office.example", PASSWORD)
        visit.open("/runs/new/")
        page = visit.page
        page.get_by_label("Suite").select_option(index=0)
        page.get_by_label("The lab's model").select_option("")
        for box in page.get_by_role("checkbox").all():
            box.set_checked(box.get_attribute("value") in ("null", "oracle"))
        loads: list[str] = []
        visit.press("Commit and start")
        page.on("load", lambda _: loads.append(page.url))
        live = page.locator(".v-live")
        before = live.inner_text()
        page.wait_for_function(
            "before => document.querySelector('.v-live').innerText !== before", arg=before
        )
        assert not loads, "the page was loaded anew"
        expect(live).to_have_text(re.compile("finished", re.I), timeout=LIVE_RUN_MS)
        expect(page.get_by_role("button", name="Make the assessment")).to_be_visible()
    assert not visit.wrong, "\n".join(visit.wrong)
