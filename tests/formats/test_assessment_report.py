"""The report: marked, self-contained, accessible, and deaf to what runs put into it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

pytest.importorskip("matplotlib")

from tests.bench.runs import NOW, result

from vedette.bench.assessment import assess
from vedette.formats.assessment_report import render
from vedette.kernel.classification import MULTIPLE, Block
from vedette.kernel.markings import AMBER, Marking

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


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
    return render(assess(run, markings=[AMBER], now=NOW).to_json(), run.to_json())


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
    assert page() == page()


def test_portions_and_block_stand_where_they_have_to() -> None:
    run = result({"lab-model": [1, 1, 0, 1], "null": [0] * 4})
    made = assess(run, markings=[Marking.parse("SECRET//TLP:RED")], now=NOW)
    block = Block((("Derived From", MULTIPLE), ("Declassify On", "20510101")), ("<one>", "two"))
    text = render(made.to_json(), run.to_json(), block=block)
    headings = re.findall(r"<h[12][^>]*>(.*?)</h[12]>", text)
    mark = '<span class="portion">(S//TLP:RED)</span> '
    assert len(headings) > 3
    assert all(heading.startswith(mark) for heading in headings)
    assert "<dt>Declassify On:</dt><dd>20510101</dd>" in text
    assert "<li>&lt;one&gt;</li><li>two</li>" in text
    assert "Declassify" not in page()
