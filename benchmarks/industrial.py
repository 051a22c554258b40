"""`python -m benchmarks.industrial`: how much of CISA's industrial words is read, and how rightly.

Counts over every version entry of the advisories in VEDETTE_DATA by the reader's own claim, then
compares with labels set by hand before the reader was written. Writes docs/industrial.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT
from benchmarks.data import real
from benchmarks.result import Skipped
from vedette.matching import designation, vendors, versions
from vedette.matching.ranges import Interval
from vedette.matching.versions import words

ARCHIVE = "cisa-csaf-2017-2023.tar.xz"
LABELS = ROOT / "benchmarks" / "industrial_labels.csv"
SPLITS = ("held-out", "second", "third", "development")
EXAMPLES = 4


@dataclass(frozen=True)
class Entry:
    """One version branch: vendor and product as written, the words, the model numbers."""

    vendor: str
    product: str
    words: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """What the reader says of an entry; a reason where it says nothing."""

    range: str
    range_reason: str
    product: tuple[str, ...]
    product_reason: str


def entries() -> Iterator[Entry]:
    """Yield every version entry of the advisories. Raises Skipped without the data."""
    with tarfile.open(real(ARCHIVE)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                tree = json.load(file).get("product_tree") or {}
                for branch in tree.get("branches", ()):
                    yield from _walk(branch, {})


def _walk(branch: dict[str, Any], above: dict[str, str]) -> Iterator[Entry]:
    names = {**above, branch["category"]: branch["name"]}
    if branch["category"].startswith("product_version"):
        helper = (branch.get("product") or {}).get("product_identification_helper") or {}
        models = tuple(helper.get("model_numbers", ()))
        yield Entry(names.get("vendor", ""), names.get("product_name", ""), branch["name"], models)
    for inner in branch.get("branches", ()):
        yield from _walk(inner, names)


def claim(entry: Entry) -> Claim:
    """Read one entry as the reader of CSAF does."""
    reading = words.read(entry.words, versions.FIRMWARE)
    named, owners = designation.read(entry.product), vendors.read(entry.vendor)
    orders = named.orders or designation.order_numbers(" ".join(entry.models))
    reason = named.reason or ("" if owners.names else designation.Unresolved.NO_VENDOR)
    product = (
        " + ".join(owners.names),
        *(named.family, named.model, named.generation, " ".join(orders), named.variant),
    )
    return Claim(
        "|".join(map(_interval, reading.intervals)),
        str(reading.reason or ""),
        () if reason else product,
        str(reason),
    )


def _interval(item: Interval) -> str:
    if item.low is None and item.high is None:
        return "*"
    if item.low is not None and item.low == item.high:
        return f"={item.low}"
    low = "" if item.low is None else (">" if item.low_open else ">=") + item.low
    high = "" if item.high is None else ("<" if item.high_open else "<=") + item.high
    return "|".join(filter(None, (low, high)))


def same_range(ours: str, label: str) -> bool:
    """Compare two ranges without regard to case, blanks and version words before the number."""
    return _plain(ours) == _plain(label)


def _plain(text: str) -> str:
    bounds = re.split(r"\|", text.casefold().replace("_", " "))
    named = r"(?:[a-z]+[0-9]* (?=v?[0-9]+\.))?(?:version|firmware|release|sv|v|r)?[. ]*(?=[0-9])"
    plain = (re.sub(rf"^([<>=]+)\s*\(?{named}", r"\1", bound).rstrip(")") for bound in bounds)
    return "|".join("".join(bound.split()) for bound in plain)


def labelled(split: str) -> list[tuple[dict[str, str], Claim]]:
    """Return the labels of one half with what the reader says."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    return [
        (
            row,
            claim(Entry(row["vendor"], row["product"], row["words"], tuple(row["models"].split()))),
        )
        for row in rows
    ]


