"""Industrial words against labels set by hand: never wrong, and no less read than was reached."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.industrial import (
    Claim,
    Entry,
    both_right,
    claim,
    labelled,
    product_right,
    range_right,
    same_range,
    wilson,
)

from benchmarks import industrial
from vedette.matching import products
from vedette.matching.cutting import words
from vedette.matching.vendors import vendor_words

pytestmark = pytest.mark.any_database

# share of exact readings that was reached, by judge and by how the entry was drawn
REACHED = {
    (range_right, "entry"): 0.93,
    (range_right, "vendor"): 0.82,
    (product_right, "entry"): 0.90,
    (product_right, "vendor"): 0.82,
}
Judge = Callable[[dict[str, str], Claim], str]
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("split", "count"),
    [
        ("development", 150),
        ("held-out", 150),
        ("second", 100),
        ("third", 100),
        ("fourth", 300),
        ("fifth", 100),
        ("sixth", 200),
        ("seventh", 100),
        ("eighth", 200),
        ("ninth", 200),
        ("tenth", 292),
        ("eleventh", 200),
    ],
)
def test_no_label_is_read_wrongly(split: str, count: int) -> None:
    rows = labelled(split)
    assert len(rows) == count
    wrong = [row for row, found in rows if both_right(row, found) == "wrong"]
    assert wrong == []


def test_no_match_is_exact_where_the_labels_name_different_products() -> None:
    """Of every two names labelled, one an advisory's and one an inventory's.

    An advisory that states no order number means every one. By order numbers a list is its parts.
    """
    labels: dict[tuple[str, str], tuple[str, ...]] = {}
    for split in industrial.SPLITS:
        for row, _ in labelled(split):
            labels.setdefault((row["vendor"].strip(), row["product"].strip()), _product(row))
    stated: dict[str, list[tuple[str, str]]] = {}
    for vendor, product in labels:
        for key, confidence in products.component_keys(vendor, product).items():
            if confidence == "exact" and not key.startswith("order/"):
                stated.setdefault(key, []).append((vendor, product))
    compared = 0
    for (vendor, product), meant in labels.items():
        for key, confidence in products.advisory_keys(vendor, product).items():
            for other in stated.get(key, ()) if confidence == "exact" else ():
                found, compared = labels[other], compared + 1
                alike = meant[:-1] == found[:-1] and meant[-1:] in (("",), found[-1:])
                assert meant != () != found, (product, other[1])
                assert alike, (product, other[1])
    assert compared > 1000


def _product(row: dict[str, str]) -> tuple[str, ...]:
    """Vendor, family, model, generation, variant and the order number; () where not of one."""
    parts = [row[f"is_{part}"] for part in ("vendor", "family", "model", "generation", "variant")]
    if any(part.startswith("?") for part in parts) or " + " in row["is_model"]:
        return ()
    plain = (words(part).replace("siplus", "").strip() for part in parts[1:])
    order = row["is_order"] if row["is_order"] in row["product"] else ""
    return (vendor_words(parts[0]), *plain, order)


@pytest.mark.parametrize(("judge", "drawn"), REACHED)
def test_no_less_is_read_than_was_reached(judge: Judge, drawn: str) -> None:
    rows = [r for split in ("development", "held-out") for r in labelled(split)]
    got = Counter(judge(row, found) for row, found in rows if row["drawn"] == drawn)
    assert got["exact"] / got.total() >= REACHED[judge, drawn]


def test_a_reading_that_says_something_else_is_wrong() -> None:
    (row, found), *_ = [pair for pair in labelled("development") if range_right(*pair) == "exact"]
    other = Claim("<0.0.1", "", ("other", "", "", "", "", ""), "")
    assert range_right(row, other) == product_right(row, other) == both_right(row, other) == "wrong"
    silent = Claim("", "format", (), "several")
    assert range_right(row, silent) == product_right(row, silent) == "unread"
    assert range_right({**row, "is_range": "?format"}, silent) == "rightly unread"
    assert range_right({**row, "is_range": "?format"}, found) == "wrong"


def test_models_and_conditions_are_part_of_the_words() -> None:
    serial = Entry("Mitsubishi Electric", "QJ71MT91", "<=the_first_5_digits_of_serial_number_20082")
    found = claim(serial)
    assert (found.range, found.condition) == ("*", "<=the first 5 digits of serial number 20082")
    found = claim(Entry("Medtronic", "MiniMed 630G", "MMT-1715 | MMT-1754"))
    assert (found.range, found.named) == ("-", ("MMT-1715", "MMT-1754"))
    label = {"is_range": "-", "is_named": "MMT-1715 + MMT-1754", "is_condition": ""}
    assert range_right(label, found) == "exact"
    assert range_right({**label, "is_named": "MMT-1715"}, found) == "wrong"
    assert range_right({**label, "is_condition": "with radio"}, found) == "wrong"


def test_a_list_is_claimed_product_by_product() -> None:
    found = claim(Entry("Hitachi Energy", "Relion 670/650 series", "2.2.0"))
    assert found.product == ("hitachi energy", "relion", "670 + 650", "", "", "")


def test_ranges_are_the_same_but_for_spelling() -> None:
    assert same_range(">=V3.1|<v3.3", ">=3.1|<V3.3")
    assert not same_range("<=1.0", "<1.0")
    assert not same_range("=1.0|=1.1", "=1.0")


def test_wilsons_interval() -> None:
    assert wilson(72, 75) == pytest.approx((0.8889, 0.9863), abs=1e-4)


def test_a_claim_is_vendor_family_model_generation_order_and_variant() -> None:
    entry = Entry("Siemens AG", "SINAMICS S150 V4.7 w. PN", "< V4.7 HF27", ("6SL3710-7LE32-1AA3",))
    assert claim(entry) == Claim(
        "<V4.7 HF27", "", ("siemens", "sinamics", "s150", "v4.7", "6SL3710-7LE32-1AA3", "w pn"), ""
    )


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.industrial", "--out", str(tmp_path / "page.md")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "VEDETTE_DATA": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "VEDETTE_DATA names no folder" in done.stderr
    assert not (tmp_path / "page.md").exists()


@pytest.mark.data
def test_the_page_is_that_of_the_reader(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_DATA", str(data_dir))
    assert (ROOT / "docs" / "industrial.md").read_text("utf-8") == industrial.measure()
