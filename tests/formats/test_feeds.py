"""Feeds over loopback and from folders: only what changed, resumed, checked, what broke told."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.feed_server import Feed, osv, zipped

from vedette.cli import main
from vedette.formats.feeds.fetching import check_link
from vedette.formats.feeds.folder import FeedFolder, safe, slug
from vedette.formats.feeds.syncing import Report, sync
from vedette.kernel.errors import BadInput


@pytest.fixture
def feed() -> Iterator[Feed]:
    server = Feed()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def held(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and ".feeds" not in p.parts)
    return {p.name: p.read_bytes() for p in files}


def brought(to: Path, source: str) -> Report:
    return sync(FeedFolder(to), source)


def test_only_what_changed_is_fetched_and_written(feed: Feed, tmp_path: Path) -> None:
    url = f"{feed.url}/all.zip"
    feed.files["/all.zip"] = zipped(A=osv("A"), B=osv("B"))
    first = brought(tmp_path, url)
    assert (first.written, first.unchanged, first.problems) == (2, 0, [])
    again = brought(tmp_path, url)
    assert (again.written, again.unchanged) == (0, 1)
    assert feed.asked[-1] == ("/all.zip", "304", 0)
    feed.files["/all.zip"] = zipped(A=osv("A", "3.0"), B=osv("B"), C=osv("C"))
    third = brought(tmp_path, url)
    assert (third.written, third.unchanged) == (2, 1)
    assert held(tmp_path) == {"A.json": osv("A", "3.0"), "B.json": osv("B"), "C.json": osv("C")}


def test_one_broken_record_is_told_and_its_earlier_one_stays(feed: Feed, tmp_path: Path) -> None:
    url = f"{feed.url}/all.zip"
    feed.files["/all.zip"] = zipped(A=osv("A"), B=osv("B"))
    brought(tmp_path, url)
    feed.files["/all.zip"] = zipped(A=b"{", B=osv("B", "3.0"), C=b'{"x": 1}')
    report = brought(tmp_path, url)
    assert (report.reached, report.written, report.broken) == (True, 1, 2)
    assert [p.split(":")[0] for p in report.problems] == ["deep/A.json", "deep/C.json"]
    assert held(tmp_path) == {"A.json": osv("A"), "B.json": osv("B", "3.0")}
    assert brought(tmp_path, url).broken == 2, "told until it is mended"
    assert feed.asked[-1] == ("/all.zip", "304", 0), "and not fetched for that"


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_download_that_broke_off_goes_on(feed: Feed, tmp_path: Path, cut: int) -> None:
    data = zipped(A=osv("A"))
    feed.files["/all.zip"] = data
    feed.cut["/all.zip"] = cut
    assert brought(tmp_path, f"{feed.url}/all.zip").written == 1
    sizes = [size for path, _, size in feed.asked if path == "/all.zip"]
    assert sizes == [cut, len(data) - cut]


def test_a_changed_file_is_not_glued_to_the_old_part(feed: Feed, tmp_path: Path) -> None:
    url = f"{feed.url}/all.zip"
    folder = FeedFolder(tmp_path)
    folder.part(url).write_bytes(b"old part")
    folder.state["parts"][url] = '"old"'
    folder.save()
    feed.files["/all.zip"] = zipped(A=osv("A"))
    assert brought(tmp_path, url).written == 1
    assert held(tmp_path) == {"A.json": osv("A")}


def test_a_whole_part_is_used_without_another_byte(feed: Feed, tmp_path: Path) -> None:
    url, data = f"{feed.url}/all.zip", zipped(A=osv("A"))
    feed.files["/all.zip"] = data
    folder = FeedFolder(tmp_path)
    folder.part(url).write_bytes(data)
    folder.state["parts"][url] = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    folder.save()
    assert brought(tmp_path, url).written == 1
    assert feed.asked[0] == ("/all.zip", "416", 0)


def test_a_digest_beside_is_checked(feed: Feed, tmp_path: Path) -> None:
    url, data = f"{feed.url}/all.zip", zipped(A=osv("A"))
    feed.files |= {"/all.zip": data, "/all.zip.sha256": b"0" * 64 + b"  all.zip\n"}
    wrong = brought(tmp_path, url)
    assert not wrong.reached
    assert "content and digest differ" in wrong.problems[0]
    assert held(tmp_path) == {}
    feed.files["/all.zip.sha256"] = hashlib.sha256(data).hexdigest().encode() + b"  all.zip\n"
    right = brought(tmp_path, url)
    assert (right.checked, right.written) == (1, 1)


CSAF = {
    "document": {"tracking": {"id": "EX-1", "current_release_date": "2026-01-01T00:00:00Z"}},
    "product_tree": {},
    "vulnerabilities": [],
}


def test_rolie_through_provider_metadata(feed: Feed, tmp_path: Path) -> None:
    documents = {f"/white/ex-{n}.json": json.dumps(CSAF | {"n": n}).encode() for n in (1, 2)}
    feed.files |= documents
    for path, data in documents.items():
        feed.files[f"{path}.sha512"] = hashlib.sha512(data).hexdigest().encode()

    def publish(*updated: str) -> None:
        entries = [
            {
                "id": f"EX-{n}",
                "updated": time,
                "content": {"src": f"{feed.url}/white/ex-{n}.json"},
                "link": [{"rel": "hash", "href": f"{feed.url}/white/ex-{n}.json.sha512"}],
            }
            for n, time in enumerate(updated, 1)
        ]
        feed.files["/feed.json"] = json.dumps({"feed": {"entry": entries}}).encode()

    publish("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    rolie = {"feeds": [{"url": f"{feed.url}/feed.json"}]}
    metadata = {"distributions": [{"rolie": rolie}]}
    feed.files["/provider-metadata.json"] = json.dumps(metadata).encode()
    url = f"{feed.url}/provider-metadata.json"
    first = brought(tmp_path, url)
    assert (first.written, first.checked, first.problems) == (2, 2, [])
    publish("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    feed.asked.clear()
    second = brought(tmp_path, url)
    assert second.problems == []
    fetched = [path for path, _, _ in feed.asked if path.startswith("/white/")]
    assert fetched == ["/white/ex-2.json.sha512", "/white/ex-2.json"] or set(fetched) == {
        "/white/ex-2.json.sha512",
        "/white/ex-2.json",
    }
    feed.files["/white/ex-2.json"] = b"{}"
    publish("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")
    third = brought(tmp_path, url)
    assert (third.broken, third.reached) == (1, True)
    assert "digest differ" in third.problems[0]
    assert held(tmp_path)["ex-2.json"] == documents["/white/ex-2.json"]


@pytest.mark.parametrize("listing", ["changes.csv", "index.txt"])
def test_a_directory_of_csaf(feed: Feed, tmp_path: Path, listing: str) -> None:
    feed.files["/csaf/2026/ex-1.json"] = json.dumps(CSAF).encode()
    line = (
        '"2026/ex-1.json","2026-01-01T00:00:00Z"' if listing == "changes.csv" else "2026/ex-1.json"
    )
    feed.files[f"/csaf/{listing}"] = f"{line}\n2026/absent.json,2026-01-01T00:00:00Z\n".encode()
    report = brought(tmp_path, f"{feed.url}/csaf/")
    assert (report.written, report.broken) == (1, 1)
    assert "answered 404" in report.problems[0]
    assert brought(tmp_path, f"{feed.url}/csaf/").unchanged == 1


def test_links_lead_nowhere_else(feed: Feed, tmp_path: Path) -> None:
    feed.redirect = "http://127.0.0.2/x"
    report = brought(tmp_path, f"{feed.url}/moved")
    assert not report.reached
    assert "not followed" in report.problems[0]
    for url in ("file:///etc/passwd", "http://other.example/", "ftp://127.0.0.1/", "//x/y"):
        with pytest.raises(BadInput, match="not followed"):
            check_link("http://127.0.0.1/a", url)
    with pytest.raises(BadInput, match="not followed"):
        check_link("https://a.example/x", "http://a.example/x")
    check_link("https://a.example/x", "https://b.example/y")


KEV = {"catalogVersion": "2026", "vulnerabilities": [{"cveID": "CVE-2026-1"}]}
EPSS = b"#model_version:v2026,score_date:2026-01-01\ncve,epss,percentile\nCVE-2026-1,0.97,0.999\n"


def test_kev_and_epss_show_in_table_and_csv(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    record = json.loads(osv("PYSEC-1")) | {"aliases": ["CVE-2026-1"]}
    feed.files |= {
        "/all.zip": zipped(A=json.dumps(record).encode(), B=osv("B")),
        "/kev.json": json.dumps(KEV).encode(),
        "/epss_scores-current.csv.gz": gzip.compress(EPSS),
    }
    sources = [f"{feed.url}{path}" for path in feed.files]
    (tmp_path / "site.csv").write_text("serial;purl\nS1;pkg:pypi/foo@1.0\n")

    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(args))
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    code, out, _ = run("feeds", "sync", "--to", "feeds", "--source", *sources, "--json")
    assert code == 0
    assert [s["written"] for s in json.loads(out)["sources"]] == [2, 1, 1]
    match = ("match", "--advisories", "feeds", "--inventory", "site.csv")
    _, lines, err = run(*match)
    assert len(lines.splitlines()) == 2
    assert "kev" not in lines
    assert err == ""
    _, table, _ = run(*match, "--format", "table")
    assert "CVE-2026-1  KEV  EPSS 0.97  fixed: 2.0" in table
    assert "B  fixed: 2.0" in table
    _, cells, _ = run(*match, "--format", "csv")
    assert [row.split(",")[-2:] for row in cells.splitlines()] == [
        ["kev", "epss"], ["no", ""], ["yes", "0.97"]
    ]  # fmt: skip


def test_a_folder_with_archives_and_single_records(tmp_path: Path) -> None:
    source, to = tmp_path / "in", tmp_path / "to"
    source.mkdir()
    (source / "one.json").write_bytes(osv("ONE"))
    (source / "broken.json").write_bytes(b"{")
    (source / "notes.md").write_bytes(b"#")
    with tarfile.open(source / "cves.tar.xz", "w:xz") as archive:
        info = tarfile.TarInfo("../../x/TWO.json")
        info.size = len(osv("TWO"))
        archive.addfile(info, io.BytesIO(osv("TWO")))
    report = brought(to, str(source))
    assert (report.written, report.broken) == (2, 1)
    assert set(held(to)) == {"one.json", "TWO.json"}
    again = brought(to, str(source))
    assert (again.written, again.unchanged, again.broken) == (0, 2, 1)


def test_a_path_is_remembered_from_the_root_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "records").mkdir(parents=True)
    (tmp_path / "here" / "records" / "a.json").write_bytes(osv("OSV-1"))
    monkeypatch.chdir(tmp_path / "here")
    folder = FeedFolder(tmp_path / "feeds")
    assert sync(folder, "records").written == 1
    monkeypatch.chdir(tmp_path)
    [source] = folder.state["sources"]
    assert sync(folder, source).unchanged == 1, "from wherever the worker stands"


def test_a_source_out_of_reach_does_not_stop_the_rest(
    feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed.files["/a.json"] = osv("A")
    args = ["feeds", "sync", "--to", str(tmp_path / "to"), "--source"]
    sources = ["http://127.0.0.1:9/x", "ftp://x/y", "absent", f"{feed.url}/a.json"]
    with pytest.raises(SystemExit) as stop:
        main([*args, *sources])
    captured = capsys.readouterr()
    assert stop.value.code == 1
    assert captured.out.splitlines()[-1].endswith("1 written, 0 unchanged")
    assert len(captured.err.splitlines()) == 3


def test_killed_at_any_moment_nothing_is_lost(feed: Feed, tmp_path: Path) -> None:
    records = {f"R{n}": osv(f"R{n}") for n in range(400)}
    feed.files["/all.zip"] = zipped(**records)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from vedette.formats.feeds.folder import FeedFolder\n"
        "from vedette.formats.feeds.syncing import sync\n"
        "print('begun', flush=True)\n"
        "sync(FeedFolder(Path(sys.argv[1])), sys.argv[2])\n"
    )
    url, to = f"{feed.url}/all.zip", tmp_path / "to"
    for pause in (0.0, 0.02, 0.05):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(to), url], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for name, data in held(to).items() if to.exists() else ():
            assert data == records[name.removesuffix(".json")], "whole or not there"
    brought(to, url)
    assert held(to) == {f"{name}.json": data for name, data in records.items()}


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_are_harmless_and_apart(one: str, other: str) -> None:
    for part in (*safe(one).split("/"), slug(one)):
        assert not set(part) & set('\\:*?"<>|\x00 ')
        assert part
        assert not part.startswith(".")
        assert len(part) < 200
    if one != other:
        assert slug(one) != slug(other)
    paths = [[p for p in name.replace("\\", "/").split("/") if p not in ("", ".", "..")]
             for name in (one, other)]  # fmt: skip
    if len(paths[0]) == 1 == len(paths[1]) and paths[0] != paths[1]:
        assert safe(one) != safe(other)


def test_records_of_one_name_in_two_folders_are_two(feed: Feed, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x/A.json", osv("A"))
        archive.writestr("y/A.json", osv("A2"))
    feed.files["/all.zip"] = buffer.getvalue()
    brought(tmp_path, f"{feed.url}/all.zip")
    contents = {file.read_bytes() for file in tmp_path.rglob("A.json")}
    assert contents == {osv("A"), osv("A2")}


def test_a_state_of_another_version_is_told(tmp_path: Path) -> None:
    FeedFolder(tmp_path).save()
    (tmp_path / ".feeds/state.json").write_text('{"version": 99, "sources": {}}')
    with pytest.raises(BadInput, match="not the state of this version"):
        FeedFolder(tmp_path)


def test_two_runs_do_not_share_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_bytes(osv("A"))
    args = ["feeds", "sync", "--to", str(tmp_path / "to"), "--source", str(tmp_path / "a.json")]
    with FeedFolder(tmp_path / "to").alone(), pytest.raises(SystemExit) as stop:
        main(args)
    assert stop.value.code == 2
    assert "another run" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(args)
    assert stop.value.code == 0
    assert held(tmp_path / "to") == {"a.json": osv("A")}


def test_an_archive_without_a_record_is_listed(tmp_path: Path) -> None:
    archive = tmp_path / "yaml.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("PYSEC-1.yaml", "id: PYSEC-1")
    report = sync(FeedFolder(tmp_path / "to"), str(archive))
    assert (report.written, report.broken) == (0, 1)
    assert "yaml.zip: holds no .json record" in report.problems[0]


def test_a_folder_without_a_file_that_is_read_is_listed(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from/PYSEC-1.yaml").write_text("id: PYSEC-1")
    report = sync(FeedFolder(tmp_path / "to"), str(tmp_path / "from"))
    assert (report.written, report.broken) == (0, 1)
    assert "from: no file that ends in .json" in report.problems[0]
