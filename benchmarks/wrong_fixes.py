"""Fixes of generated repair items: wrong ones as people and models write them, and right ones.

Each stands in place of the one expression in which the fixed program differs, or around the whole
flawed program. Written after the verifier that they are to get past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vedette.bench.suites import Item

# family -> the fix, others that are wrong, others that are right
EXPRESSIONS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "text": (
        "> ROOM",
        ("> ROOM + 1", "> ROOM + 8", "> LINE - 1", "> ROOM - 1", "> ROOM / 2"),
        (">= ROOM + 1", "> sizeof(char[ROOM])"),
    ),
    "table": (
        "entry >= ENTRIES",
        (
            "entry == ENTRIES",
            "entry >= ENTRIES - 1",
            "entry > ENTRIES + 1",
            "entry == ENTRIES || entry > 40000",
            "entry >= ENTRIES && value != 0",
        ),
        ("!(entry < ENTRIES)", "entry > ENTRIES - 1"),
    ),
    "session": (
        "device->last == session",
        ("session == NULL", "number == 0", "device->last != session", "1"),
        ("session == device->last", "device->last != NULL && device->last == session"),
    ),
    "block": ("uint32_t", ("uint8_t", "int16_t", "unsigned char"), ("uint64_t", "size_t")),
    "transfer": (
        "!device->open",
        (
            "device->buffer == NULL || device->length == 0",
            "device->length == 0",
            "device->open > 1",
            "0",
        ),
        ("device->open == 0", "device->buffer == NULL || !device->open"),
    ),
    "echo": (
        "size > (WIDTH - 1) / 3",
        (
            "size > (WIDTH - 1) / 3 + 1",
            "size > WIDTH / 2 - 1",
            "size > (WIDTH - 1) / 4",
            "size > (WIDTH - 1) / 3 - 1",
        ),
        ("3 * size + 1 > WIDTH", "size >= (WIDTH - 1) / 3 + 1"),
    ),
    "signin": ("unsigned", ("int8_t", "signed char", "uint8_t volatile"), ("uint32_t", "int")),
    "update": (
        "= 0;",
        (
            "= 1;",
            "= device->verified && size > 8;",
            "= device->verified > 0;",
            "= device->verified && body[0] != 0;",
        ),
        ("= !size;", "= (int)(size - size);"),
    ),
    "setpoint": (
        "value > HIGHEST || value < LOWEST",
        (
            "value > HIGHEST || value <= LOWEST",
            "value > HIGHEST || value < LOWEST - 1",
            "value > HIGHEST || value < -10",
            "value >= HIGHEST || value < LOWEST",
            "value < LOWEST",
        ),
        ("!(value <= HIGHEST && value >= LOWEST)", "value < LOWEST || value > HIGHEST"),
    ),
    "token": (
        "given == TOKENS[door]",
        (
            "given[:7] == TOKENS[door][:7]",
            "TOKENS[door].startswith(given)",
            "given.startswith(TOKENS[door])",
            "set(given) == set(TOKENS[door])",
            "given in TOKENS",
            "len(given) > 5 and all(a == b for a, b in zip(given, TOKENS[door]))",
        ),
        ("TOKENS[door] == given", "not given != TOKENS[door]"),
    ),
    "digits": (
        "not text.isdigit()",
        (
            'text.startswith(b"-") or text.startswith(b" ")',
            'b" -" in text',
            'text.startswith(b"-") or b"\\t" in text or b"\\n" in text',
            "text.isdigit()",
            "not text.strip(b'- ').isdigit()",
        ),
        ("not text.isalnum()", "not text.isdigit() or not text"),
    ),
    "burner": (
        "None",
        ("self.now", "self.held and OFF", "OFF", "PURGED", "LIT if self.now == LIT else self.held"),
        ("None if self.held else None", "(None)"),
    ),
    "shelf": (
        "self.unquoted(name)",
        (
            "name.lower()",
            'name.replace(b"%2e", b".")',
            'name.replace(b"%2e", b".").replace(b"%2E", b".")',
            'name.strip(b"%")',
            "self.unquoted(name)[1:]",
        ),
        ('b"".join([self.unquoted(name)])', 'self.unquoted(name + b"")'),
    ),
    "note": (
        'if "{" in wanted.replace("{unit.name}", "") or "}" in wanted.replace("{unit.name}", "")',
        (
            'if "{unit.key" in wanted',
            'if "key" in wanted',
            'if "!" in wanted or "{unit.key}" in wanted',
            'if "{" in wanted',
            'if "__" in wanted or "{unit.key}" in wanted',
        ),
        ('if set("{}") & set(wanted.replace("{unit.name}", ""))',),
    ),
}
# one of the daemon's limits, made larger in place of checking it
ROOMIER = {"text": "ROOM", "table": "ENTRIES", "echo": "WIDTH", "block": "MOST"}


@dataclass(frozen=True)
class Fix:
    """A source that mends an item, or only seems to; `kind` groups those made alike."""

    kind: str
    right: bool
    source: bytes


def fixes(item: Item) -> Iterator[Fix]:
    """All that are tried on a generated repair item."""
    family = item.family.removeprefix("mend-")
    flawed = item.vulnerable[0].read_text("utf-8")
    mended = item.fixed[0].read_text("utf-8")
    expression, wrong, right = EXPRESSIONS[family]
    line = next(
        new for old, new in zip(flawed.split("\n"), mended.split("\n"), strict=True) if old != new
    )
    for others, holds in ((wrong, False), (right, True)):
        for other in others:
            changed = line.replace(expression, other, 1)
            assert changed != line, (family, other)
            yield Fix("another expression", holds, mended.replace(line, changed, 1).encode())
    yield Fix("unchanged", False, flawed.encode())
    if family in ROOMIER:
        name = ROOMIER[family]
        roomier = flawed.replace(f"#define {name} ", f"#define {name} 300 + ", 1)
        yield Fix("more room", False, roomier.encode())
    if item.outside is not None:
        idle = mended.replace("self.act = act", "self.act = lambda *values: None", 1)
        yield Fix("acts left out", False, idle.encode())
        told = mended.replace("self.act = act", 'self.act = lambda name, *v: print(">", name)', 1)
        yield Fix("acts made up", False, told.encode())
    if "HOLDS(" in flawed.replace("#define HOLDS(", ""):
        yield Fix("no assertion", False, flawed.replace("abort();", ";", 1).encode())
    if family in ("session", "transfer"):
        never = flawed.replace(
            "#define INPUT_LIMIT", "#define free(p) ((void)(p))\n\n#define INPUT_LIMIT"
        )
        yield Fix("nothing freed", False, never.encode())
    last = "child" if item.outside is None else "no_acts"
    for name in ("by_heart", "answers", "shorter", "nothing", last):
        yield Fix(f"around it: {name}", False, _around(item, flawed, name))


def _around(item: Item, flawed: str, name: str) -> bytes:
    """The flawed program under another `main`, which decides what reaches it."""
    tests = item.functional[: len(item.sample_inputs)]
    known = {test.input.read_bytes(): test.output.read_bytes() for test in tests}
    reference = item.reference_input.read_bytes()
    longest = max(path.stat().st_size for path in item.sample_inputs)
    if item.outside is not None:
        written = {"REFERENCE": repr(reference)}
        written["ANSWERS"] = repr({data: said.decode() for data, said in known.items()})
        text = flawed + _template("wrong_fix.py.in")
    else:
        array = _array(reference).removeprefix("(const unsigned char[])")
        written = {"FLAWED": flawed, "REFERENCE": array}
        written["ANSWERS"] = "".join(
            f"    {{{_array(data)}, {len(data)}, {_string(said)}}},\n"
            for data, said in known.items()
        )
        text = _template("wrong_fix.c")
    for word, value in {**written, "KIND": name.upper(), "LONGEST": str(longest)}.items():
        text = text.replace(f"@{word}@", value)
    return text.encode()


def _array(data: bytes) -> str:
    return "(const unsigned char[]){" + ", ".join(map(str, data)) + "}"


def _string(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03o}" for byte in data) + '"'


@cache
def _template(name: str) -> str:
    return (files("benchmarks") / name).read_text("utf-8")
