"""A visit to the portal with a real browser, and what every page must hold.

Pictures go to the folder that VEDETTE_SHOTS names, else build/shots.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "tests/web/assets/axe.min.js").read_text("utf-8")
SHOTS = Path(os.environ.get("VEDETTE_SHOTS") or ROOT / "build" / "shots")
PHONE, DESKTOP = (390, 844), (1280, 900)
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"),
    *("--no-first-run", "--disable-component-update", "--disable-sync"),
    # each page runs its scripts once: compiling them to be fast later takes longer than it spares
    "--js-flags=--no-opt --no-maglev",
)
PATIENCE_MS = 20_000
LINKS = "links => [...new Set(links.map(link => link.href.split('#')[0]))]"
# a watermark is faint on purpose, and says nothing that a sentence of the page does not say;
# rules that a browser can check; the page is read as a person's assistive technology reads it
FLAWS = """async () => (await axe.run(
    {exclude: [['.v-watermark'], ['.watermark']]}, {resultTypes: ['violations']})).violations.map(
    found => found.id + ': ' + found.nodes.slice(0, 3).map(node => node.html).join('  '))"""
IDS = re.compile(
    r"(?<=/)(?:[a-z]+-[2-9a-z]{16}|x_vedette-[2-9a-z]{16}|sha256:[0-9a-f]{64})(?=/|\.|$)"
    r"|(?<=/fields/)[a-z-]+(?=/)"  # a row of a worksheet
)


def launch(playwright: Playwright) -> Browser:
    """Chromium of this machine, or a skip that says why."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine: " + ", ".join(names))
    return playwright.chromium.launch(executable_path=found, args=list(OPTIONS))


def kind_of(address: str) -> str:
    """What page an address leads to, whichever row or filter it shows: /cases/*/, /x/?show."""
    parts = urlsplit(address)
    asked = "&".join(sorted({name for name, _ in parse_qsl(parts.query)}))
    return IDS.sub("*", parts.path) + (f"?{asked}" if asked else "")


class Visit:
    """One browser with its own cookies; it remembers whatever went wrong on its pages."""

    def __init__(self, browser: Browser, base: str, name: str = "", *, script: bool = True) -> None:
        self.base, self.name = base, name
        self.wrong: list[str] = []
        self.context = browser.new_context(
            java_script_enabled=script,
            reduced_motion="reduce",
            viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._note(f"script error {error}"))
        self.page.on("request", self._request)

    def __enter__(self) -> Visit:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.context.close()

    def _note(self, what: str) -> None:
        self.wrong.append(f"{kind_of(self.page.url)}: {what}")

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type} {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.base}/", "data:", "blob:")):
            self._note(f"request to {request.url}")

    def open(self, path: str) -> int:
        """Open a page; its status."""
        answer = self.page.goto(urljoin(self.base, path))
        assert answer is not None
        return answer.status

    def status(self, path: str) -> int:
        """The status of an address, asked with this visit's cookies, without showing it."""
        return self.context.request.get(urljoin(self.base, path), max_redirects=0).status

    def sign_in(self, email: str, password: str) -> None:
        """Through the form, as a person does."""
        self.open("/accounts/login/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(f"{self.base}/")

    def press(self, name: str) -> None:
        """Press a button and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def links(self) -> list[str]:
        """Where the page's links lead within this portal."""
        found: list[str] = self.page.eval_on_selector_all("a[href]:not([download])", LINKS)
        return [link for link in found if link.startswith(f"{self.base}/")]

    def look(self, *, thorough: bool) -> None:
        """Note what is wrong with the present page on a phone and on a desktop.

        `thorough`: axe reads the desktop's layout, too, and pictures of both are kept.
        """
        self.page.evaluate(AXE)
        for width, height in (DESKTOP, PHONE):
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                self._note(f"{wide} px wide on a screen of {width}")
            if thorough or (width, height) == PHONE:
                for flaw in self.page.evaluate(FLAWS):
                    self._note(f"at {width} px {flaw}")
            if thorough:
                self.shoot(kind_of(self.page.url), width)
        self.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

    def shoot(self, what: str, width: int) -> None:
        """Keep a picture of the whole page."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", what.lower().replace("*", "one")).strip("-") or "overview"
        self.page.screenshot(path=SHOTS / f"{self.name}-{name}-{width}.png", full_page=True)
