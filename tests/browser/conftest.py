"""Chromium, and the demo's four portals.

The demo is played once for all tests of a file; VEDETTE_PLAYED names a finished one to serve
instead, which the tests change.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from demo.serve import read_stage, running
from playwright.sync_api import Browser, sync_playwright
from tests.browser.visits import ROOT, launch

STORY_SECONDS = 600


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, ended with the file: while it runs, this thread has an event loop."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether everybody looks at every page, and pictures are kept: --long, or VEDETTE_SHOTS."""
    return bool(pytestconfig.getoption("--long") or os.environ.get("VEDETTE_SHOTS"))


@pytest.fixture(scope="module")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The demo's four instances, served where its story ended."""
    given = os.environ.get("VEDETTE_PLAYED")
    out = Path(given) if given else tmp_path_factory.mktemp("demo") / "out"
    if not given:
        played = subprocess.run(
            [sys.executable, "demo/run.py", "--out", str(out)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=STORY_SECONDS,
        )
        assert played.returncode == 0, played.stdout + played.stderr
    stage = read_stage(out)
    with running(out, stage):
        yield stage
