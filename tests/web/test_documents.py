"""Pages of documents and copies, and how every page is marked: block, watermark, portions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from tests.services.flow import LabStory, OfficeStory
from tests.services.test_documents import SECRET, assessed
from tests.web.visitors import read, stranger, visitor

from vedette.kernel.ids import new_id
from vedette.services.here import use
from vedette.services.testing import Fixture
from vedette.store.models import DocumentCopy, Membership
from vedette.store.tenancy import SYSTEM, scoped

CSS = Path(__file__).resolve().parents[2] / "src/vedette/web/static/vedette/vedette.css"


def test_a_document_is_read_taken_and_traced(lab: Fixture) -> None:
    act = LabStory.start(lab).offered()
    lead = visitor(lab, "release-lead", email="lee@lab.example")
    page = read(lead, f"/documents/act/{act}/")
    assert 'class="v-portion">(TLP:' in page
    assert "Take a copy as PDF" in page
    assert "v-watermark" not in page, "the lab's own"
    answer = lead.post(f"/documents/act/{act}/copy/", {"form": "pdf"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{act}.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    with scoped(SYSTEM):
        code = DocumentCopy.objects.get().id
    assert code in read(lead, "/documents/")
    found = read(lead, f"/documents/?code={code.upper()}")
    assert "lee@lab.example" in found
    assert "No copy of that code" in read(lead, "/documents/?code=copy-2222222222222222")
    as_json = lead.post(f"/documents/act/{act}/copy/", {"form": "json"}).json()
    assert as_json["document"]["id"] == act


def test_who_gets_in(lab: Fixture) -> None:
    act = LabStory.start(lab).offered()
    lead, auditor = visitor(lab, "release-lead"), visitor(lab, "auditor")
    other = stranger(lab, "finder")
    at = f"/documents/act/{act}/"
    for client, status in ((lead, 200), (auditor, 403), (other, 404), (Client(), 302)):
        assert client.get(at).status_code == status
        assert client.post(f"{at}copy/").status_code == status
    assert lead.get(f"{at}copy/").status_code == 405
    assert lead.post(at).status_code == 405
    assert lead.post(f"{at}copy/", {"form": "docx"}).status_code == 400
    assert lead.get(f"/documents/act/{new_id('act')}/").status_code == 404
    assert lead.get(f"/documents/plan/{new_id('plan')}/").status_code == 404
    assert auditor.get("/documents/").status_code == 200
    assert visitor(lab, "reader").get("/documents/").status_code == 403
    assert visitor(lab, "finder").get("/documents/").status_code == 403


def test_pages_of_the_other_sides_material_name_their_reader(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.offer()
    officer = visitor(office, "reviewing-officer", email="eve@office.example")
    page = read(officer, f"/acts/{act}/")
    mark = re.search(r'<div class="v-watermark" aria-hidden="true">(.*?)</div>', page, re.DOTALL)
    assert mark is not None
    assert mark[1].count("eve@office.example") >= 20
    assert len(re.findall("This copy is for", page)) == 1, "said once, for those who hear it"
    assert "v-watermark" not in read(officer, "/ledger/"), "that is the instance's own"


def test_a_classified_page_has_its_block(office: Fixture) -> None:
    found = assessed(office, None, str(SECRET))
    officer = visitor(office, "reviewing-officer")
    with scoped(SYSTEM):
        Membership.objects.filter(role="reviewing-officer").update(marking=str(SECRET))
    with use(replace(office.here, ceiling=SECRET, classified_by="A. Officer, Chief")):
        for url in (f"/assessments/{found}/", f"/documents/assessment/{found}/"):
            page = read(officer, url)
            block = re.search(r'<dl class="v-block">(.*?)</dl>', page, re.DOTALL)
            assert block is not None, url
            for word in ("Classified By", "A. Officer, Chief", "Derived From", "Declassify On"):
                assert word in block[1]
            assert page.count("SECRET//TLP:RED") >= 2
    with use(replace(office.here, ceiling=SECRET)):
        assert "not stated: the setting classified_by" in read(officer, f"/assessments/{found}/")
        assert officer.get(f"/documents/assessment/{found}/").status_code == 409


def luminance(red: float, green: float, blue: float) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def colour(text: str) -> tuple[float, float, float]:
    digits = text.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    red, green, blue = (int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4))
    return red, green, blue


def under(over: str, ground: str, opacity: float) -> float:
    pairs = zip(colour(over), colour(ground), strict=True)
    return luminance(*(a * opacity + b * (1 - opacity) for a, b in pairs))


@pytest.mark.parametrize(
    "name", ["ink", "quiet", "link", "accent", "warn", "bad", "good", "active"]
)
def test_text_under_the_watermark_keeps_its_contrast(name: str) -> None:
    css = CSS.read_text("utf-8")
    rule = re.search(r"\.v-watermark\{([^}]*)\}", css)
    assert rule is not None
    mark = re.search(r"color:(#\w+)", rule[1])
    faint = re.search(r"opacity:([.\d]+)", rule[1])
    assert mark is not None
    assert faint is not None
    opacity = float(faint[1])
    tokens = dict(re.findall(r"--([\w-]+):\s*(#\w+|white)", css.split("}", 1)[0] + css))
    grounds = [tokens["paper"], tokens["ground"], tokens["wash"]]
    for ground in (g.replace("white", "#ffffff") for g in grounds):
        text = under(mark[1], tokens[name], opacity)
        behind = under(mark[1], ground, opacity)
        ratio = (max(text, behind) + 0.05) / (min(text, behind) + 0.05)
        assert ratio >= 4.5, f"{name} on {ground}: {ratio:.2f}"
