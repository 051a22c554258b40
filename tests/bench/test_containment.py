"""What a policy lets pass: the first rule that fits, and bad rules by their line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.containment import MOST_LINES, Policy, read_policy
from vedette.kernel.errors import BadInput

pytestmark = pytest.mark.any_database
HOPS = ("desk", "gateway")
ASKED = st.text(st.sampled_from("abc #1"), max_size=12)
RULES = st.lists(
    st.tuples(
        st.sampled_from(["accept", "refuse"]),
        st.sampled_from([*HOPS, "*"]),
        st.text(st.sampled_from("abc#1*?"), min_size=1, max_size=6),
    ),
    max_size=6,
)


def fits(pattern: str, asked: str) -> bool:
    """Match by trying every length of a star."""
    if not pattern:
        return not asked
    if pattern[0] == "*":
        return any(fits(pattern[1:], asked[n:]) for n in range(len(asked) + 1))
    return bool(asked) and pattern[0] in ("?", asked[0]) and fits(pattern[1:], asked[1:])


@given(RULES, st.sampled_from(HOPS), ASKED)
def test_the_first_rule_that_fits_decides(
    rules: list[tuple[str, str, str]], hop: str, asked: str
) -> None:
    text = "# a policy\n\n" + "".join(f"{' '.join(rule)}\n" for rule in rules)
    policy = read_policy(text.encode(), HOPS)
    verdicts = [v for v, name, p in rules if name in ("*", hop) and fits(p, asked)]
    assert policy.accepts(hop, asked) == ([*verdicts, "accept"][0] == "accept")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("refuse", "line 1"),
        ("accept desk *\nrefuse controller *", "line 2: 'refuse controller \\*' is no rule"),
        ("block desk *", "line 1"),
        ("refuse desk", "line 1"),
        (f"refuse desk {'x' * 200}", "more than 200 characters"),
        ("\n" * (MOST_LINES + 1), "at most 100"),
        ("refuse desk \u00fc", "ASCII"),
    ],
)
def test_what_is_no_rule_is_named(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_policy(text.encode(), HOPS)


def test_an_empty_policy_lets_all_pass() -> None:
    assert read_policy(b"", HOPS) == Policy()
