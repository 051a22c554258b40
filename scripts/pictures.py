"""Take the documentation's pictures of the portals anew: `python scripts/pictures.py [demo-out]`.

Needs a finished demo, Chromium, and the test environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo.serve import read_stage, running  # noqa: E402
from demo.stage import PASSWORD  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from tests.browser.visits import Visit, kind_of, launch  # noqa: E402

# picture: instance, who is signed in, where one starts, the kind of page one goes on to, height
PICTURES = {
    "portal": ("office", "officer@office.example", "/assessments/", "/assessments/*/", 900),
    "notice": (
        "clearinghouse",
        "operations@millbrook-water.example",
        "/notices/",
        "/notices/*/",
        900,
    ),
}


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "demo-out").resolve()
    stage = read_stage(out)
    with running(out, stage), sync_playwright() as playwright:
        browser = launch(playwright)
        for name, (instance, email, start, kind, height) in PICTURES.items():
            with Visit(browser, f"http://127.0.0.1:{stage[instance]['port']}") as visit:
                visit.sign_in(email, PASSWORD)
                visit.open(start)
                if kind_of(visit.page.url) != kind:
                    visit.open(next(link for link in visit.links() if kind_of(link) == kind))
                visit.page.set_viewport_size({"width": 1280, "height": height})
                visit.page.screenshot(path=ROOT / "docs/pictures" / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
