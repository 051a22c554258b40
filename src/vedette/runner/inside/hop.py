# One hop of a toy plant: answers the hop before it line by line, and may ask the one after it.
#
# Arguments: the descriptors of its wires up, down and to the tank, -1 for one that it has not.
# Standard input: its settings, a name and a value a line. `Service(settings, ask)` of /service.py
# has `answer(line)`, and where there is a tank `scan(level)`; both return one line.

import os
import select
import sys

LINE = 4096


def hear(wire):
    heard = b""
    while not heard.endswith(b"\n"):
        more = os.read(wire, LINE)
        if not more:
            return None
        heard += more
    return heard.decode("ascii", "replace").rstrip("\n")


def say(wire, line):
    os.write(wire, " ".join(line[: LINE // 2].split("\n")).encode("ascii", "replace") + b"\n")


def main():
    up, down, tank = map(int, sys.argv[1:])
    settings = dict(line.rstrip("\n").split(" ", 1) for line in sys.stdin)

    def ask(line):
        say(down, line)
        return hear(down)

    names = {"__name__": "service"}
    with open("/service.py", encoding="utf-8") as source:
        exec(compile(source.read(), "service.py", "exec"), names)  # noqa: S102
    service = names["Service"](settings, ask)
    wires = [wire for wire in (up, tank) if wire >= 0]
    while True:
        for wire in select.select(wires, [], [])[0]:
            line = hear(wire)
            if line is None:
                return
            try:
                said = service.scan(int(line)) if wire == tank else service.answer(line)
            except (ValueError, LookupError):
                said = "fault: not understood"
            say(wire, said)


main()
