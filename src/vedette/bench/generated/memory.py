"""Draws of the families whose flaw is a memory error."""

from __future__ import annotations

from random import Random

from vedette.bench.generated.draw import Draw, text, word
from vedette.bench.generated.wire import Wire


def stored_text(wire: Wire, random: Random) -> Draw:
    keep, show, wipe = wire.verbs
    room = random.randrange(24, 72)
    line = room + random.randrange(9, 30)
    slot, other = random.sample(range(8), 2)

    def kept(at: int, text: bytes) -> bytes:
        return wire.frame(keep, bytes([at]) + text)

    def told(at: int, text: bytes) -> str:
        return f"slot {at} holds {len(text)}, sum {sum(text)}"

    one, two = text(random, room), text(random, random.randrange(3, room))
    return Draw(
        {"room": room, "line": line},
        "LINE",
        "ROOM",
        [kept(slot, text(random, line))],
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
        tuple(
            [kept(at, b"x" * size), wire.frame(show, bytes([at]))]
            for size in (0, 1, room - 1, room, room + 1, line - 1, line, line + 1)
            for at in (0, 7)
        ),
    )


def table_entry(wire: Wire, random: Random) -> Draw:
    put, get, total = wire.verbs
    entries = random.randrange(20, 300)
    entry, value = random.randrange(entries), random.randrange(1, 65536)
    last = random.randrange(1, 65536)

    def written(at: int, number: int) -> bytes:
        return wire.frame(put, word(at) + word(number))

    return Draw(
        {"entries": entries},
        "entry > ENTRIES",
        "entry >= ENTRIES",
        [written(entries, value)],
        (
            (
                [written(entry, value), wire.frame(get, word(entry))],
                wire.knobs.distance,
                [f"entry {entry} is {value}", f"entry {entry} holds {value}"],
            ),
            (
                [written(entries - 1, last), wire.frame(total)],
                wire.knobs.distance,
                [f"entry {entries - 1} is {last}", f"sum {last}"],
            ),
            ([wire.frame(total), wire.frame(get, word(entries))], 0, ["sum 0", "fault: unknown"]),
        ),
        tuple(
            [written(at, number), wire.frame(total)]
            for at in (0, entries - 1, entries, entries + 1, 65535)
            for number in (0, 1, 65535)
        ),
    )


def stale_session(wire: Wire, random: Random) -> Draw:
    begin, work, finish = wire.verbs
    number, other = random.sample(range(8), 2)
    some = text(random, random.randrange(2, 12))

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
        tuple(
            [*turns, wire.frame(work, some)]
            for one, two in ((0, 1), (7, 0), (other, number))
            for turns in (
                [on(begin, one), on(finish, one)],
                [on(begin, one), on(begin, two), on(finish, one)],
                [on(begin, one), on(begin, two), on(finish, two)],
                [on(begin, one), on(finish, one), on(begin, one)],
            )
        ),
    )


def narrow_size(wire: Wire, random: Random) -> Draw:
    reserve, tell, back = wire.verbs
    most = random.randrange(300, 900)
    width = random.choice((16, 32, 64, 128))
    value = random.randrange(256)
    rows, columns = random.randrange(2, 12), random.randrange(2, 12)
    # just over what sixteen bits hold, so that what is left of it is small
    many = 65536 // width + random.randrange(1, max(2, most // width))

    def reserved(count: int, wide: int) -> bytes:
        return wire.frame(reserve, word(count) + bytes([wide, value]))

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
        tuple(
            [reserved(count, wide), wire.frame(tell)]
            for wide in (1, width, 255)
            for count in (most // wide, most // wide + 1, 256 // wide + 1, 65536 // wide + 1)
            if count < 65536
        ),
    )


def second_release(wire: Wire, random: Random) -> Draw:
    begin, add, stop = wire.verbs
    room = random.randrange(32, 200)
    part = text(random, random.randrange(4, room // 2))
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
        (
            [cease],
            [start, cease],
            [start, cease, cease],
            [start, cease, start, cease, cease],
            [start, start, cease],
            [start, wire.frame(add, b"x"), cease, wire.frame(add, b"x")],
            *([start, wire.frame(add, b"x" * size), cease] for size in (0, room, room + 1)),
        ),
    )


def longer_when_written(wire: Wire, random: Random) -> Draw:
    write, count, forget = wire.verbs
    width = 3 * random.randrange(12, 40) + 1
    plain = text(random, (width - 1) // 3)
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
        tuple(
            [wire.frame(write, byte * size), wire.frame(count)]
            for byte in (b"x", b"%", b"\xff")
            for size in (
                0,
                (width - 1) // 3 - 1,
                (width - 1) // 3,
                (width - 1) // 3 + 1,
                width // 2,
            )
        ),
    )
