"""Advisory drafts: the ujson correction, and any that hypothesis can think of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from vedette.clearinghouse.severity import Claimant, SeverityClaim
from vedette.formats.advisory import (
    CREDIT_KINDS,
    REFERENCE_KINDS,
    AdvisoryDraft,
    Affected,
    Correction,
    Credit,
    Publisher,
    Reference,
    Revision,
    VersionRange,
)
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import TLP, Marking

START = datetime(2026, 10, 1, 9, tzinfo=UTC)
HOUSE = Publisher("Example Clearinghouse", "https://clearinghouse.example")
VECTOR_31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
VECTORS = (
    VECTOR_31,
    "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:C/C:L/I:L/A:N",
    "AV:N/AC:L/Au:N/C:N/I:N/A:P",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N",
)


def ujson_correction() -> AdvisoryDraft:
    return AdvisoryDraft(
        id="x_vedette-7k2m9x4qwb3n8rtz",
        title="ujson: stack overflow when a large indent is asked for",
        summary="Serialising with a large indent writes past a buffer on the stack.",
        details="Run under AddressSanitizer, ujson 5.1.0 overflows; 5.2.0 does not.",
        publisher=HOUSE,
        affected=(
            Affected(
                vendor="ultrajson",
                product="ujson",
                ecosystem="PyPI",
                package="ujson",
                purl="pkg:pypi/ujson",
                ranges=(VersionRange("1.34", fixed="5.2.0"),),
                versions=("5.1.0",),
            ),
        ),
        revisions=(Revision(1, START, "First publication"),),
        aliases=("CVE-2021-45958",),
        cwe=("CWE-787",),
        severity=(
            SeverityClaim(Claimant.CLEARINGHOUSE, "Example Clearinghouse", VECTOR_31, START),
            SeverityClaim(Claimant.FINDER, "Lab", VECTORS[3], START, "needs a chosen indent"),
        ),
        credits=(Credit("Example Lab"),),
        references=(Reference("https://example.org/ujson/1"),),
        corrects=(
            Correction("PYSEC-2022-25", "It calls 5.1.0 fixed.", "5.1.0 crashes, 5.2.0 not."),
        ),
        marking=Marking(TLP.CLEAR),
    )


_words = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S")), min_size=1, max_size=30
) | st.sampled_from(("a b", "<script>", "x\ny", "\u202eabc", "vers:all/<V6.6", '";--', "- x_"))
_versions = st.from_regex(
    r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}([-+~:!|<*][a-z0-9]{1,4})?", fullmatch=True
)
_purls = st.sampled_from(("", "pkg:pypi/ujson", "pkg:generic/acme/pump", "pkg:npm/%40a/b"))
_ecosystems = st.sampled_from((("", ""), ("PyPI", "ujson"), ("Debian:12", "zlib"), ("npm", "@a/b")))


@st.composite
def _ranges(draw: st.DrawFn) -> VersionRange:
    start = draw(st.just("0") | _versions)
    kind = draw(st.sampled_from(("fixed", "last", "open")))
    end = draw(_versions.filter(lambda v: v != start)) if kind != "open" else ""
    return VersionRange(start, end if kind == "fixed" else "", end if kind == "last" else "")


@st.composite
def _affected(draw: st.DrawFn) -> Affected:
    ecosystem, package = draw(_ecosystems)
    ranges = tuple(draw(st.lists(_ranges(), min_size=1, max_size=3)))
    fixes = {r.fixed for r in ranges if r.fixed}
    listed = tuple(draw(st.lists(_versions.filter(lambda v: v not in fixes), max_size=3)))
    vendor, product = draw(st.sampled_from(("Acme", "B & C <i>"))), draw(_words)
    return Affected(vendor, product, ecosystem, package, draw(_purls), ranges, listed)


_claims = st.builds(
    SeverityClaim,
    claimant=st.sampled_from(Claimant),
    party=_words,
    vector=st.sampled_from(VECTORS),
    made=st.just(START),
    words=st.just("") | _words,
)


@st.composite
def drafts(draw: st.DrawFn) -> AdvisoryDraft:
    """Any draft that AdvisoryDraft takes."""
    count = draw(st.integers(1, 4))
    cve = draw(st.sampled_from(((), ("CVE-2021-45958",))))
    others = draw(st.lists(_words.filter(lambda w: not w.startswith("CVE-")), max_size=2))
    own = draw(st.sampled_from(("x_vedette-7k2m9x4qwb3n8rtz", "CVE-2021-45958")))
    try:
        return AdvisoryDraft(
            id=own,
            title=draw(_words),
            summary=draw(_words),
            details=draw(_words),
            publisher=HOUSE,
            affected=tuple(draw(st.lists(_affected(), min_size=1, max_size=3))),
            revisions=tuple(
                Revision(n, START + timedelta(days=n // 2), draw(_words))
                for n in range(1, count + 1)
            ),
            aliases=(*cve, *others),
            cwe=tuple(draw(st.lists(st.sampled_from(("CWE-787", "CWE-79", "CWE-999999"))))),
            severity=tuple(draw(st.lists(_claims, max_size=5))),
            credits=tuple(
                draw(st.lists(st.builds(Credit, _words, st.sampled_from(CREDIT_KINDS)), max_size=2))
            ),
            references=tuple(
                Reference(f"https://example.org/{n}", kind)
                for n, kind in enumerate(
                    draw(st.lists(st.sampled_from(REFERENCE_KINDS), max_size=3))
                )
            ),
            corrects=tuple(
                draw(st.lists(st.builds(Correction, _words, _words, _words), max_size=2))
            ),
            marking=Marking(draw(st.sampled_from(TLP))),
            remedy=draw(st.just("") | _words),
        )
    except BadInput:
        # Some mixtures contradict themselves (a version both affected and fixed).
        return ujson_correction()
