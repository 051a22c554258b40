"""Private set intersection: exactly what is in both sets, at one size, and the extra is named."""

from __future__ import annotations

import sys

import pytest

from vedette.kernel.errors import BadInput, MissingPart
from vedette.matching import intersection


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intersection, "HELD", 64)
    monkeypatch.setattr(intersection, "CASES", 8)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("held", "cases"),
    [([], []), (["a", "b"], ["b", "c"]), (["a"], []), ([], ["a"]), (["x", "y"], ["y", "x"])],
)
def test_what_both_hold_is_found(held: list[str], cases: list[str]) -> None:
    asking = intersection.Asking(held)
    answer = intersection.answer(cases, asking.request)
    assert asking.found(answer) == sorted({*held} & {*cases})


@pytest.mark.usefixtures("small")
def test_sizes_say_nothing() -> None:
    empty, full = intersection.Asking([]), intersection.Asking([f"k{n}" for n in range(60)])
    assert len(empty.request) == len(full.request)
    answers = [intersection.answer(keys, full.request) for keys in ([], ["k1"], list("abcdefgh"))]
    assert len({len(each) for each in answers}) == 1


@pytest.mark.usefixtures("small")
def test_what_finds_no_room_has_its_turn() -> None:
    held = [f"k{n}" for n in range(100)]
    assert intersection.Asking(held).waiting == 36
    found = set()
    for turn in range(2):
        asking = intersection.Asking(held, turn)
        found |= {*asking.found(intersection.answer(["k1", "k99"], asking.request))}
    assert found == {"k1", "k99"}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("request_", [b"", b"nonsense", b"\x00" * 40])
def test_what_is_no_question_is_told(request_: bytes) -> None:
    with pytest.raises(BadInput, match="question"):
        intersection.answer(["a"], request_)
    with pytest.raises(BadInput, match="no answer"):
        intersection.Asking(["a"]).found(request_)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "private_set_intersection.python", None)
    with pytest.raises(MissingPart, match="extra psi") as told:
        intersection.Asking(["a"])
    assert told.value.exit_code == 2
