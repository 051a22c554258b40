"""Draws of the families of services in Python, each of which lets a rule be broken outside it."""

from __future__ import annotations

from random import Random

from vedette.bench.generated.draw import Draw, act, text
from vedette.bench.generated.wire import Wire


def part_of_a_token(wire: Wire, random: Random) -> Draw:
    unlock, tell, lock = wire.verbs
    tokens = [text(random, random.randrange(8, 14)) for _ in range(4)]
    least = random.randrange(2, 5)
    door, other = random.sample(range(4), 2)

    def given(which: int, token: bytes) -> bytes:
        return wire.frame(unlock, bytes([which]) + token)

    right, one = given(door, tokens[door]), given(other, tokens[other])
    whole, told = tokens[door], wire.frame(tell)
    return Draw(
        {"tokens": ", ".join(map(repr, tokens)), "least": least},
        "all(one == other for one, other in zip(given, TOKENS[door]))",
        "given == TOKENS[door]",
        [given(door, whole[: random.randrange(least, len(whole))])],
        (
            (
                [right, one, told],
                wire.knobs.distance,
                [
                    *(f"door {door} unlocked", act("unlock", b"%d" % door, whole)),
                    *(f"door {other} unlocked", act("unlock", b"%d" % other, tokens[other])),
                    "2 unlocked",
                ],
            ),
            (
                [given(door, tokens[other]), one, wire.frame(lock, bytes([other])), told],
                wire.knobs.distance,
                [
                    "fault: wrong token",
                    *(f"door {other} unlocked", act("unlock", b"%d" % other, tokens[other])),
                    f"door {other} locked",
                    "0 unlocked",
                ],
            ),
            ([wire.frame(lock, b""), told], 0, ["fault: unknown", "0 unlocked"]),
        ),
        (
            *([given(door, whole[:size]), told] for size in range(len(whole) + 1)),
            *([given(door, whole + more), told] for more in (b"\0", b"x", whole)),
            *([given(door, whole[:-1] + more), told] for more in (b"\0", b"!", whole[-1:])),
            *([given(which, tokens[2]), told] for which in (2, 3, 4, 255)),
        ),
    )


def more_than_digits(wire: Wire, random: Random) -> Draw:
    take, drive, tell = wire.verbs
    highest, digits = random.randrange(90, 4000), random.randrange(6, 10)
    value = random.randrange(highest)
    below = b"-%d" % random.randrange(1, 500)

    def given(number: bytes) -> bytes:
        return wire.frame(take, number)

    driven, told = wire.frame(drive), wire.frame(tell)
    blank = random.choice((b" ", b"\t", b"\n", b"\r"))
    return Draw(
        {"highest": highest, "digits": digits},
        'text.startswith(b"-")',
        "not text.isdigit()",
        [given(blank + below), driven],
        (
            (
                [given(b"%d" % value), driven],
                wire.knobs.distance,
                [f"setpoint {value}", f"driven to {value}", act("drive", b"%d" % value)],
            ),
            (
                [given(below), given(b"%d" % (highest + 1)), driven, told],
                wire.knobs.distance,
                ["fault: no number", "fault: out of range", "fault: no setpoint", "holds None"],
            ),
            ([given(b"4x"), told], 0, ["fault: no number", "holds None"]),
        ),
        tuple(
            [given(number), driven, told]
            for number in (
                *(b"%d" % n for n in (0, 1, highest - 1, highest, highest + 1)),
                *(mark + below for mark in (b"", b" ", b"\t", b"\n", b"\v", b"\f", b"  ", b"\0")),
                *(b"", b"-", b"--1", b"- 1", b"-0", b" -0", b"0" * digits, b"0" * (digits + 1)),
            )
        ),
    )


def held_past_off(wire: Wire, random: Random) -> Draw:
    go, hold, resume = wire.verbs
    name = random.choice(("off", "out", "cold", "dark"))
    off, purge, light = (wire.frame(go, bytes([state])) for state in range(3))
    held, back = wire.frame(hold), wire.frame(resume)
    return Draw(
        {"off": name},
        "self.held",
        "None",
        [purge, held, off, back, light],
        (
            (
                [purge, held, back, light],
                wire.knobs.distance,
                ["purged", "held at purged", "back at purged", "lit", act("purge"), act("light")],
            ),
            (
                [light, purge, light, held, held, off, purge],
                wire.knobs.distance,
                [
                    "fault: not purged",
                    "purged",
                    "lit",
                    "held at lit",
                    "fault: held already",
                    name,
                    "purged",
                    *map(act, ("purge", "light", "off", "purge")),
                ],
            ),
            ([back, off, held], 0, ["fault: nothing held", name, f"held at {name}", act("off")]),
        ),
        (
            [light],
            [purge, off, light],
            [held, back, light],
            [held, off, back, light],
            [purge, light, held, off, back, light],
            [purge, light, off, light],
            [purge, held, off, purge, light],
            [purge, held, off, purge, back, light],
            [purge, held, back, off, back, light],
            [purge, held, off, back, held, back, light],
            [purge, held, back, off, purge, light, light],
            [purge, held, off, off, back, light],
            [purge, off, held, back, light],
            [purge, held, purge, light, back, light],
            [purge, held, back, back, light],
        ),
    )


