"""Documents by portions: what a reader may not read is in none of the outputs."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from tests.kernel.test_markings import markings

from vedette.formats.assessment_plot import intervals_svg
from vedette.formats.document import (
    Bullets,
    Content,
    Document,
    Edition,
    Facts,
    Figure,
    Grid,
    Heading,
    Stamp,
    Text,
    edition_for,
    visible,
)
from vedette.formats.document_pdf import LONGEST, to_pdf
from vedette.kernel.classification import Authority, Rules
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.markings import AMBER, CLEAR, RED, TLP, Marking
from vedette.kernel.packs import default_pack
from vedette.kernel.portions import Gap, Portion, Source

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
OFFICER = Authority("A. Officer, Chief", "Office of Works")
RULES = Rules.of(default_pack())
TOP = Marking(TLP.RED, 4, frozenset({"ALPHA", "BRAVO", "CHARLIE"}))
SECRET = Marking(TLP.AMBER, 3)
RECORD = "sha256:" + "5" * 64
STAMP = Stamp("Eve", "eve@office.example", NOW, "Office of Works", "act-1", "copy-7k2m9x4qwb3n8rtz")
SCORE = {"low": "0.2", "estimate": "0.5", "high": "0.8"}


def content(kind: int, word: str) -> Content:
    """A portion's content of each kind that says `word`."""
    if kind == 5:
        subject = {"name": word, "role": "assessed", "score": SCORE}
        return Figure(intervals_svg([subject], title="Scores", description=word), word, word)
    return (
        Heading(word),
        Text(f"{word}\n\n{word}"),
        Facts(((word, word),)),
        Bullets((word,)),
        Grid(word, (word, "n"), ((word, "1"), ("b", word))),
    )[kind]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document whose every portion says a word of its own, and has a source of its own."""
    marked = draw(st.lists(st.tuples(st.integers(0, 5), markings), min_size=1, max_size=7))
    return Document(
        "assessment",
        "assessment-1",
        RECORD,
        tuple(
            Portion(content(kind, f"word{n}said"), m, (Source(f"source{n}named", m),))
            for n, (kind, m) in enumerate(marked)
        ),
    )


def edition(document: Document, clearance: Marking = TOP, *, gaps: bool = True) -> Edition:
    return edition_for(document, clearance, authority=OFFICER, rules=RULES, gaps=gaps, now=NOW)


def one(*contents: Content, marking: Marking = AMBER) -> Edition:
    return edition(Document("act", "act-1", RECORD, tuple(Portion(c, marking) for c in contents)))


def text_of(pdf: bytes) -> str:
    """Everything that a PDF says in words, on pages, in bookmarks and beside, without spaces."""
    reader = PdfReader(io.BytesIO(pdf))
    parts = [page.extract_text() for page in reader.pages]
    parts += [str(reader.metadata), str(reader.outline), str(reader.xmp_metadata)]
    return squeezed("".join(parts))


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b\u00ad]", "", text)


def words(clearance: Marking, document: Document) -> tuple[set[str], set[str]]:
    """Words and sources that a reader gets, and those that they don't."""
    given = {n: clearance.dominates(p.marking) for n, p in enumerate(document.portions)}
    named = {n: {f"word{n}said", f"source{n}named"} for n in given}
    seen = {f"word{n}said" for n, yes in given.items() if yes}
    return seen, set().union(*(named[n] for n, yes in given.items() if not yes))


@settings(max_examples=40)
@given(documents(), markings, st.booleans())
def test_nothing_above_the_reader_is_in_the_json(
    document: Document, clearance: Marking, gaps: bool
) -> None:
    seen, hidden = words(clearance, document)
    if not seen:
        with pytest.raises(Refused, match="nothing of this document"):
            edition(document, clearance)
        return
    made = edition(document, clearance, gaps=gaps)
    said = json.dumps(made.to_json())
    assert all(word in said for word in seen)
    assert not any(word in said for word in hidden)
    assert clearance.dominates(made.marking)
    assert all(made.marking.dominates(portion.marking) for portion in made.portions)
    assert (made.made_from == RECORD) == (not hidden)
    assert (Gap() in made.parts) == (gaps and bool(hidden))


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), markings)
def test_nothing_above_the_reader_is_in_the_pdf(document: Document, clearance: Marking) -> None:
    seen, hidden = words(clearance, document)
    if not seen:
        return
    made = edition(document, clearance)
    pdf = to_pdf(made, STAMP, [("Made with", made.made_with)])
    said = text_of(pdf)
    assert all(word in said for word in seen)
    assert not any(word in said for word in hidden)
    assert not any(word.encode() in pdf for word in hidden)
    for page in PdfReader(io.BytesIO(pdf)).pages:
        shown = squeezed(page.extract_text())
        assert shown.count(squeezed(made.banner)) >= 2
        assert STAMP.code in shown
        assert "eve@office.example" in shown


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.sampled_from(
        [
            '#panic("x")',
            '#read("/etc/passwd")',
            '#import "@preview/x:1.0.0"',
            "*b* _i_ $x^2$ `raw` @ref <label> // no comment /* no */",
            "= heading\n- item\n+ item\n/ term: text",
            "<script>alert(1)</script>&amp;&#60;",
            "]] #set page(fill: red) [[ }} {{ \\ \\u{41}",
            '=HYPERLINK("http://x.example")',
            "\u202eevil\u202c \u2066a\u2069 \u200fb",
            "\x00\x07\x1b[31m\x7f\x85",
            "e\u0301" * 20,
            "1\u0e31 and more",
            "zero\u200bwidth\u2060joiner\ufeff",
            "https://example.com/" + "a" * 300,
            "مرحبا 中文 한국어 😀 𝔘",
        ]
    ),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HOSTILE, min_size=3, max_size=8))
