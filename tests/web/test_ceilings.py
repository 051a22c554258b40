"""A body that is too large gets a plain answer, and never lies in memory: a dossier of 500 MB."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.web.visitors import visitor

from vedette.kernel.bounds import MIB
from vedette.services.testing import Fixture

SIZE = 500_000_000
FORM = "multipart/form-data; boundary=x"


class Stream:
    """A body that nobody holds: so many bytes, made as they are read."""

    def __init__(self, size: int = SIZE) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= MIB, "read in pieces"
        piece = b"x" * min(size, self.left)
        self.left -= len(piece)
        return piece

    readline = read


@pytest.fixture
def lead(lab: Fixture) -> Client:
    return visitor(lab, "release-lead")


def send(client: Client, path: str, kind: str, stream: Stream) -> HttpResponse:
    told: dict[str, Any] = {"CONTENT_LENGTH": str(stream.left), "CONTENT_TYPE": kind}
    return client.generic("POST", path, **told, **{"wsgi.input": stream})


@pytest.mark.parametrize("path", ["/api/v1/plans", "/api/v1/acts"])
def test_a_program_is_told_in_problem_json(lead: Client, path: str) -> None:
    stream = Stream()
    tracemalloc.start()
    answer = send(lead, path, "application/json", stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    told = answer.json()  # type: ignore[attr-defined]
    assert "500,000,000 bytes" in told["detail"]
    assert told["kept"] == "nothing of it"
    assert "file" in told["next"]
    assert stream.left == 0, "who sends it hears the answer only after the last byte"
    assert peak < 16 * MIB


def test_a_person_is_told_on_a_page(lead: Client, tmp_path: Path) -> None:
    stream = Stream()
    answer = send(lead, "/plan/new/", FORM, stream)
    assert answer.status_code == 413
    assert "500,000,000 bytes" in answer.content.decode()
    assert stream.left == 0


def test_a_stranger_leaves_nothing_on_the_disk(lab: Fixture) -> None:
    for path in ("/attachments/send/", "/accounts/login/"):
        assert send(Client(), path, FORM, Stream(40 * MIB)).status_code == 413


def test_a_file_of_the_same_size_may_be_sent_by_who_is_signed_in(lead: Client) -> None:
    # not a form's body: it is read all the same, and refused for what it is
    assert send(lead, "/attachments/send/", FORM, Stream(40 * MIB)).status_code != 413


def test_of_a_really_large_one_only_the_beginning_is_read(lead: Client) -> None:
    stream = Stream(100_000 * MIB)
    assert send(lead, "/attachments/send/", FORM, stream).status_code == 413
    assert stream.left == 100_000 * MIB - 1024 * MIB
