"""Draws of the families whose flaw lets a rule of the program's own be broken."""

from __future__ import annotations

from random import Random

from vedette.bench.generated.draw import Draw, text, word
from vedette.bench.generated.wire import Wire


def wrapping_count(wire: Wire, random: Random) -> Draw:
    sign_in, tell, out = wire.verbs
    pins = random.sample(range(1000, 10_000), 4)
    account, other = random.sample(range(4), 2)

    def tried(which: int, pin: int) -> bytes:
        return wire.frame(sign_in, bytes([which]) + word(pin))

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
        tuple(
            [wrong] * tries + [right, wire.frame(tell)] for tries in (0, 1, 2, 3, 4, 127, 255, 257)
        ),
    )


def verified_before(wire: Wire, random: Random) -> Draw:
    bring, verify, install = wire.verbs
    room, modulus = random.randrange(24, 120), random.choice((251, 241, 239, 233))
    image = text(random, random.randrange(6, 20))
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
        (
            [installed],
            [wire.frame(bring, image), checked, wire.frame(bring, image), installed],
            [wire.frame(bring, image), checked, installed, wire.frame(bring, other), installed],
            *(
                [
                    wire.frame(bring, image),
                    checked,
                    wire.frame(bring, bytes([byte]) * size),
                    installed,
                ]
                for size in (0, 1, 2, room, room + 1)
                for byte in (0, 255)
            ),
        ),
    )


def below_range(wire: Wire, random: Random) -> Draw:
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
        tuple(
            [given(number), wire.frame(drive), wire.frame(tell)]
            for limit in (lowest, highest, 0)
            for number in (limit - 1, limit, limit + 1)
        ),
    )