def named_twice(wire: Wire, random: Random) -> Draw:
    put, tell, drop = wire.verbs
    longest = random.randrange(24, 60)
    folder, leaf = (text(random, random.randrange(3, 8)).replace(b".", b"-") for _ in range(2))
    kept = text(random, random.randrange(4, 20))
    name = folder + b"/" + leaf

    def putting(place: bytes) -> bytes:
        return wire.frame(put, bytes([len(place)]) + place + kept)

    def said(place: bytes) -> str:
        return f"kept {len(kept)} under {len(place)} letters, sum {sum(place)}"

    up = random.choice((b"%2e%2e/", b"%2e./", b".%2E/", b"%2E%2e%2f"))
    quoted = name.replace(leaf[:1], b"%%%02x" % leaf[0], 1)
    told = wire.frame(tell)
    return Draw(
        {"longest": longest},
        "name",
        "self.unquoted(name)",
        [putting(up + leaf)],
        (
            (
                [putting(name), putting(quoted), told],
                wire.knobs.distance,
                [said(name), said(name), "1 kept", *[act("write", name, kept)] * 2],
            ),
            (
                [putting(b"../" + leaf), putting(name), wire.frame(drop, quoted), told],
                wire.knobs.distance,
                ["fault: no such place", said(name), "dropped", "0 kept", act("write", name, kept)],
            ),
            ([wire.frame(drop, leaf), told], 0, ["not there", "0 kept"]),
        ),
        tuple(
            [putting(place), told]
            for place in (
                *(b"", b"/", b".", b"..", b"%", b"%2", b"%2e", b"%2e%2e", b"%2E%2E", b"%zz"),
                *(leaf + b"/..", leaf + b"/../..", leaf + b"/%2e%2e", leaf + b"/%2e%2e/%2e%2e"),
                *(b"%2f" + leaf, b"/" + leaf, leaf + b"%2f..%2f..%2fx", leaf + b"%2f" + leaf),
                *(b"%252e%252e/x", b"%2e%2e%", b"..%2fx", b"a%2f..%2f..", b"...", b"%2e%2e%2e"),
                *(b"x" * size for size in (longest - 1, longest, longest + 1)),
            )
        ),
    )


def text_as_format(wire: Wire, random: Random) -> Draw:
    write, tell, forget = wire.verbs
    longest = random.randrange(60, 120)
    name = text(random, random.randrange(4, 10)).decode()
    key = text(random, random.randrange(12, 20)).decode()
    plain = text(random, random.randrange(5, 20)).decode()

    def note(wanted: str) -> bytes:
        return wire.frame(write, wanted.encode())

    def said(made: str) -> str:
        return f"note of {len(made)}, sum {sum(made.encode())}"

    told, forgotten = wire.frame(tell), wire.frame(forget)
    field = random.choice(("{unit.key!s}", "{unit.key:}", "{unit.key!r}", "{unit.__dict__}"))
    return Draw(
        {"name": name, "key": key, "longest": longest},
        '"{unit.key}" in wanted',
        '"{" in wanted.replace("{unit.name}", "") or "}" in wanted.replace("{unit.name}", "")',
        [note(plain + field)],
        (
            (
                [note(plain + "{unit.name}"), note(plain), told],
                wire.knobs.distance,
                [
                    *(said(plain + name), act("tell", (plain + name).encode())),
                    *(said(plain), act("tell", plain.encode())),
                    "2 written",
                ],
            ),
            (
                [note("{unit.key}"), note("{unit.name}" * 2), forgotten, told],
                wire.knobs.distance,
                [
                    "fault: not taken",
                    *(said(2 * name), act("tell", (2 * name).encode())),
                    *("forgotten", "0 written"),
                ],
            ),
            ([wire.frame(write, b"\xff"), told], 0, ["fault: unknown", "0 written"]),
        ),
        tuple(
            [note(wanted), told]
            for wanted in (
                *(
                    "",
                    "{unit.name}",
                    "{unit.key}",
                    "{unit.key!s}",
                    "{unit.key!a}",
                    "{unit.key:>40}",
                ),
                *(
                    "{unit.key:<30}",
                    "{unit.__dict__}",
                    "{unit.__dict__[key]}",
                    "{unit.key:{unit.key}}",
                ),
                *("{unit.name}{unit.key!r}", "{", "}", "{{", "}}", "{unit}", "{unit.name!r}", "{}"),
                *("{{unit.key}}", "{unit.name}}", "{{unit.name}", "{unit.act.__globals__}"),
                *("x" * size for size in (longest - 1, longest, longest + 1)),
            )
        ),
    )
