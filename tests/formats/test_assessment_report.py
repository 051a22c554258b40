"""The report: marked, self-contained, accessible, and deaf to what runs put into it."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from pypdf import PdfReader
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import SSlibKey

pytest.importorskip("matplotlib")

from tests.bench.runs import CANARY, NOW, result

from vedette.bench.assessment import assess
from vedette.bench.report import Audience, build
from vedette.formats.assessment_pdf import to_pdf
from vedette.formats.assessment_report import render
from vedette.formats.attestation import attest
from vedette.kernel.classification import MULTIPLE, Block
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.portions import Source

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


@cache
def page(hostile: str = "") -> str:
    run = result({"lab-model": [1, 1, 0, 1], "null": [0] * 4, "oracle": [1] * 4})
    if hostile:
        samples = tuple(
            replace(
                sample,
                trajectory=(hostile,),
                ended=hostile,
                evidence={"crash_class": hostile, "top_frame": hostile, "reason": hostile},
            )
            for sample in run.samples
        )
        run = replace(run, samples=samples, notes=(hostile,))
    made = assess(run, markings=[AMBER], now=NOW)
    return render(build(made, run, audience=Audience.OFFICE))


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_text_from_a_run_is_never_markup() -> None:
    clean, hostile = Tags(page()), Tags(page(HOSTILE))
    assert [tag for tag, _ in clean.tags if tag in ("script", "img")] == []
    assert [tag for tag, _ in hostile.tags if tag in ("script", "img")] == []
    assert not any(name.startswith("on") for _, attrs in hostile.tags for name in attrs)


def test_it_loads_nothing_from_anywhere() -> None:
    for tag, attrs in Tags(page()).tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in attrs.items():
            if name in ("src", "href", "xlink:href", "data", "action"):
                assert (value or "").startswith("#")
    assert "@import" not in page()
    assert re.findall(r"url\((?!#)", page()) == []


def test_the_marking_stands_at_top_and_bottom() -> None:
    banners = re.findall(r'<aside class="marking.*?aria-label="(.*?)">(.*?)</aside>', page())
    assert banners == [("Marking, top", "TLP:AMBER"), ("Marking, bottom", "TLP:AMBER")]


def test_it_can_be_read_without_seeing_it() -> None:
    text = page()
    assert '<html lang="en">' in text
    assert text.count("<h1>") == 1
    assert text.count("<table>") == text.count("<caption>") >= 3
    figure = text[text.index("<figure>") : text.index("</figure>")]
    assert 'role="img"' in figure
    assert "lab-model: 0.75, interval 0.17 to 0.98" in figure


def test_it_is_the_same_each_time() -> None:
    assert page.__wrapped__() == page()


def test_portions_and_block_stand_where_they_have_to() -> None:
    run = result({"lab-model": [1, 1, 0, 1], "null": [0] * 4})
    made = assess(run, markings=[Marking.parse("SECRET//TLP:RED")], now=NOW)
    block = Block((("Derived From", MULTIPLE), ("Declassify On", "20510101")), ("<one>", "two"))
    text = render(build(made, run, audience=Audience.OFFICE), block=block)
    headings = re.findall(r"<h[123][^>]*>(.*?)</h[123]>", text)
    mark = '<span class="portion">(S//TLP:RED)</span> '
    assert len(headings) > 3
    assert all(heading.startswith(mark) for heading in headings)
    assert "<dt>Declassify On:</dt><dd>20510101</dd>" in text
    assert "<li>&lt;one&gt;</li><li>two</li>" in text
    assert "Declassify" not in page()


def edition(audience: str) -> dict[str, Any]:
    run = result({"lab-model": [1, 1, 0, 1], "null": [0] * 4, "oracle": [1] * 4})
    return build(assess(run, markings=[AMBER], now=NOW), run, audience=Audience(audience))


def test_the_pdf_is_marked_and_says_what_the_page_says() -> None:
    pytest.importorskip("typst")
    made = to_pdf(edition("lab"), marking=AMBER, source=Source("Suite toys 1", AMBER), block=None)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]
    assert all(text.count("TLP:AMBER") >= 2 for text in pages)
    text = " ".join(" ".join(pages).split())
    for said in ("Assessment of lab-model", "3 of 4", "STREAM", "Not recorded", "Limits"):
        assert said in text
    assert CANARY not in text


def test_a_statement_is_verified_by_others_and_names_what_it_is_about() -> None:
    keys, told = PrivateKeys.generate(), edition("operators")
    envelope = attest(told, {"report.html": b"page"}, keys)
    public = {"public": keys.public.ed25519}
    theirs = SSlibKey(keys.public.keyid, "ed25519", "ed25519", public)
    checked = Envelope.from_dict(json.loads(json.dumps(envelope)))
    signature = next(iter(checked.signatures.values()))
    theirs.verify_signature(signature, checked.pae())
    payload = json.loads(checked.payload)
    assert (payload["_type"], checked.payload_type) == (
        "https://in-toto.io/Statement/v1",
        "application/vnd.in-toto+json",
    )
    assert payload["predicate"] == told
    by_name = {one["name"]: one["digest"]["sha256"] for one in payload["subject"]}
    assert by_name["report.html"] == hashlib.sha256(b"page").hexdigest()
    assert by_name["run-x/result"] == told["measured"]["result_digest"].removeprefix("sha256:")
    forged = Envelope(
        checked.payload.replace(b"lab-model", b"lab-model2"), checked.payload_type, {}
    )
    with pytest.raises(UnverifiedSignatureError):
        theirs.verify_signature(signature, forged.pae())