def range_right(row: dict[str, str], found: Claim) -> str:
    """Return "exact", "wrong", "unread" or, where the label says so too, "rightly unread"."""
    unreadable = row["is_range"].startswith("?")
    if found.range_reason:
        return "rightly unread" if unreadable else "unread"
    return "exact" if not unreadable and same_range(found.range, row["is_range"]) else "wrong"


def product_right(row: dict[str, str], found: Claim) -> str:
    """The same of vendor, family, model, generation, order numbers and variant."""
    stated = [row[f"is_{part}"] for part in ("vendor", "family", "model")]
    unresolved = any(part.startswith("?") for part in stated)
    if not found.product:
        return "rightly unread" if unresolved else "unread"
    label = (
        " + ".join(vendors.vendor_words(v) for v in row["is_vendor"].split(" + ")),
        *(designation.words(row["is_family"]), designation.words(row["is_model"])),
        row["is_generation"],
        row["is_order"],
        designation.words(row["is_variant"]),
    )
    return "exact" if not unresolved and found.product == label else "wrong"


def both_right(row: dict[str, str], found: Claim) -> str:
    """Both in one: exact only where both are, wrong where either is."""
    parts = {range_right(row, found), product_right(row, found)}
    for worst in ("wrong", "unread", "rightly unread"):
        if worst in parts:
            return worst
    return "exact"


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share."""
    z, p = 1.959964, hits / n
    middle = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def measure() -> str:
    """Return the page. Raises Skipped without the data."""
    seen: Counter[Entry] = Counter(entries())
    total = seen.total()
    per_vendor: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = {"range": Counter(), "product": Counter()}
    examples: dict[tuple[str, str], list[str]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for entry, n in seen.items():
        found = claim(entry)
        read = {
            "a": not found.range_reason,
            "b": bool(found.product),
            "c": bool(found.product) and not found.range_reason,
        }
        vendor = per_vendor[entry.vendor.strip()]
        vendor["all"] += n
        for part, yes in read.items():
            counts[part] += n * yes
            vendor[part] += n * yes
        for kind, reason, spoken in (
            ("range", found.range_reason, entry.words),
            ("product", found.product_reason, entry.product),
        ):
            if reason:
                reasons[kind][reason] += n
                if spoken.strip() not in examples[kind, reason]:
                    examples[kind, reason].append(spoken.strip())
    lines = [
        *_head(total, len(per_vendor)),
        "| | of all entries | mean over vendors |",
        "|---|---:|---:|",
    ]
    for part, name in _PARTS.items():
        mean = sum(v[part] / v["all"] for v in per_vendor.values()) / len(per_vendor)
        lines.append(f"| ({part}) {name} | {counts[part] / total:.1%} | {mean:.1%} |")
    lines += ["", *_judged(), "", _none_wrong()]
    lines += ["", "## What is not read, and why", ""]
    lines += ["Each is `unknown` in a match, with the reason in the line.", ""]
    for kind, title in (("range", "version words"), ("product", "product names")):
        lines += [f"| {title}: reason | entries | examples |", "|---|---:|---|"]
        for reason, n in reasons[kind].most_common():
            shown = _spread(examples[kind, reason])
            lines.append(f"| {reason} | {n:,} | {', '.join(map(_code, shown))} |")
        lines.append("")
    lines += [*_MEANING]
    return "\n".join(lines)


_PARTS = {
    "a": "version expression read without loss",
    "b": "product resolved to vendor, family and model",
    "c": "both",
}
_MEANING = (
    "What the reasons mean stands in `matching/versions/words.py` and `matching/designation.py`.",
    "A name that is not resolved still matches an inventory that writes it in the same words.",
    "",
)


def _head(total: int, n_vendors: int) -> list[str]:
    return [
        "# Industrial words",
        "",
        "Written by `python -m benchmarks.industrial`; do not edit. The data are CISA's industrial",
        f"advisories of 2017 to 2023: {total:,} version entries of {n_vendors} vendors as written,",
        "with no purl and no CPE. One vendor has more than half of the entries, hence the mean",
        "over vendors beside the share of all entries.",
        "",
        "## By the reader's own claim",
        "",
    ]


_LABELS = """\
## Against labels set by hand

