"""Asset CSV in the encodings, separators and headers that plants use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.cli import main
from vedette.formats import assets_in
from vedette.formats.detect import read_inventory
from vedette.kernel.errors import BadInput
from vedette.matching.engine import match
from vedette.matching.model import Advisory, Affected, Match
from vedette.matching.versions.words import parse

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
    inventory = read_inventory(b"vendor,model,version,colour\nA,B1,1,red\n", "site.csv")
    assert inventory.notes == ("columns not used: colour",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"colour,shape\nred,round\n", "no column for a product"),
        (b"", "nothing in it"),
        (b"\x00\x01\x02\x00PK" * 9, "binary|UTF-16"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a binary file"),
        (b"\x1f\x8b\x08\x00\x12\x34\x56\x01", "a binary file: packed with gzip; next: unpack"),
        (b"PK\x03\x04" + b"\x14\x00" * 50, "a spreadsheet or a ZIP archive"),
        (b" \r\n", "nothing in it"),
        (b'product,version\n"a,1\nb,2\n', "line 2: a quotation mark that is not closed"),
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


@pytest.mark.parametrize(
    "header",
    [
        "Fabricant;Désignation;Référence;Version firmware;N° de série;Lieu;Zone réseau;Criticité",
        "Fabricante;Producto;Modelo;Versión de firmware;Nº de serie;Ubicación;Zona;Criticidad",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_french_and_spanish_headers(header: str, encoding: str) -> None:
    row = "Siemens;SCALANCE X208;6GK5208-0BA10-2AA3;V5.2.4;S1;Lyon;cellule 4;haute"
    (asset,) = read_inventory(f"{header}\n{row}\n".encode(encoding), "site.csv").components
    assert (asset.vendor, asset.product, asset.model) == tuple(row.split(";")[:3])
    assert (asset.version, asset.serial, asset.site) == tuple(row.split(";")[3:6])
    assert (asset.zone, asset.criticality) == ("cellule 4", "haute")


@pytest.mark.parametrize(
    "header",
    [
        "Manufacturer Name;Product Description;Product Version;Serial #",
        "Hersteller;Produkt;Firmware-Stand;Seriennummer",
        "sep=;\r\nMARCA;Nombre de producto;Versión del firmware;Nº de serie",
        "Make;Equipment Type;FW Ver.;S/N",
        "Produttore;Prodotto;Versione software;Numero di serie",
        "Fabrikant;Apparaat;Firmwareversie;Serienummer",
    ],
)
def test_headers_as_people_write_them(header: str) -> None:
    data = f"{header};Latest version;Hardware revision\nSiemens;X208;V5.2;S1;V9;HW3\n"
    inventory = read_inventory(data.encode(), "site.csv")
    (asset,) = inventory.components
    assert (asset.id, asset.vendor, asset.version) == ("S1", "Siemens", "V5.2")
    assert "X208" in (asset.product, asset.name)
    assert inventory.notes == ("columns not used: Latest version, Hardware revision",)


GERMAN = (
    "Hersteller;Gerät;Bestell-Nr.;Firmwarestand;Seriennummer;Standort;Netz;Schutzbedarf;Notiz\n"
)
ROW = "Geutebrück;G-Cam;EBC-2110;1.12;S1;Köln;Zelle 4;hoch;x\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("garbled", [False, True])
def test_german_headers_also_garbled(encoding: str, garbled: bool) -> None:
    text = GERMAN + ROW
    if garbled:
        text = text.encode("utf-8").decode("cp1252")
    inventory = read_inventory(text.encode(encoding), "site.csv")
    (row,) = inventory.components
    assert (row.id, row.version, row.model) == ("S1", "1.12", "EBC-2110")
    assert (row.zone, row.criticality, row.product) == ("Zelle 4", "hoch", "G-Cam")
    assert inventory.notes == ("columns not used: Notiz",)


def test_what_was_guessed_is_shown_and_can_be_overruled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.csv"
    file.write_text("Make;Type;Gadget;Current firmware\nA;t;M340;1.0\n")

    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["inventory", "columns", str(file), *args])
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    code, out, _ = run("--json")
    assert code == 0
    assert json.loads(out) == {
        "file": str(file),
        "columns": {"vendor": "Make", "product": "Type", "version": "Current firmware"},
        "left": ["Gadget"],
        "separator": ";",
    }
    _, out, _ = run("--columns", "product=gadget,version=")
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    taken = {header: field for field, header in lines}
    assert taken == {
        "Current firmware": "(left)",
        "Type": "(left)",
        "Gadget": "product",
        "Make": "vendor",
    }
    for words, said in (("product=Nothing", "no column 'Nothing' for product"), ("x=y", "'x=y'")):
        code, _, err = run("--columns", words)
        assert code == 2
        assert said in err
        assert len(err.splitlines()) == 1
    inventory = read_inventory(file.read_bytes(), "site.csv", {"product": "Gadget"})
    assert inventory.components[0].product == "M340"


ABOVE = "Register of Mill Creek;;;\nExported 2026-11-20\n;;;\n"
LIST = "Vendor;Product;Version;Site\nSiemens;SIMATIC S7-1500;V2.9.4;East\nABB;AC500;3.1;West\n"


def test_lines_above_the_header_are_left_aside_and_said() -> None:
    plain = assets_in.read_text(LIST, "a.csv")
    titled = assets_in.read_text(ABOVE + LIST, "a.csv")
    assert titled.components == plain.components
    assert titled.notes == ("2 lines above the header left aside", *plain.notes)
    assert assets_in.by_site(ABOVE + LIST, "a.csv", "") == assets_in.by_site(LIST, "a.csv", "")
    own = LIST.replace("Product", "Anlage").replace("Vendor", "Von")
    chosen = {"product": "Anlage", "vendor": "Von"}
    named = assets_in.renamed(ABOVE + own, "a.csv", chosen)
    assert named.startswith("vendor;product;version;site\nSiemens;")
    assert assets_in.header_alone(ABOVE + LIST) == LIST.partition("\n")[0] + "\n"


def test_what_stands_above_no_header_is_no_title() -> None:
    with pytest.raises(BadInput, match="in the header 'Register of Mill Creek;;;'"):
        assets_in.read_text(ABOVE + "a;b;c;d\n1;2;3;4\n", "a.csv")


def test_rows_are_kept_counted_and_explained() -> None:
    text = "vendor,product,version,serial,purl\nA,,1,S1,\nA,B,,S2,\nA,B,1,S2,wrong\n"
    inventory = read_inventory(text.encode(), "site.csv")
    assert [c.id for c in inventory.components] == ["S1", "S2", "S2"]
    said = ["a purl", "no product", "no version", "the id of another"]
    assert len(inventory.notes) == len(said)
    for note, words in zip(inventory.notes, said, strict=True):
        assert note.startswith(f"1 row: {words}")


def matches(csv: str, product: str = "Ignition", below: str = "8.1.8") -> list[Match]:
    fixed = (parse(f"< {below}"),)
    known = Affected(vendor="Acme", product=product, scheme="generic", ranges=fixed)
    inventory = read_inventory(csv.encode(), "site.csv")
    return list(match([inventory], [Advisory("ICS-1", affected=(known,))]))


def test_a_version_in_the_products_name_is_read_and_never_exact() -> None:
    (stated,) = matches("vendor,product,version\nAcme,Ignition,8.1\n")
    assert (stated.verdict, stated.confidence) == ("affected", "exact")
    (inside,) = matches("vendor,product,version\nAcme,Ignition 8.1,\n")
    assert (inside.verdict, inside.version, inside.confidence) == ("affected", "8.1", "likely")
    assert "read from the product's name" in inside.reason
    assert not matches("vendor,product,version\nAcme,Ignition v8.2,\n")
    for part_of_name in ("Ignition 8", "Ignition 802.11"):
        assert not [m for m in matches(f"vendor,product\nAcme,{part_of_name}\n") if m.version]
    (whole,) = matches("vendor,product\nAcme,Ignition 8.2\n", product="Ignition 8.2", below="3")
    assert whole.verdict == "unknown", "where the whole name matches, the number is part of it"
    notes = read_inventory(b"product\nIgnition 8.1\nIgnition\n", "site.csv").notes
    assert [note.split(":")[0] for note in notes] == ["1 row", "1 row"]


@pytest.mark.parametrize("no", ["no", "No", "0", "false", "n"])
@pytest.mark.parametrize("vendor", ["Acme", ""])
def test_a_row_that_nobody_confirmed_is_never_exact(no: str, vendor: str) -> None:
    pypi = Affected(ecosystem="PyPI", name="ujson", scheme="pypi", versions=("5.1.0",))
    head = "vendor,product,version,purl,confirmed\n"
    row = f"{vendor},ujson,5.1.0,pkg:pypi/ujson@5.1.0"
    read = [
        read_inventory(f"{head}{row},{said}\n".encode(), name)
        for name, said in (("a.csv", ""), ("b.csv", "yes"), ("c.csv", no))
    ]
    lines = list(match(read, [Advisory("PYSEC-1", affected=(pypi,))]))
    assert [line.confidence for line in lines] == ["exact", "exact", "likely"]
    assert ["confirmed by nobody" in line.reason for line in lines] == [False, False, True]
