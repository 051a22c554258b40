"""OSV records as they occur: odd fields harm no other, GIT beside ECOSYSTEM in any order."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.matching.build import inventory

from vedette.formats import osv_in
from vedette.formats.detect import AdvisoryPaths, read_advisory
from vedette.formats.interface import texts
from vedette.kernel.errors import BadInput
from vedette.matching.engine import match
from vedette.matching.ranges import Interval
from vedette.matching.verdict import decide

GIT = {"type": "GIT", "repo": "r", "events": [{"introduced": "0"}, {"fixed": "ab12"}]}
ECOSYSTEM = {"type": "ECOSYSTEM", "events": [{"fixed": "2.0"}, {"introduced": "0"}]}


def record(**affected: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": "foo"}
    return {"id": "A-1", "modified": "2026", "affected": [{"package": package, **affected}]}


@pytest.mark.parametrize("ranges", [[GIT, ECOSYSTEM], [ECOSYSTEM, GIT], [GIT, ECOSYSTEM, GIT]])
def test_commits_beside_versions_in_any_order(ranges: list[Any]) -> None:
    (affected,) = osv_in.read(record(ranges=ranges), "x").affected
    assert [r.intervals for r in affected.ranges] == [(Interval(None, "2.0"),)]


@pytest.mark.parametrize("affected", [{"ranges": [GIT]}, {"ranges": []}, {}])
def test_a_record_without_versions_is_undecided(affected: dict[str, Any]) -> None:
    (one,) = osv_in.read(record(**affected), "x").affected
    assert decide("1.0", one).verdict == "unknown"


def test_commits_with_listed_versions_are_decided_by_the_list() -> None:
    (one,) = osv_in.read(record(ranges=[GIT], versions=["1.0", "odd"]), "x").affected
    assert [decide(v, one).verdict for v in ("1.0", "1.1", "odd", "odder")] == [
        *("affected", "unaffected", "affected", "unknown")
    ]


def test_a_correction_names_what_it_corrects() -> None:
    own = {"vedette": {"corrects": ["PYSEC-2022-25"], "evidence": "execution"}}
    found = osv_in.read(record() | {"database_specific": own}, "x")
    assert (found.corrects, found.evidence) == (("PYSEC-2022-25",), "execution")


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"affected": []}', b"nonsense", b"[" * 100_000])
def test_other_documents_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"some\.json"):
        read_advisory(data, "some.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = ["affected", "aliases", "summary", "withdrawn", "database_specific", "modified"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values), json_values)
def test_odd_fields_never_break_the_reader(fields: dict[str, Any], part: Any) -> None:
    osv_in.read({"id": "A"} | fields, "x")
    osv_in.read({"id": "A", "affected": [{"package": part, "ranges": part, "versions": part}]}, "x")
    osv_in.read({"id": "A", "affected": [{"ranges": [{"type": "SEMVER", "events": part}]}]}, "x")


odd = st.sampled_from([None, 1, True, [], {}, "", " a ", "x" * 5000, "\0", "\u00e4"])
words = st.sampled_from(["1.0", "2", " 3", "pkg:npm/a@1"]) | odd
packages = st.fixed_dictionaries(
    {"ecosystem": st.sampled_from(["PyPI", "Debian:12", "Nowhere"]), "name": st.just("a")},
    optional={"purl": words},
)
events = st.dictionaries(st.sampled_from(["introduced", "fixed", "limit", "also"]), words)
ranges = st.fixed_dictionaries(
    {"type": st.sampled_from(["ECOSYSTEM", "SEMVER", "GIT"])},
    optional={"events": st.lists(events, max_size=3), "repo": odd},
)
rows = st.fixed_dictionaries(
    {"package": packages},
    optional={"ranges": st.lists(ranges, max_size=2) | odd, "versions": st.lists(words) | odd},
)
documents = st.fixed_dictionaries(
    {"id": st.just("A-1"), "affected": st.lists(rows, max_size=2)},
    optional={
        **dict.fromkeys(["summary", "details", "modified", "withdrawn", "schema_version"], words),
        "aliases": st.lists(words, max_size=3) | odd,
        "database_specific": st.sampled_from([{}, {"vedette": {"corrects": ["B"]}}]) | odd,
    },
)


@given(st.lists(st.text(max_size=3) | st.sampled_from(["1.0", " 2", 3, None, "x" * 5000])))
def test_texts_lose_the_space_around_them_and_nothing_else(values: list[Any]) -> None:
    known = [value.strip() for value in values if isinstance(value, str) and len(value) <= 4096]
    assert texts(values) == tuple(filter(None, known))


@given(documents, st.sampled_from([None, {"pypi/a"}]), st.booleans())
def test_what_is_read_at_once_is_read_as_field_by_field(
    document: Any, wanted: set[str] | None, ascii: bool
) -> None:
    data = json.dumps(document, ensure_ascii=ascii).encode()
    plain = osv_in.read_plain(data, wanted)
    assert plain in (None, osv_in.read(document, "x", wanted))


@pytest.mark.parametrize("kind", ["cveMetadata", "document", "@context", "bomFormat"])
@pytest.mark.parametrize("value", ["", None, {}, "openvex"])
def test_what_may_be_of_another_kind_is_not_read_at_once(kind: str, value: Any) -> None:
    assert osv_in.read_plain(json.dumps(record()).encode()) is not None
    assert osv_in.read_plain(json.dumps(record() | {kind: value}).encode()) is None


def test_one_broken_record_never_stops_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{broken")
    (tmp_path / "b.json").write_text(json.dumps(record(versions=["1.0"])))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    source = AdvisoryPaths([tmp_path])
    assert [a.id for a in source.advisories()] == ["A-1"]
    assert len(source.problems) == 3
    assert any("a.json: not JSON" in problem for problem in source.problems)


@pytest.mark.parametrize(
    ("repository", "purl"),
    [
        ("https://github.com/Acme/pump.git", "pkg:github/acme/pump"),
        ("git://github.com/acme/pump/", "pkg:github/acme/pump"),
        ("https://bitbucket.org/acme/pump", "pkg:bitbucket/acme/pump"),
        ("https://git.example/acme/pump", ""),
    ],
)
def test_a_record_without_a_package_is_about_its_repository(repository: str, purl: str) -> None:
    commits = {"type": "GIT", "repo": repository, "events": [{"introduced": "0"}]}
    row = {"ranges": [commits], "versions": ["v1.0.0"]}
    record = {"id": "CVE-2026-1", "modified": "2026-01-01T00:00:00Z", "affected": [row]}
    plain = osv_in.read_plain(json.dumps(record).encode())
    assert plain == osv_in.read(record, "x")
    tags = {
        "1.0.0": "affected",
        "v1.1.0": None,
        "d6cd1e2bd19e03a81132a23b2025920577f84e37": "unknown",
    }
    for version, verdict in tags.items() if purl else ():
        found = [line.verdict for line in match([inventory(f"{purl}@{version}")], [plain])]
        assert found == ([verdict] if verdict else [])
    assert purl or not list(match([inventory("pkg:github/acme/pump@1.0.0")], [plain]))


@pytest.mark.data
def test_every_record_of_the_python_database_is_read(data_dir: Path) -> None:
    count = withdrawn = 0
    problems = []
    with tarfile.open(data_dir / "pypa-advisories.tar.xz") as archive:
        for member in archive:
            if not member.name.endswith(".yaml") or not member.isfile():
                continue
            content = archive.extractfile(member)
            assert content is not None
            document = yaml.load(io.BytesIO(content.read()), yaml.CSafeLoader)
            if "id" in document:
                data = json.dumps(document, default=str).encode()
                advisory = osv_in.read(json.loads(data), member.name)
                assert osv_in.read_plain(data) == advisory
                count += 1
                withdrawn += advisory.withdrawn
                problems += [r.problem for a in advisory.affected for r in a.ranges if r.problem]
    assert (count, withdrawn) == (2661, 10)
    assert sorted(problems) == [
        "bound '0.2.0-n653' can't be read as pypi",
        "bound '2019-09-12' can't be read as pypi",
        "the advisory states no versions",
    ]