300 entries were drawn by seed 20261125, half of them each entry alike, half each vendor alike, and
labelled before the reader was written (`benchmarks/industrial_labels.csv`). One half served its
development, the other was held out. *exact* is the same range, or the same vendor, family, model,
generation, order number and variant. *rightly unread*: the label, too, says that it can't be read.
The interval is Wilson's of 95%.

The held-out half was looked at once, at the end: (a) 96.0% and 78.7%, (b) 89.3% and 80.0% exact,
none wrong but one where the label itself had a slip. Since then that label and the reading of
two names ("Nexx ...", taken for a placeholder) were put right; nothing else followed from it. Of
the development half three labels were put right on the way (GX Works3, GT25, LPI 3.5.12.P30). One
rule, that a kind of unit belongs to the model only before a number, was known from a held-out
label when it was written.

**Looked at afresh.** Later two further sets of 100 entries not labelled before were drawn (seeds
20261126 and 20261127, halves by entry and by vendor), labelled first and then read. At that first
look the reader had exact, by entry and by vendor: (a) 90% and 72%, (b) 84% and 78%, (c) 76% and 60%
in the second set; (a) 90% and 82%, (b) 82% and 82%, (c) 74% and 68% in the third. And it was
**wrong on 4 entries of each**, 8 of 200 (4.0%; 95% interval 2.0% to 7.7%): models listed in a
bracket, a version grown together with a word, XPS-Cx for several models, an article number for a
variant, "4K" for a version, "All firmware" for part of a model; and a date and a version of two
parts (5.37c-1.43c), which the label held to be unreadable. Those two labels were put right, as were
that of a firmware's name in one of the others and that of XPS-Qx in the development half, which an
earlier hand had taken for one model; everything else by rules, after either set. How often
other entries are read wrongly is not known: the second set measures the reader before all this, the
third the reader after the second's mends, and nothing yet the reader since.
"""


def _judged() -> Iterable[str]:
    yield _LABELS
    yield "| labels | drawn | | n | exact | 95% | rightly unread | unread | wrong |"
    yield "|---|---|---|---:|---:|---|---:|---:|---:|"
    judges = {"a": range_right, "b": product_right, "c": both_right}
    for split in SPLITS:
        rows = labelled(split)
        for drawn in ("entry", "vendor"):
            chosen = [(row, found) for row, found in rows if row["drawn"] == drawn]
            for part, judge in judges.items():
                got = Counter(judge(row, found) for row, found in chosen)
                low, high = wilson(got["exact"], len(chosen))
                yield (
                    f"| {split} | by {drawn} | ({part}) | {len(chosen)}"
                    f" | {got['exact'] / len(chosen):.1%} | {low:.0%}–{high:.0%}"
                    f" | {got['rightly unread']} | {got['unread']} | {got['wrong']} |"
                )


def _none_wrong() -> str:
    """How many are read wrongly now, of all labels."""
    rows = [row for split in SPLITS for row in labelled(split)]
    wrong = sum(both_right(row, found) == "wrong" for row, found in rows)
    return f"Wrong among all {len(rows)} labels now: {wrong}; every rule is by now known to them."


def _spread(texts: list[str]) -> list[str]:
    """A few of them, from all over the list."""
    step = max(1, len(texts) // EXAMPLES)
    return texts[::step][:EXAMPLES]


def _code(text: str) -> str:
    plain = " ".join(text.replace("|", "¦").replace("`", "'").split())
    return f"`{plain[:60]}`" if plain else "(empty)"


def main() -> int:
    """Measure and write the page; without the data say so and exit 1."""
    parser = argparse.ArgumentParser(prog="benchmarks.industrial", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "industrial.md")
    out = parser.parse_args().out
    try:
        page = measure()
    except Skipped as why:
        print(why, file=sys.stderr)
        return 1
    out.write_text(page, encoding="utf-8")
    print(f"written: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
