"""What the second run, on PostgreSQL, does of the walks that ask every address in every way.

They are about addresses and rules, and run whole on SQLite. On PostgreSQL one profile is walked,
where a database that takes less shows; the others with --long.
"""

from __future__ import annotations

import os

import pytest

from vedette.kernel.permissions import Profile

ON_POSTGRESQL = bool(os.environ.get("VEDETTE_TEST_DATABASE"))


def walked(first: Profile) -> list[object]:
    """The profiles as parameters; on PostgreSQL all but `first` are slow runs."""
    slow = [pytest.mark.long] if ON_POSTGRESQL else []
    return [each if each == first else pytest.param(each, marks=slow) for each in Profile]
