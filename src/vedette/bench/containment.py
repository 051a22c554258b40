"""What the links of a plant let pass: a policy in lines of text, which whoever defends it writes.

Rules:
- A line is `accept HOP PATTERN` or `refuse HOP PATTERN`: what HOP is asked, as it is asked. HOP may
  be `*`; in a pattern `*` stands for any characters, `?` for one, `[...]` for one of these.
- The first line that fits decides; what none fits is accepted.
- Empty lines, and those that begin with `#`, say nothing.
- What is refused never reaches its hop; whoever asked hears REFUSED.
- The last link, to the tank, has no policy, and neither have the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vedette.kernel.errors import BadInput

REFUSED = "fault: refused"
MOST_LINES, MOST_LINE = 100, 200
VERBS = {"accept": True, "refuse": False}


@dataclass(frozen=True)
class Policy:
    """`rules` are in order: whether to accept, the hop or `*`, the pattern."""

    rules: tuple[tuple[bool, str, str], ...] = ()

    def accepts(self, hop: str, asked: str) -> bool:
        for accept, name, pattern in self.rules:
            if name in ("*", hop) and fnmatchcase(asked, pattern):
                return accept
        return True


ALL = Policy()


def read_policy(data: bytes, hops: Sequence[str]) -> Policy:
    """Read a policy for a plant of these hops. Raises BadInput naming the line."""
    try:
        lines = data.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise BadInput("policy: ASCII text expected") from None
    if len(lines) > MOST_LINES:
        raise BadInput(f"policy: {len(lines):,} lines, at most {MOST_LINES} are taken")
    rules = []
    for number, line in enumerate(lines, start=1):
        verb, _, rest = line.strip().partition(" ")
        hop, _, pattern = rest.strip().partition(" ")
        if not verb or verb.startswith("#"):
            continue
        if len(line) > MOST_LINE:
            raise BadInput(f"policy, line {number}: more than {MOST_LINE} characters")
        if verb not in VERBS or not pattern.strip() or hop not in ("*", *hops):
            raise BadInput(
                f"policy, line {number}: {line[:60]!r} is no rule",
                next_step=f"accept or refuse, one of {', '.join(hops)} or *, then a pattern",
            )
        rules.append((VERBS[verb], hop, pattern.strip()))
    return Policy(tuple(rules))