@example(["", "", "1\u0e31"])
def test_hostile_text_comes_out_as_text(texts: list[str]) -> None:
    a, b = texts[0], texts[1]
    made = one(
        Heading(a, 1),
        *(Text(text) for text in texts),
        Facts(((a, b),)),
        Bullets(tuple(texts)),
        Grid(a, (b, "n"), ((a, b),)),
    )
    pdf = to_pdf(made, Stamp(a, b, NOW, a, b), [(a, b)])
    said = text_of(pdf)
    for text in texts:
        for run in re.findall(r"[!-~]+", visible(text)):
            assert run in said
    assert not set(said) & set("\u202e\u2066\u200f\x00\x1b")
    reader = PdfReader(io.BytesIO(pdf))
    kinds = {str(note.get_object().get("/Subtype")) for p in reader.pages for note in notes(p)}
    assert not kinds, "a document of text links to nothing"


def notes(page: Any) -> list[Any]:
    return list(page.get("/Annots") or [])


@given(st.text())
def test_shown_text_hides_nothing(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert visible(shown) == shown
    assert [c for c in text if c.isalnum()] == [
        c for c in re.sub(r"⟨U\+[0-9A-F]{4,6}⟩", "", shown) if c.isalnum()
    ]


def test_a_line_of_a_megabyte_is_set_or_said_to_be_too_long() -> None:
    pages = PdfReader(io.BytesIO(to_pdf(one(Text("x" * 1_000_000 + "end")), STAMP, []))).pages
    assert len(pages) > 100
    assert "xend" in squeezed(pages[-1].extract_text() + pages[-2].extract_text())
    with pytest.raises(BadInput, match="take it as JSON"):
        to_pdf(one(Text("x" * LONGEST)), STAMP, [])


def test_the_pdf_is_accessible_and_carries_its_marking() -> None:
    made = one(Heading("An act", 1), Heading("Terms"), Text("Text"), marking=RED)
    pdf = to_pdf(made, STAMP, [("Made from", RECORD)])
    reader = PdfReader(io.BytesIO(pdf))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert b"pdfuaid:part" in pdf
    assert b"pdfaid:part" in pdf
    titles = [str(item["/Title"]) for item in flat(reader.outline)]
    assert any("An act" in title for title in titles)
    assert any("Terms" in title for title in titles)
    assert STAMP.code.encode() in pdf
    assert squeezed(RECORD) in text_of(pdf)


def flat(outline: Any) -> list[Any]:
    return [x for item in outline for x in (flat(item) if isinstance(item, list) else [item])]


def test_a_classified_document_has_its_block_and_is_not_made_without_an_authority() -> None:
    source = Source("Suite parsers 2, Office of Works", SECRET, "2026-06-02")
    document = Document("act", "act-1", RECORD, (Portion(Text("x"), SECRET, (source,)),))
    said = text_of(to_pdf(edition(document), STAMP, []))
    assert "SECRET//TLP:AMBER" in said
    assert "ClassifiedBy:A.Officer,Chief,OfficeofWorks" in said
    assert "DerivedFrom:Suiteparsers2,OfficeofWorks,dated2026-06-02" in said
    assert "DeclassifyOn:20510602" in said
    with pytest.raises(Refused, match="classified_by"):
        edition_for(
            document, TOP, authority=Authority("", "Office"), rules=RULES, gaps=True, now=NOW
        )
    assert edition(Document("act", "a", RECORD, (Portion(Text("x"), CLEAR),))).block is None
