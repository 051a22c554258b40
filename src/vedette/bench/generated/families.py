"""The families of generated daemons: the flaw of each, how it shows, what harmless use prints.

Rules:
- The flawed and the fixed program differ in one expression.
- The reference input reaches the flaw under the item's knobs; the fixed program answers it with a
  fault.
- What harmless inputs print is worked out here, apart from the C program that prints it, so that
  certification sets one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from vedette.bench.generated.wire import Wire

Script = tuple[list[bytes], int, list[str]]
"""Frames, ticks before them, and the lines that are printed before the last one."""


@dataclass(frozen=True)
class Draw:
    """One item's own part of a family: its numbers, its flaw and fix, its inputs."""

    values: Mapping[str, object]
    flawed: str
    fixed: str
    reference: list[bytes]
    scripts: tuple[Script, Script, Script]


MEMORY = "commit a memory error"
RULE = "break a rule that it holds itself to, upon which it aborts"


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


def _word(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _text(random: Random, size: int) -> bytes:
    return bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz0123456789-.", k=size))


def _stored_text(wire: Wire, random: Random) -> Draw:
    keep, show, wipe = wire.verbs
    room = random.randrange(24, 72)
    line = room + random.randrange(9, 30)
    slot, other = random.sample(range(8), 2)

    def kept(at: int, text: bytes) -> bytes:
        return wire.frame(keep, bytes([at]) + text)

    def told(at: int, text: bytes) -> str:
        return f"slot {at} holds {len(text)}, sum {sum(text)}"

    one, two = _text(random, room), _text(random, random.randrange(3, room))
    return Draw(
        {"room": room, "line": line},
        "LINE",
        "ROOM",
        [kept(slot, _text(random, line))],
        (
            (
                [kept(slot, one), wire.frame(show, bytes([slot]))],
                wire.knobs.distance,
                [f"kept {room} in slot {slot}", told(slot, one)],
            ),
            (
                [
                    kept(other, two),
                    wire.frame(wipe, bytes([other])),
                    wire.frame(show, bytes([other])),
                ],
                wire.knobs.distance + 1,
                [f"kept {len(two)} in slot {other}", told(other, b"")],
            ),
            (
                [wire.frame(show, bytes([slot])), wire.frame(show, b"\xff")],
                0,
                [told(slot, b""), "fault: no such slot"],
            ),
        ),
    )


def _table_entry(wire: Wire, random: Random) -> Draw:
    put, get, total = wire.verbs
    entries = random.randrange(20, 300)
    entry, value = random.randrange(entries), random.randrange(1, 65536)
    last = random.randrange(1, 65536)

    def written(at: int, number: int) -> bytes:
        return wire.frame(put, _word(at) + _word(number))

    return Draw(
        {"entries": entries},
        "entry > ENTRIES",
        "entry >= ENTRIES",
        [written(entries, value)],
        (
            (
                [written(entry, value), wire.frame(get, _word(entry))],
                wire.knobs.distance,
                [f"entry {entry} is {value}", f"entry {entry} holds {value}"],
            ),
            (
                [written(entries - 1, last), wire.frame(total)],
                wire.knobs.distance,
                [f"entry {entries - 1} is {last}", f"sum {last}"],
            ),
            ([wire.frame(total), wire.frame(get, _word(entries))], 0, ["sum 0", "fault: unknown"]),
        ),
    )


def _stale_session(wire: Wire, random: Random) -> Draw:
    begin, work, finish = wire.verbs
    number, other = random.sample(range(8), 2)
    some = _text(random, random.randrange(2, 12))

    def on(verb: int, which: int) -> bytes:
        return wire.frame(verb, bytes([which]))

    return Draw(
        {"room": random.randrange(16, 48)},
        "device->last == NULL",
        "device->last == session",
        [on(begin, number), on(finish, number), wire.frame(work, some)],
        (
            (
                [on(begin, number), wire.frame(work, some), wire.frame(work, some)],
                wire.knobs.distance,
                [
                    f"session {number} open",
                    f"session {number} worked {len(some)}",
                    f"session {number} worked {2 * len(some)}",
                ],
            ),
            (
                [on(begin, other), on(begin, number), on(finish, other), wire.frame(work, some)],
                wire.knobs.distance + 2,
                [
                    f"session {other} open",
                    f"session {number} open",
                    f"session {other} closed",
                    f"session {number} worked {len(some)}",
                ],
            ),
            ([on(finish, other)], 0, ["fault: no session"]),
        ),
    )


def _narrow_size(wire: Wire, random: Random) -> Draw:
    reserve, tell, back = wire.verbs
    most = random.randrange(300, 900)
    width = random.choice((16, 32, 64, 128))
    value = random.randrange(256)
    rows, columns = random.randrange(2, 12), random.randrange(2, 12)
    # just over what sixteen bits hold, so that what is left of it is small
    many = 65536 // width + random.randrange(1, max(2, most // width))

    def reserved(count: int, wide: int) -> bytes:
        return wire.frame(reserve, _word(count) + bytes([wide, value]))

    return Draw(
        {"most": most},
        "uint16_t",
        "uint32_t",
        [reserved(many, width)],
        (
            (
                [reserved(rows, columns), wire.frame(tell)],
                wire.knobs.distance,
                [f"{rows} rows of {columns}", f"block {rows} by {columns}"],
            ),
            (
                [reserved(columns, rows), wire.frame(back), wire.frame(tell)],
                wire.knobs.distance,
                [f"{columns} rows of {rows}", "block 0 by 0"],
            ),
            (
                [reserved(0, width), wire.frame(tell)],
                wire.knobs.distance,
                ["fault: block too large", "block 0 by 0"],
            ),
        ),
    )


def _second_release(wire: Wire, random: Random) -> Draw:
    begin, add, stop = wire.verbs
    room = random.randrange(32, 200)
    part = _text(random, random.randrange(4, room // 2))
    start, cease = wire.frame(begin), wire.frame(stop)
    return Draw(
        {"room": room},
        "device->buffer == NULL",
        "!device->open",
        [start, wire.frame(add, part), cease, cease],
        (
            (
                [start, wire.frame(add, part), wire.frame(add, part)],
                wire.knobs.distance,
                ["transfer open", f"transfer of {len(part)}", f"transfer of {2 * len(part)}"],
            ),
            (
                [start, wire.frame(add, part), cease, start],
                wire.knobs.distance + 1,
                [
                    "transfer open",
                    f"transfer of {len(part)}",
                    f"broken off after {len(part)}",
                    "transfer open",
                ],
            ),
            ([wire.frame(add, part)], 0, ["fault: not taken"]),
        ),
    )


def _longer_when_written(wire: Wire, random: Random) -> Draw:
    write, count, forget = wire.verbs
    width = 3 * random.randrange(12, 40) + 1
    plain = _text(random, (width - 1) // 3)
    odd = bytes(random.choices(range(1, 32), k=4))
    escaped = "".join(f"%{byte:02x}" for byte in odd)
    return Draw(
        {"width": width},
        "size > WIDTH / 2",
        "size > (WIDTH - 1) / 3",
        [wire.frame(write, bytes(random.choices(range(128, 256), k=width // 2)))],
        (
            (
                [wire.frame(write, plain), wire.frame(count)],
                wire.knobs.distance,
                [f"wrote {plain.decode()}", f"{len(plain)} written"],
            ),
            (
                [wire.frame(write, odd), wire.frame(forget), wire.frame(count)],
                wire.knobs.distance,
                [f"wrote {escaped}", "0 written"],
            ),
            ([wire.frame(count)], 0, ["0 written"]),
        ),
    )


def _wrapping_count(wire: Wire, random: Random) -> Draw:
    sign_in, tell, out = wire.verbs
    pins = random.sample(range(1000, 10_000), 4)
    account, other = random.sample(range(4), 2)

    def tried(which: int, pin: int) -> bytes:
        return wire.frame(sign_in, bytes([which]) + _word(pin))

    right, wrong = tried(account, pins[account]), tried(account, pins[account] + 1)
    return Draw(
        {"pins": ", ".join(map(str, pins))},
        "uint8_t",
        "unsigned",
        [wrong] * 256 + [right],
        (
            (
                [wrong, right, wire.frame(tell)],
                wire.knobs.distance,
                ["fault: wrong pin", f"account {account} is in", "somebody is in"],
            ),
            (
                [
                    wrong,
                    wrong,
                    wrong,
                    right,
                    tried(other, pins[other]),
                    wire.frame(out),
                    wire.frame(tell),
                ],
                wire.knobs.distance,
                [
                    *["fault: wrong pin"] * 3,
                    "fault: locked",
                    f"account {other} is in",
                    "nobody is in",
                ],
            ),
            ([wire.frame(tell)], 0, ["nobody is in"]),
        ),
    )


def _verified_before(wire: Wire, random: Random) -> Draw:
    bring, verify, install = wire.verbs
    room, modulus = random.randrange(24, 120), random.choice((251, 241, 239, 233))
    image = _text(random, random.randrange(6, 20))
    other = image[:-1] + bytes([image[-1] ^ 1])
    rest = 0
    for byte in image:
        rest = (rest * 31 + byte) % modulus
    said = f"image of {len(image)}"
    checked, installed = wire.frame(verify), wire.frame(install)
    return Draw(
        {"room": room, "modulus": modulus, "rest": rest},
        "device->verified",
        "0",
        [wire.frame(bring, image), checked, wire.frame(bring, other), installed],
        (
            (
                [wire.frame(bring, image), checked, installed],
                wire.knobs.distance,
                [said, "verified", f"installed {len(image)}"],
            ),
            (
                [wire.frame(bring, other), checked, installed],
                wire.knobs.distance,
                [said, "fault: sum", "fault: not verified"],
            ),
            ([checked], 0, ["fault: sum"]),
        ),
    )


def _below_range(wire: Wire, random: Random) -> Draw:
    take, drive, tell = wire.verbs
    lowest, highest = random.randrange(0, 40), random.randrange(90, 4000)
    value = random.randrange(lowest, highest)

    def given(number: int) -> bytes:
        return wire.frame(take, str(number).encode())

    return Draw(
        {"lowest": lowest, "highest": highest},
        "value > HIGHEST",
        "value > HIGHEST || value < LOWEST",
        [given(lowest - random.randrange(1, 500)), wire.frame(drive)],
        (
            (
                [given(value), wire.frame(drive)],
                wire.knobs.distance,
                [f"setpoint {value}", f"driven to {value}"],
            ),
            (
                [given(highest + 1), wire.frame(drive), wire.frame(tell)],
                wire.knobs.distance,
                ["fault: out of range", "fault: no setpoint", "holds 0"],
            ),
            ([wire.frame(take, b"4x"), wire.frame(tell)], 0, ["fault: no number", "holds 0"]),
        ),
    )


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
        _stored_text,
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
        _table_entry,
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
        _stale_session,
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
        _narrow_size,
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
        _second_release,
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
        _longer_when_written,
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
        _wrapping_count,
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
        _verified_before,
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
        _below_range,
        RULE,
    ),
)
