"""What an operator says of names is remembered: confirmed is exact, another product is no match."""

from __future__ import annotations

import json

import pytest
from tests.services.operators import hosted
from tests.services.running import run_jobs

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.services import inventories, matches, notices, product_names, sources, vex
from vedette.services.acting import Actor
from vedette.services.index import build_own_index
from vedette.services.testing import Fixture


def csaf(name: str, *products: str) -> dict[str, object]:
    """An advisory on versions below 9 of Acme's products."""
    branches = [
        {
            "category": "product_name",
            "name": product,
            "branches": [
                {
                    "category": "product_version_range",
                    "name": "< 9",
                    "product": {"product_id": product, "name": f"Acme {product} < 9"},
                }
            ],
        }
        for product in products
    ]
    return {
        "document": {"title": name, "tracking": {"id": name, "current_release_date": "2026-01-01"}},
        "product_tree": {
            "branches": [{"category": "vendor", "name": "Acme", "branches": branches}]
        },
        "vulnerabilities": [
            {"cve": f"CVE-2026-123{name[-1]}", "product_status": {"known_affected": list(products)}}
        ],
    }


def publish(house: Fixture, *records: dict[str, object]) -> None:
    data = json.dumps(list(records)).encode()
    coordinator = house.person("coordinator")
    assert not sources.import_advisories(coordinator, data, "acme").problems
    build_own_index(coordinator)
    run_jobs()


def confidences(actor: Actor) -> dict[str, str]:
    return {
        row["advisory"]: row["confidence"]
        for row in notices.notices(actor)
        if row["verdict"] != "unaffected"
    }


def test_a_word_on_two_names_counts_for_what_comes_and_can_be_taken_back(
    clearinghouse: Fixture,
) -> None:
    actor = hosted(clearinghouse)
    inventories.take_inventory(actor, "plant", b"vendor,product,version\nAcme,X208,5\n")
    publish(clearinghouse, csaf("A-1", "X-208"))
    assert confidences(actor) == {"A-1": "possible"}
    (row,) = notices.notices(actor)
    found = notices.notice_view(actor, row["id"])["matches"]
    ((ours, theirs),) = product_names.pairs(found)
    assert (ours, theirs) == ("Acme X208", "Acme X-208")

    said = product_names.say(actor, row["id"], ours, theirs, same=True)
    run_jobs()
    assert confidences(actor) == {"A-1": "exact"}
    assert "confirmed as this product by" in notices.notice_view(actor, row["id"])["reason"]
    publish(clearinghouse, csaf("A-1", "X-208"), csaf("A-2", "X-208"))
    assert confidences(actor) == {"A-1": "exact", "A-2": "exact"}, "a later advisory, too"

    product_names.forget(actor, said.id)
    run_jobs()
    assert set(confidences(actor).values()) == {"possible"}
    product_names.say(actor, row["id"], ours, theirs, same=False)
    run_jobs()
    assert confidences(actor) == {}
    (one, _) = vex.suppressed(actor)
    assert "Acme X208 is another product than Acme X-208" in one["reason"]
    publish(clearinghouse, csaf("A-1", "X-208"), csaf("A-2", "X-208"), csaf("A-3", "X-208"))
    assert confidences(actor) == {}, "a later advisory neither"
    vex.lift(actor, one["id"])
    run_jobs()
    assert len(confidences(actor)) == 1
    assert [row["same"] for row in product_names.listed(actor)] == [False]


def test_of_several_products_the_others_still_match(clearinghouse: Fixture) -> None:
    actor = hosted(clearinghouse)
    inventories.take_inventory(actor, "plant", b"vendor,product,version\nAcme,X208,5\n")
    publish(clearinghouse, csaf("A-1", "X-208", "Nano X-208"))
    (row,) = notices.notices(actor)
    pairs = product_names.pairs(notices.notice_view(actor, row["id"])["matches"])
    assert len(pairs) == 2
    product_names.say(actor, row["id"], *pairs[0], same=False)
    run_jobs()
    assert confidences(actor) == {"A-1": "possible"}
    product_names.say(actor, row["id"], *pairs[1], same=False)
    run_jobs()
    assert confidences(actor) == {}
    matches.match_inventories()
    assert confidences(actor) == {}


def test_a_product_that_it_is_may_not_be_affected_and_another_be(clearinghouse: Fixture) -> None:
    actor = hosted(clearinghouse)
    inventories.take_inventory(actor, "plant", b"vendor,product,version\nAcme,X208,5\n")
    record = csaf("A-1", "X-208", "Nano X-208")
    record["vulnerabilities"][0]["product_status"] = {  # type: ignore[index]
        "known_affected": ["X-208"],
        "known_not_affected": ["Nano X-208"],
    }
    publish(clearinghouse, record)
    (row,) = notices.notices(actor)
    assert "it may as well be Nano X-208, not affected in this version" in row["reason"]
    pairs = product_names.pairs(notices.notice_view(actor, row["id"])["matches"])
    assert [theirs for _, theirs in pairs] == ["Acme X-208", "Acme Nano X-208"]
    product_names.say(actor, row["id"], *pairs[1], same=True)
    run_jobs()
    (row,) = notices.notices(actor)
    assert row["confidence"] == "possible"
    assert "says that it is Acme Nano X-208, not affected in this version" in row["reason"]
    product_names.say(actor, row["id"], *pairs[0], same=False)
    run_jobs()
    assert confidences(actor) == {}


def test_who_says_what_of_which_names(clearinghouse: Fixture) -> None:
    actor = hosted(clearinghouse)
    inventories.take_inventory(actor, "plant", b"vendor,product,version\nAcme,X208,5\n")
    publish(clearinghouse, csaf("A-1", "X-208"))
    (row,) = notices.notices(actor)
    with pytest.raises(BadInput, match="no such names"):
        product_names.say(actor, row["id"], "Acme X208", "Acme Y", same=True)
    other = hosted(clearinghouse, "Hill Water")
    for one, error in ((other, NotFound), (clearinghouse.person("reader", actor.org), Forbidden)):
        with pytest.raises(error):
            product_names.say(one, row["id"], "Acme X208", "Acme X-208", same=True)
        with pytest.raises(error):
            product_names.forget(one, "said-none")
    assert product_names.listed(other) == []


def test_a_confirmed_name_is_typed_no_more_and_what_is_surer_stands_first(
    clearinghouse: Fixture,
) -> None:
    actor = hosted(clearinghouse)
    inventories.take_inventory(actor, "typed", b"Acme X208 V5, Acme Nano 7 V5")
    publish(clearinghouse, csaf("A-1", "Nano 7"), csaf("A-2", "X-208"))
    assert confidences(actor) == {"A-1": "likely", "A-2": "possible"}
    row = next(row for row in notices.notices(actor) if row["advisory"] == "A-2")
    assert "confirmed by nobody" in row["reason"]
    assert "CVE-2026-1232" in notices.notice_view(actor, row["id"])["matches"][0]["aliases"]
    ((ours, theirs),) = product_names.pairs(notices.notice_view(actor, row["id"])["matches"])
    product_names.say(actor, row["id"], ours, theirs, same=True)
    run_jobs()
    found = notices.notices(actor)
    assert [(each["advisory"], each["confidence"]) for each in found] == [
        ("A-2", "exact"),
        ("A-1", "likely"),
    ]
    assert "confirmed by nobody" not in found[0]["reason"]
