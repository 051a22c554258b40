"""Permissions, events and errors: named once, in order, and speaking to people."""

from __future__ import annotations

import re

import pytest

from vedette.kernel import errors
from vedette.kernel.events import Event
from vedette.kernel.permissions import PROFILE_ROLES, ROLES, Permission, Profile

NAME = re.compile(r"[a-z]+(:[a-z-]+){2}")


def test_events_are_named_once_in_order() -> None:
    names = [event.value for event in Event]
    assert names == sorted(set(names))
    assert all(NAME.fullmatch(name) for name in names)
    assert all(
        event.name == event.value.upper().replace(":", "_").replace("-", "_") for event in Event
    )


def test_permissions_are_named_once_in_order() -> None:
    assert [p.name for p in Permission] == sorted(p.name for p in Permission)
    assert len({p.value for p in Permission}) == len(Permission)
    assert all(NAME.fullmatch(p.value) for p in Permission)


def test_no_permission_and_no_event_is_about_a_release() -> None:
    assert not [name for name in [*Permission, *Event] if "release" in name]


def test_every_profile_offers_known_roles() -> None:
    assert set(PROFILE_ROLES) == set(Profile)
    assert {role for roles in PROFILE_ROLES.values() for role in roles} == set(ROLES)
    readers = ROLES["reader"]
    assert all(permission.value.endswith(":read") for permission in readers)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AnswerIsNo, 1),
        (errors.BadInput, 2),
        (errors.Forbidden, 2),
        (errors.MissingPart, 2),
        (errors.NotFound, 2),
        (errors.OurFault, 3),
        (errors.Refused, 2),
    ],
)
def test_errors_say_what_was_kept_and_what_comes_next(
    error: type[errors.VedetteError], code: int
) -> None:
    shown = error("line 3: no id", kept="12 findings", next_step="add an id")
    assert str(shown) == "line 3: no id; kept: 12 findings; next: add an id"
    assert str(error("line 3: no id")) == "line 3: no id"
    assert shown.exit_code == code
