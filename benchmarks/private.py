"""Private matching: 5,000 products of an inventory against 50 embargoed ones, and what crosses.

The division is that of an index of the PyPI records and CISA's industrial advisories. By buckets
a whole day's questions are timed: made, signed, answered, opened, and matched at home.
"""

from __future__ import annotations

import importlib
import random
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.child import VEDETTE, output
from benchmarks.data import pypi_advisories, real
from benchmarks.result import Result, Spread, in_turns, timed
from vedette.exchange.private_question import opened_question, read_question, seal_answer
from vedette.kernel.canonical import canonical
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.markings import RED
from vedette.matching import identity, intersection, private, records
from vedette.matching.index import Index, open_index
from vedette.matching.model import Advisory, Affected, Component, Inventory
from vedette.matching.ranges import Interval, Range
from vedette.services.private_asking import Asker, Outcome

CISA = "cisa-csaf-2017-2023.tar.xz"
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def run(quick: bool) -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        index = _index(Path(name))
        division = private.divide(index.keys())
        results = [_shared(index, division)]
        return results + _buckets(index, division, *((500, 20, 1) if quick else (5_000, 50, 3)))


def _index(folder: Path) -> Index:
    """The index of both sources."""
    (folder / "pypi").mkdir()
    pypi_advisories(folder / "pypi")
    with tarfile.open(real(CISA)) as archive:
        archive.extractall(folder / "cisa", filter="data")
    sources = [str(folder / "pypi"), str(folder / "cisa")]
    output([*VEDETTE, "index", "--advisories", *sources, "--out", str(folder / "index")])
    return open_index(folder / "index")


def _shared(index: Index, division: private.Division) -> Result:
    """How many products share the emptiest bucket, by keys and by the products themselves."""
    products: dict[int, set[tuple[str, ...]]] = {n: set() for n in range(division.buckets)}
    for advisory in index:
        for one in advisory.affected:
            named = (one.ecosystem, one.name, one.vendor.lower(), one.product.lower())
            for key in identity.of_affected(one):
                products[private.bucket(key, division.bits)].add(named)
    loads = sorted(map(len, products.values()))
    note = (
        f"{division.products:,} product keys of {index.header['advisories']:,} advisories in"
        f" {division.buckets} buckets; counted by vendor and product instead of by key the emptiest"
        f" has {loads[0]}, half of them at most {loads[len(loads) // 2]}"
    )
    return Result("product keys that share the emptiest bucket", "", Spread.of([division.shared]),
                  note=note)  # fmt: skip


def _buckets(
    index: Index, division: private.Division, size: int, cases: int, rounds: int
) -> list[Result]:
    """A whole day's questions of one operator, answered without a network between."""
    chance = random.Random(7)  # noqa: S311
    known = sorted(key for key in set(index.keys()) if key.startswith("pypi/"))
    names = [key.removeprefix("pypi/") for key in known]
    names += [f"own-{n}" for n in range(size - len(names))]
    held = chance.sample(names, size)
    hidden = held[: cases // 2] + [f"other-{n}" for n in range(cases - cases // 2)]
    inventory = Inventory(
        "plant",
        tuple(Component(f"pkg:pypi/{n}@1.0", purl=f"pkg:pypi/{n}@1.0") for n in held),
    )
    entries = [("pypi/" + name, _entry(number, name)) for number, name in enumerate(hidden)]
    house, operator = PrivateKeys.generate(), PrivateKeys.generate()
    crossed: list[tuple[int, int]] = []

    def answer(envelope: bytes) -> bytes:
        question = read_question(opened_question(envelope))
        salt = bytes(private.SALT)
        filled = private.fill(entries, question.buckets, division.bits, salt)
        head = {"bits": division.bits, "shared": division.shared, "products": division.products}
        head |= {"salt": salt.hex(), "limit": 8, "left": 0}
        sealed = seal_answer(question, head, filled, house)
        crossed.append((len(envelope), len(sealed)))
        return sealed

    asker = Asker(operator, RED, house.public, answer)
    questions = division.buckets // division.asked
    found: list[Outcome] = []

    def ask() -> None:
        crossed.clear()
        found.append(asker.ask([inventory], index, NOW, questions=questions))

    spread = Spread.of([timed(ask) for _ in range(rounds)])
    matches = {each.match.advisory for each in found[-1].matches}
    expected = {f"case-{number}" for number in range(cases // 2)}
    assert matches == expected, (len(matches), len(expected))
    there, back = map(sum, zip(*crossed, strict=True))
    what = f"{size:,} products × {cases} embargoed, by buckets"
    note = f"{questions} questions; {len(matches)} of {cases // 2} matches found, none besides"
    return [
        Result(what, "s", spread, note=note),
        Result(f"{what}: crosses to the clearinghouse", "bytes", Spread.of([there])),
        Result(f"{what}: crosses back", "bytes", Spread.of([back])),
        *_intersected(size, held, hidden, rounds),
    ]


def _intersected(size: int, held: list[str], hidden: list[str], rounds: int) -> list[Result]:
    """The same sets by private set intersection, padded as it crosses; beside the library alone."""
    ours, theirs = (["pypi/" + name for name in names] for names in (held, hidden))
    crossed: list[tuple[int, int]] = []
    found: list[list[str]] = []

    def padded() -> float:
        def work() -> None:
            asking = intersection.Asking(ours)
            answer = intersection.answer(theirs, asking.request)
            found.append(asking.found(answer))
            crossed.append((len(asking.request), len(answer)))

        return timed(work)

    def bare() -> float:
        psi = importlib.import_module("private_set_intersection.python")

        def work() -> None:
            server, client = (each.CreateWithNewKey(True) for each in (psi.server, psi.client))
            raw = psi.DataStructure.RAW
            setup = server.CreateSetupMessage(1e-9, len(ours), theirs, raw)
            response = server.ProcessRequest(client.CreateRequest(ours))
            found.append(sorted(ours[place] for place in client.GetIntersection(setup, response)))

        return timed(work)

    measured = in_turns({"padded": padded, "bare": bare}, rounds)
    assert all(each == sorted({*ours} & {*theirs}) for each in found)
    what = f"{size:,} products × {len(hidden)} embargoed, by intersection"
    note = f"padded to {intersection.HELD:,} and {intersection.CASES}; {len(found[0])} in both"
    there, back = crossed[-1]
    return [
        Result(what, "s", measured["padded"], measured["bare"], "openmined-psi, unpadded", note),
        Result(f"{what}: crosses to the clearinghouse", "bytes", Spread.of([there])),
        Result(f"{what}: crosses back", "bytes", Spread.of([back])),
    ]


def _entry(number: int, name: str) -> bytes:
    affected = Affected(
        "PyPI", name, scheme="pypi", ranges=(Range("pypi", (Interval(None, "2.0", False, True),)),)
    )
    record = records.dump(Advisory(f"case-{number}", affected=(affected,))).decode()
    told = {"case": f"case-{number}", "marking": "TLP:AMBER+STRICT", "until": "", "hours": []}
    return canonical({**told, "record": record})
