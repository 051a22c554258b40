"""Asset CSV in the encodings, separators and headers that plants use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.formats import assets_in
from vedette.formats.detect import read_inventory
from vedette.kernel.errors import BadInput

ROWS = [
    ["Manufacturer", "Product Name", "Order No.", "Firmware version", "Serial-Number", "Zone"],
    ["Geutebrück", "G-Cam", "EBC-2110", "1.12.0.25", "S1", "cell 4"],
    ["Siemens", 'X204; "old"', "", "", "", ""],
]


def written(separator: str, encoding: str) -> bytes:
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in ROWS]
    text = "\r\n".join(separator.join(row) for row in quoted) + "\r\n\r\n"
    return text.encode(encoding)


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_and_separators(separator: str, encoding: str) -> None:
    first, second = read_inventory(written(separator, encoding), "site.csv").components
    assert (first.id, first.serial) == ("S1", "S1")
    assert (first.vendor, first.product, first.model) == ("Geutebrück", "G-Cam", "EBC-2110")
    assert (first.version, first.zone) == ("1.12.0.25", "cell 4")
    assert (second.id, second.product, second.version) == ("row:2", 'X204; "old"', "")


def test_unused_columns_are_told() -> None:
    inventory = read_inventory(b"vendor,model,colour\nA,B1,red\n", "site.csv")
    assert inventory.notes == ("columns not used: colour",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"colour,shape\nred,round\n", "no column for a product"),
        (b"", "no column for a product"),
        (b"\x00\x01\x02\x00PK" * 9, "binary|UTF-16|no column"),
        (b"product\n" + b"x" * 5000 + b"\n", "longer than"),
        (b"product" + b",a" * 600 + b"\n1\n", "more than 500 columns"),
    ],
)
def test_other_files_are_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_inventory(data, "site.csv")


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for content in (data, b"product;version\n" + data):
        try:
            assets_in.read(content, "site.csv")
        except BadInput as error:
            assert "site.csv" in str(error)  # noqa: PT017
