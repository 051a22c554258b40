"""Feeds in the portal and over the API: taken as a file, listed, and VEX in them honoured."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.services.advisories import CVE, osv
from tests.services.operators import OLD, hosted, take
from tests.services.running import run_jobs
from tests.services.test_vex import openvex
from tests.web.test_api_notices import Api
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.formats.feeds.folder import FeedFolder
from vedette.formats.feeds.syncing import sync
from vedette.services import feed_files, notices
from vedette.services.here import use
from vedette.services.testing import Fixture


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name if "." in name else f"{name}.json", data)
    return made.getvalue()


RECORD = json.dumps(osv("PYSEC-1", "5.2.0", aliases=(CVE,))).encode()


def upload(client: Client, data: bytes, name: str = "all.zip", source: str = "PyPI") -> str:
    return send(client, "/feeds/take/", source=source, file=SimpleUploadedFile(name, data))


def test_a_file_enters_the_index_and_vex_in_it_is_offered(clearinghouse: Fixture) -> None:
    actor = hosted(clearinghouse)
    take(actor, OLD)
    client = visitor(clearinghouse, "coordinator")
    assert "No feed was taken yet" in read(client, "/feeds/")
    assert upload(client, zipped(a=RECORD, vex=openvex(), bad=b'{"id": 5')) == "/feeds/"
    page = read(client, "/feeds/")
    for part in ("1 new", "1 VEX documents", "1 unreadable", "with problems", "bad.json"):
        assert part in page, part
    run_jobs()
    assert [row["advisory"] for row in notices.notices(actor)] == ["PYSEC-1"]
    utility = visitor(clearinghouse, "operator", actor.org)
    page = read(utility, "/vex/")
    assert "not honoured" in page
    assert "Lake Water" in page
    assert send(utility, "/vex/honour/", feed="PyPI", honoured="1") == "/vex/"
    run_jobs()
    page = read(utility, "/vex/")
    assert "by Lake Water, from the feed PyPI" in page
    assert "Honour no more" in page
    reader = visitor(clearinghouse, "reader", actor.org)
    assert reader.post("/vex/honour/", {"feed": "PyPI"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.zip", b"PK\x03\x04 cut off", "damaged"),
        ("a.zip", zipped(**{"read.me": b"x"}), "holds no .json record"),
        ("a.json", b'{"id": "X"', "None"),
        ("a.xml", b"<x/>", "None"),
    ],
)
def test_what_can_not_be_taken_is_told(
    clearinghouse: Fixture, name: str, data: bytes, said: str
) -> None:
    client = visitor(clearinghouse, "coordinator")
    if said == "None":
        upload(client, data, name)
        assert "1 unreadable" in read(client, "/feeds/")
    else:
        file = SimpleUploadedFile(name, data)
        assert said in refused(client, "/feeds/take/", source="PyPI", file=file)


def test_a_file_is_bounded(clearinghouse: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    client = visitor(clearinghouse, "coordinator")
    file = SimpleUploadedFile("a.zip", zipped(a=RECORD, b=RECORD))
    monkeypatch.setattr(feed_files, "MOST_RECORDS", 1)
    assert "More than 1 records" in refused(client, "/feeds/take/", source="PyPI", file=file)
    monkeypatch.setattr(feed_files, "MAX_FILE", 10)
    file.seek(0)
    assert "More than 10 bytes" in refused(client, "/feeds/take/", source="PyPI", file=file)
    assert "No feed was taken yet" in read(client, "/feeds/")


def test_the_folder_is_brought_up_to_date_by_hand(clearinghouse: Fixture, tmp_path: Path) -> None:
    client = visitor(clearinghouse, "coordinator")
    assert send(client, "/feeds/bring/") == "/feeds/"
    assert "No folder of feeds is set" in read(client, "/feeds/")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.json").write_bytes(RECORD)
    sync(FeedFolder(tmp_path / "feeds"), str(tmp_path / "source"))
    with use(replace(clearinghouse.here, feeds=tmp_path / "feeds")):
        send(client, "/feeds/bring/")
        run_jobs()
        page = read(client, "/feeds/")
    assert str(tmp_path / "source") in page
    assert "1 new" in page


def test_who_may(clearinghouse: Fixture) -> None:
    for client, status in (
        (stranger(clearinghouse, "operator"), 404),
        (visitor(clearinghouse, "reader"), 403),
    ):
        for url in ("/feeds/", "/feeds/take/"):
            assert client.get(url).status_code == status, url
        assert client.post("/feeds/bring/").status_code == status
    coordinator = visitor(clearinghouse, "coordinator")
    assert coordinator.get("/feeds/bring/").status_code == 405
    assert "/feeds/" in read(coordinator, "/")
    hosted_one = visitor(clearinghouse, "operator", hosted(clearinghouse).org)
    assert "/feeds/" not in read(hosted_one, "/")


def test_over_the_api(operator: Fixture) -> None:
    api = Api("operator")
    taken = api.post("/feeds?source=PyPI&name=all.zip", zipped(a=RECORD, vex=openvex()))
    assert taken.status_code == 200, taken.content
    assert (taken.json()["accepted"], taken.json()["vex"]) == (1, 1)
    listed = api.get("/feeds").json()
    assert [row["source"] for row in listed["sources"]] == ["PyPI"]
    assert listed["takings"][0]["what"] == "PyPI: all.zip"
    assert [row["honoured"] for row in api.get("/vex/feeds").json()] == [True]
    said = api.post("/vex/feeds", {"feed": "PyPI", "honoured": False})
    assert [row["honoured"] for row in said.json()] == [False]
    assert api.post("/vex/feeds", {"feed": "none"}).status_code == 404
    assert api.post("/feeds/bring").status_code == 409
