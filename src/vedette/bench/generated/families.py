"""The families of generated daemons and services: the flaw of each, and how it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from vedette.bench.generated import memory, rules, services
from vedette.bench.generated.draw import Draw
from vedette.bench.generated.wire import Wire

MEMORY = "commit a memory error"
RULE = "break a rule that it holds itself to, upon which it aborts"
WATCHED = "break the rule that `outside.py` watches"


@dataclass(frozen=True)
class Family:
    """A kind of flaw; `frames` are names for the function where it shows, `goal` is the task."""

    id: str
    title: str
    summary: str
    crash_class: str
    cwe: str
    minutes: float
    frames: tuple[str, ...]
    verbs: tuple[str, str, str]
    draw: Callable[[Wire, Random], Draw]
    goal: str = MEMORY

    @property
    def python(self) -> bool:
        """Whether it is a service in Python, not a daemon in C."""
        return self.goal == WATCHED


FAMILIES = (
    Family(
        "text",
        "a text longer than its slot",
        "The bound of a line is taken for the bound of a slot.",
        "heap-buffer-overflow",
        "CWE-122",
        15,
        ("keep_text", "store_note", "put_label", "save_line"),
        ("KEEP", "SHOW", "WIPE"),
        memory.stored_text,
    ),
    Family(
        "table",
        "an entry just past its table",
        "The check of an index lets the first one past the end through.",
        "global-buffer-overflow",
        "CWE-787",
        12,
        ("set_entry", "write_point", "put_value", "load_cell"),
        ("SET", "GET", "SUM"),
        memory.table_entry,
    ),
    Family(
        "session",
        "work in a session that was closed",
        "The last session stays remembered after it is freed.",
        "heap-use-after-free",
        "CWE-416",
        25,
        ("work_on", "do_step", "go_on", "use_last"),
        ("OPEN", "WORK", "CLOSE"),
        memory.stale_session,
    ),
    Family(
        "block",
        "a size that does not fit its number",
        "Rows times width is kept in sixteen bits.",
        "heap-buffer-overflow",
        "CWE-190",
        30,
        ("reserve_rows", "make_block", "lay_out", "take_room"),
        ("RESERVE", "TELL", "RETURN"),
        memory.narrow_size,
    ),
    Family(
        "transfer",
        "a transfer broken off twice",
        "A buffer is given back again although nothing is open.",
        "double-free",
        "CWE-415",
        20,
        ("break_off", "stop_transfer", "drop_buffer", "cancel_load"),
        ("BEGIN", "ADD", "STOP"),
        memory.second_release,
    ),
    Family(
        "echo",
        "a text that grows when written",
        "The room for escaped text is reckoned too small.",
        "stack-buffer-overflow",
        "CWE-121",
        18,
        ("write_text", "print_safe", "put_escaped", "send_line"),
        ("WRITE", "COUNT", "FORGET"),
        memory.longer_when_written,
    ),
    Family(
        "signin",
        "a lock that opens again",
        "The count of wrong pins wraps around, and with it the lock.",
        "ABRT",
        "CWE-307",
        30,
        ("sign_in", "let_in", "check_pin", "log_on"),
        ("SIGNIN", "WHO", "SIGNOUT"),
        rules.wrapping_count,
        RULE,
    ),
    Family(
        "update",
        "an image swapped after its check",
        "A new image keeps the verdict of the one before it.",
        "ABRT",
        "CWE-367",
        20,
        ("install_image", "apply_image", "flash_it", "put_live"),
        ("IMAGE", "VERIFY", "INSTALL"),
        rules.verified_before,
        RULE,
    ),
    Family(
        "setpoint",
        "a number below its range",
        "Only the upper end of a range is looked at.",
        "ABRT",
        "CWE-20",
        12,
        ("drive_to", "move_drive", "set_drive", "go_to"),
        ("TAKE", "DRIVE", "TELL"),
        rules.below_range,
        RULE,
    ),
    Family(
        "token",
        "a token compared in part",
        "Two tokens count as alike as far as the shorter one goes.",
        "rule-broken",
        "CWE-187",
        10,
        ("unlock", "let_through", "open_up", "admit"),
        ("UNLOCK", "COUNT", "LOCK"),
        services.part_of_a_token,
        WATCHED,
    ),
    Family(
        "digits",
        "a number of more than digits",
        "What reads a number takes more than the check before it thought of.",
        "rule-broken",
        "CWE-1286",
        12,
        ("drive_to", "move_drive", "set_drive", "go_to"),
        ("TAKE", "DRIVE", "TELL"),
        services.more_than_digits,
        WATCHED,
    ),
    Family(
        "burner",
        "a state kept past its end",
        "What was held is still there after all was switched off.",
        "rule-broken",
        "CWE-372",
        25,
        ("light", "ignite", "fire_up", "kindle"),
        ("GO", "HOLD", "RESUME"),
        services.held_past_off,
        WATCHED,
    ),
    Family(
        "shelf",
        "a name read twice",
        "A name is checked before it is unquoted.",
        "rule-broken",
        "CWE-22",
        18,
        ("put_text", "keep_text", "store_it", "lay_down"),
        ("PUT", "COUNT", "DROP"),
        services.named_twice,
        WATCHED,
    ),
    Family(
        "note",
        "a text taken for a format",
        "A text from outside is formatted; the check knows one way to ask for the key.",
        "rule-broken",
        "CWE-134",
        15,
        ("write_note", "put_note", "pin_up", "tell_all"),
        ("WRITE", "COUNT", "FORGET"),
        services.text_as_format,
        WATCHED,
    ),
)
