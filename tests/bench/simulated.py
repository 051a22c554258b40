"""Response tables from known abilities, for tests of the statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def table(
    subjects: int,
    items: int,
    seed: int,
    *,
    guess: float = 0.0,
    cluster: float = 0.0,
    spread: float = 0.3,
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Abilities and responses.

    `guess` is a 3PL floor, `cluster` the sd of an effect that five items share.
    """
    random = np.random.default_rng(seed)
    ability = random.standard_normal(subjects)
    a, b = np.exp(random.normal(0, spread, items)), random.standard_normal(items)
    shared = random.normal(0, cluster, (subjects, -(-items // 5)))[:, np.arange(items) // 5]
    chance = guess + (1 - guess) / (1 + np.exp(-a * (ability[:, None] + shared - b)))
    return ability, (random.random((subjects, items)) < chance).astype(np.int8)
