"""Private matching over loopback with every byte recorded: what crosses says nothing of either."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.services.private_house import (
    NAMES,
    Operator,
    embargoed,
    one_flaw_each,
    publish,
    recorded,
    served,
)

from vedette.exchange.private_question import PRIVATE_PATH
from vedette.formats.detect import read_inventory
from vedette.kernel.permissions import Profile
from vedette.matching import identity, intersection
from vedette.services import cases, private_asking, private_cases, reproduction
from vedette.services.testing import Fixture
from vedette.store.models import LedgerEntry, PrivateQuestion
from vedette.store.tenancy import SYSTEM, scoped

MINE = [f"pkg:pypi/{name}@1.4.1" for name in NAMES[:30]]
OTHERS = [f"pkg:pypi/{name}@7.0.33" for name in NAMES[1_000:1_030]]


@pytest.fixture
def house(clearinghouse: Fixture, monkeypatch: pytest.MonkeyPatch) -> Fixture:
    monkeypatch.setattr(reproduction, "execute", one_flaw_each)
    publish(clearinghouse)
    return clearinghouse


@pytest.fixture
def operator_of(
    house: Fixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[str], Operator]]:
    with served() as (port, serve):
        yield lambda name: Operator(house, tmp_path / name, port, serve, capsys, name)


@pytest.fixture
def utility(operator_of: Callable[[str], Operator]) -> Operator:
    """An operator with early warning that has the newest index."""
    made = operator_of("Utility")
    made.known()
    made.holds(*MINE)
    code, _, said = made.watch()
    assert code == 0, said
    return made


def private_lines(found: tuple[int, list[dict[str, Any]], str]) -> list[dict[str, Any]]:
    assert found[0] == 0, found[2]
    return [line for line in found[1] if "embargo" in line]


def test_what_is_under_embargo_is_found_at_home(house: Fixture, utility: Operator) -> None:
    case = embargoed(house, NAMES[3])
    embargoed(house, NAMES[4], fixed="1.0")
    embargoed(house, NAMES[2_000])
    (line,) = private_lines(utility.watch("--embargoed"))
    assert (line["advisory"], line["purl"], line["version"]) == (case.id, MINE[3], "1.4.1")
    assert (line["verdict"], line["confidence"], line["change"]) == ("affected", "exact", "new")
    assert line["fixed"] == ["2.0"]
    embargo = line["embargo"]
    assert embargo["marking"] == "TLP:AMBER+STRICT"
    assert embargo["until"] == "2027-03-01T09:00:00Z"
    assert embargo["hours"][0]["zone"] == "UTC"
    code, lines, said = utility.watch("--embargoed")
    assert (code, lines) == (0, [])
    assert "6 of 8 questions of the day are left" in said
    private_cases.close_in_private(house.person("coordinator"), case.id)
    (gone,) = private_lines(utility.watch("--embargoed"))
    assert (gone["change"], gone["advisory"]) == ("gone", case.id)


def test_inventories_of_one_size_cannot_be_told_apart(house: Fixture, utility: Operator) -> None:
    embargoed(house, NAMES[3])
    seen = []
    for held in (MINE, OTHERS):
        utility.holds(*held)
        utility.watch()
        with recorded(utility.port) as wire:
            assert utility.watch("--embargoed", port=wire.port)[0] == 0
        assert PRIVATE_PATH.encode() in wire.bytes()
        seen.append(wire.lengths())
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


def test_names_versions_and_counts_are_nowhere_in_the_traffic(
    house: Fixture, utility: Operator
) -> None:
    embargoed(house, NAMES[3])
    with recorded(utility.port) as wire:
        assert private_lines(utility.watch("--embargoed", port=wire.port))
    question = wire.passed[1][0].partition(b"\r\n\r\n")[2]
    payload = base64.b64decode(json.loads(question)["payload"])
    crossed = (wire.bytes() + payload).lower()
    for purl in MINE:
        name = purl.removeprefix("pkg:pypi/").partition("@")[0]
        for text in (name, "pypi/" + name, purl):
            for written in ways(text):
                assert written.lower() not in crossed
    assert b"1.4.1" not in crossed
    fields = json.loads(payload)
    told = {"vedette", "id", "asker", "to", "asked_at", "key", "kind", "bits", "buckets"}
    assert set(fields) == told
    assert len(fields["buckets"]) == 4 * 64
    assert 1 << fields["bits"] > 64


def ways(text: str) -> Iterator[bytes]:
    """A text in the encodings of this program: plain, quoted, base64 at any offset, digests."""
    data = text.encode()
    yield data
    yield quote(text, safe="").encode()
    yield data.hex().encode()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        yield encoded[4 if before else 0 : -4]
    for hashed in (hashlib.sha256(data), hashlib.blake2b(data, digest_size=32)):
        yield hashed.digest()
        yield hashed.hexdigest().encode()
        yield base64.b64encode(hashed.digest())


def test_answers_have_one_length_with_and_without_cases(house: Fixture, utility: Operator) -> None:
    seen = []
    for more in ((), (NAMES[3],), tuple(NAMES[5:9])):
        for name in more:
            embargoed(house, name)
        with recorded(utility.port) as wire:
            assert utility.watch("--embargoed", port=wire.port)[0] == 0
        seen.append(wire.lengths())
    assert seen[0] == seen[1] == seen[2]


def test_to_others_there_is_nothing(
    house: Fixture, operator_of: Callable[[str], Operator], utility: Operator
) -> None:
    embargoed(house, NAMES[3])
    stranger, peer, lab = map(operator_of, ("Stranger", "Peer", "Lab"))
    peer.known(early_warning=False)
    lab.known(early_warning=False, profile=Profile.LAB)
    for asker in (stranger, peer, lab):
        asker.holds(*MINE)
        with recorded(asker.port) as wire:
            code, lines, said = asker.watch("--embargoed", port=wire.port)
        assert (code, lines) == (2, [])
        assert "nothing in private for this instance" in said
        answer = bytes(wire.passed[-1][1])
        assert answer.startswith(b"HTTP/1.0 404")
    private_cases.end_warning(house.person("coordinator"), "Utility")
    assert utility.watch("--embargoed")[0] == 2
    with scoped(SYSTEM):
        assert not PrivateQuestion.objects.exists()


def test_over_the_days_questions_there_is_an_hour(house: Fixture, utility: Operator) -> None:
    case = embargoed(house, NAMES[3])
    for _ in range(8):
        assert utility.watch("--embargoed")[0] == 0
        house.clock.time += timedelta(minutes=1)
        utility.set_clock()
    code, lines, said = utility.watch("--embargoed")
    assert (code, lines) == (2, [])
    assert "8 private questions in 24 hours" in said
    assert "ask again from 2026-12-02T09:00:00Z on" in said
    house.clock.time += timedelta(hours=24) - timedelta(minutes=8)
    utility.set_clock()
    assert utility.watch("--embargoed")[0] == 0
    with scoped(SYSTEM):
        asked = list(PrivateQuestion.objects.values_list("id", flat=True))
        entries = LedgerEntry.objects.filter(event="index:question:answered")
        assert sorted(entries.values_list("object_id", flat=True)) == sorted(asked)
        refused = LedgerEntry.objects.filter(event="index:question:refused")
        assert refused.count() == 1
    view = private_cases.state_of(house.person("coordinator"), case.id)
    assert view is not None
    assert (view["open"], view["asked"]) == (True, 9)


def test_a_case_that_ended_is_no_longer_told(house: Fixture, utility: Operator) -> None:
    case = embargoed(house, NAMES[3])
    cases.close_case(house.person("coordinator"), case.id, "withdrawn by its finder")
    assert private_lines(utility.watch("--embargoed")) == []


@pytest.fixture
def small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intersection, "HELD", 64)


@pytest.mark.usefixtures("small_sets")
def test_a_secret_set_is_intersected_and_told_for_what_is_revealed(
    house: Fixture, utility: Operator
) -> None:
    case, other = (embargoed(house, NAMES[n], secret=True) for n in (3, 4))
    embargoed(house, NAMES[2_000], secret=True)
    assert private_lines(utility.watch("--embargoed")) == []
    code, lines, said = utility.watch("--embargoed", "--intersect")
    assert (code, lines) == (0, [])
    assert f"products in both sets: pypi/{NAMES[3]}, pypi/{NAMES[4]};" in said
    given = ("--embargoed", "--intersect", "--reveal")
    (line,) = private_lines(utility.watch(*given, f"pypi/{NAMES[3]}"))
    assert (line["advisory"], line["verdict"], line["fixed"]) == (case.id, "affected", ["2.0"])
    (more,) = private_lines(utility.watch(*given, "all"))
    assert (more["advisory"], more["change"]) == (other.id, "new")


def test_a_product_in_both_sets_is_named_once() -> None:
    held = read_inventory(b"vendor,product,version\nAcme,Controller 7,1.0\n", "plant.csv")
    keys = sorted(identity.of_component(held.components[0]))
    assert len(keys) > 2
    assert private_asking.named(keys, [held]) == {"Acme Controller 7": keys}


@pytest.mark.usefixtures("small_sets")
def test_intersections_cannot_be_told_apart_and_name_nothing(
    house: Fixture, utility: Operator
) -> None:
    seen = []
    for held, hidden in ((MINE, NAMES[3]), (OTHERS, NAMES[7]), (MINE[:2], NAMES[8])):
        utility.holds(*held)
        utility.watch()
        embargoed(house, hidden, secret=True)
        with recorded(utility.port) as wire:
            given = ("--embargoed", "--intersect", "--reveal", "all")
            assert utility.watch(*given, port=wire.port)[0] == 0
        questions = [there.partition(b"\r\n\r\n")[2] for there, _ in wire.passed[1:]]
        payloads = [base64.b64decode(json.loads(question)["payload"]) for question in questions]
        crossed = (wire.bytes() + b"".join(payloads)).lower()
        for purl in held:
            name = purl.removeprefix("pkg:pypi/").partition("@")[0]
            for written in (*ways(name), *ways("pypi/" + name)):
                assert written.lower() not in crossed
        # what is revealed is sealed with age, whose header has a part of random length
        seen.append([*wire.lengths()[:2], wire.lengths()[2][1]])
    assert seen[0] == seen[1] == seen[2]
