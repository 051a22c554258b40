"""`vedette exchange terms verify`: both signatures, offline, without an instance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.engagement.parties import LAB, OFFICE, make_terms

from vedette.cli import main
from vedette.engagement.signed_terms import signed_file
from vedette.engagement.terms import sign_terms
from vedette.exchange.card import Card
from vedette.kernel.permissions import Profile


def bundle() -> dict[str, Any]:
    terms = make_terms()
    return signed_file(
        terms,
        {"lab": LAB.public, "office": OFFICE.public},
        {"lab": sign_terms(terms, LAB), "office": sign_terms(terms, OFFICE)},
        {"lab": "Ines", "office": "Ruth"},
    )


def run(tmp_path: Path, value: Any, *options: str) -> tuple[int, str]:
    file = tmp_path / "terms.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return called(["exchange", "terms", "verify", str(file), *options])


def called(args: list[str]) -> tuple[int, str]:
    import contextlib
    import io

    out = io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        pytest.raises(SystemExit) as stopped,
    ):
        main(args)
    return int(stopped.value.code or 0), out.getvalue()


def card(tmp_path: Path, name: str, profile: Profile, keys: Any) -> str:
    path = tmp_path / f"{name}.card.json"
    path.write_text(json.dumps(Card(name, profile, "", keys.public).to_json()))
    return str(path)


def test_both_signatures_hold_and_the_cards_say_whose_they_are(tmp_path: Path) -> None:
    lab = card(tmp_path, "lab", Profile.LAB, LAB)
    office = card(tmp_path, "office", Profile.OFFICE, OFFICE)
    code, said = run(tmp_path, bundle(), "--card", lab, "--card", office)
    assert code == 0, said
    assert "NO" not in said
    code, said = run(tmp_path, bundle(), "--card", lab)
    assert code == 1
    assert "NO: the office's key is on a card" in said


def test_without_cards_the_keys_are_named(tmp_path: Path) -> None:
    code, said = run(tmp_path, bundle())
    assert code == 0
    assert LAB.public.keyid in said


@pytest.mark.parametrize("change", ["words", "digest", "signature", "key", "unsigned"])
def test_whatever_was_changed_is_found(tmp_path: Path, change: str) -> None:
    value = bundle()
    if change == "words":
        value["terms"]["quota"]["calls"] += 1
    elif change == "digest":
        value["digest"] = "sha256:" + "0" * 64
    elif change == "signature":
        value["lab"]["signature"] = value["office"]["signature"]
    elif change == "key":
        value["office"]["ed25519"] = value["lab"]["ed25519"]
    else:
        value["office"]["signature"] = ""
    code, said = run(tmp_path, value, "--json")
    assert code == 1
    assert not all(row["holds"] for row in json.loads(said)["checks"])


@pytest.mark.parametrize(
    "value", ["", "[]", "{}", '{"vedette_signed_terms": 1}', {**bundle(), "lab": None}]
)
def test_what_is_no_such_file_is_bad_input(tmp_path: Path, value: Any) -> None:
    code, said = run(tmp_path, value)
    assert code == 2, said
    assert said.startswith("vedette: ")


def test_it_has_help_with_an_example() -> None:
    from vedette.cli.exchange import exchange

    said = CliRunner().invoke(exchange, ["terms", "verify", "--help"]).output
    assert "Example: vedette exchange terms verify" in said
