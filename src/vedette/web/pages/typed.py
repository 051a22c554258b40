"""A typed or pasted list: candidates to choose from, and the first matches at once."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from vedette.formats.typed_in import Entry
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted, versioned
from vedette.matching.candidates import Candidate
from vedette.matching.model import CONFIDENCES
from vedette.services import inventories, typed
from vedette.services.matched import Found
from vedette.services.typed import Chosen
from vedette.web.access import SignedIn, page
from vedette.web.cells import Table
from vedette.web.pages.forms import done, form_page, submitted
from vedette.web.pages.inventories import MARKING, stays
from vedette.web.pages.labels import state

SURE = 0.75
# matches shown at once, and where there are more, of each product
SHOWN, EACH = 12, 3
AS_TYPED, LEAVE_OUT = "typed", "out"
MAX_TEXT = 20_000


class TypeForm(forms.Form):
    """The list as it is typed."""

    text = forms.CharField(
        label="What you run",
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One product a line or between commas, with its version: Modicon M340 V3.1,"
        " Ignition 8.1.",
    )


class ChooseForm(forms.Form):
    """Which product each entry means, in which version."""

    text = forms.CharField(max_length=MAX_TEXT, widget=forms.HiddenInput)

    def __init__(
        self, meant: list[tuple[Entry, list[Candidate]]], *args: Any, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._entries = [entry for entry, _ in meant]
        self._proposed: list[str] = []
        for number, (entry, candidates) in enumerate(meant):
            known = [(_value(one), _label(one)) for one in candidates]
            best = known[0][0] if candidates and candidates[0].score >= SURE else AS_TYPED
            self._proposed.append("" if best == AS_TYPED else best)
            self.fields[f"product_{number}"] = forms.ChoiceField(
                label=entry.text,
                help_text=_why(candidates),
                choices=[
                    *known,
                    (AS_TYPED, "As typed: matched by words"),
                    (LEAVE_OUT, "Leave out"),
                ],
                initial=best,
            )
            version = "" if _part_of_name(entry, best) else entry.version
            self.fields[f"version_{number}"] = forms.CharField(
                label="Version",
                required=False,
                max_length=typed.MAX_WORDS,
                initial=version,
                help_text="" if version else "Without one its matches stay open.",
            )
            if self._proposed[-1]:
                self.fields[f"sure_{number}"] = forms.BooleanField(
                    label="Yes, this is what I run", required=False
                )
        self.fields["name"] = forms.CharField(
            label="Name of the inventory",
            required=False,
            max_length=inventories.MAX_NAME,
            help_text="Needed to keep it.",
        )
        self.fields["exposed"] = forms.BooleanField(
            label="These systems are publicly reachable", required=False
        )

    @property
    def groups(self) -> list[list[BoundField]]:
        """The fields of each entry."""
        kinds = ("product", "version", "sure")
        every = [[f"{kind}_{n}" for kind in kinds] for n in range(len(self._entries))]
        return [[self[name] for name in names if name in self.fields] for names in every]

    @property
    def rest(self) -> list[BoundField]:
        return [self["text"], self["name"], self["exposed"]]

    def chosen(self, values: dict[str, Any], *, seen: bool) -> list[Chosen]:
        """The products chosen in `values`, by field; before they were `seen` none is confirmed."""
        rows = []
        for number, entry in enumerate(self._entries):
            product, version = values[f"product_{number}"], values[f"version_{number}"]
            if product == AS_TYPED:
                name = entry.name if version else entry.text
                rows.append(Chosen("", name, version, confirmed="no"))
            elif product != LEAVE_OUT:
                vendor, name, purl = json.loads(product)
                sure = product != self._proposed[number] or values.get(f"sure_{number}")
                confirmed = "yes" if seen and sure else "no"
                rows.append(Chosen(vendor, name, version, purl, confirmed))
        return rows


def _is_named(candidates: list[Candidate]) -> bool:
    """Whether the first candidate alone is called as was typed."""
    first, *others = candidates
    return first.score == 1 and not any(other.score == 1 for other in others)


def _part_of_name(entry: Entry, best: str) -> bool:
    """Whether the number at an entry's end is rather part of the name of what it means."""
    if entry.sure:
        return False
    return best == AS_TYPED or entry.version in json.loads(best)[1].split()


def _why(candidates: list[Candidate]) -> str:
    """Why an entry's first choice is what it is."""
    if not candidates:
        return "No advisory here names it."
    if candidates[0].score < SURE:
        return "No product here is called so, or nearly so: choose one, or leave it as typed."
    named = "Called as you typed it" if _is_named(candidates) else "The nearest name"
    return f"{named}: say whether it is yours. Until then no match with it is exact."


def _value(one: Candidate) -> str:
    return json.dumps([one.vendor, one.product, one.purl])


def _label(one: Candidate) -> str:
    count = counted(one.advisories, "advisory", "advisories")
    named = one.product.casefold().startswith(one.vendor.casefold())
    return f"{one.product if named else f'{one.vendor} {one.product}'} ({count})"


@require_http_methods(["GET", "POST"])
@page(Permission.INVENTORY_EDIT)
def type_list(request: SignedIn) -> HttpResponse:
    """Type a list, choose what was meant, see the first matches, keep it."""
    first = TypeForm(request.POST if request.method == "POST" else None)
    meant = submitted(request, first, lambda given: typed.choices(request.actor, given["text"]))
    context = {
        "lede": stays(),
        "back": "/inventories/",
        "trail": [("Inventories", "/inventories/"), ("Type a list", "")],
        "page_marking": MARKING,
    }
    if meant is None:
        return form_page(request, first, context | {"title": "Type a list", "button": "Find them"})
    step = request.POST.get("step", "")
    data = request.POST if step else None
    form = ChooseForm(meant, data, initial={"text": first.cleaned_data["text"]})
    seen = bool(data) and form.is_valid()
    rows = form.chosen(form.cleaned_data if seen else _first_values(form), seen=seen)
    if step == "keep" and form.is_valid():
        kept = submitted(
            request,
            form,
            lambda v: typed.keep(request.actor, v["name"], rows, exposed=v["exposed"]),
        )
        if kept is not None:
            said = f"{kept.components:,} products are kept, and are being matched."
            return done(request, said, "inventory", kept.id)
    found = typed.first_matches(request.actor, rows) if rows else []
    every = _lines(found)
    many = len(every) > SHOWN
    more = {
        "title": "Which of these do you run?",
        "found": _table("First matches", _first_of_each(every) if many else every),
        "every": _table("All matches", every) if many else None,
        "count": len(every),
        "first": EACH,
    }
    more |= {"button": "Keep it as an inventory", "step": "keep"}
    return form_page(request, form, context | more, "pages/typed.html")


def _first_values(form: ChooseForm) -> dict[str, Any]:
    return {name: field.initial or "" for name, field in form.fields.items()}


Line = tuple[str, dict[str, object]]


def _lines(found: list[Found]) -> list[Line]:
    """The lines, affected before unknown, and what is sure before what is likely or possible."""
    lines = [(one.title, line) for one in found for line in one.matches]
    return sorted(lines, key=lambda pair: _order(pair[1]))


def _first_of_each(lines: list[Line]) -> list[Line]:
    """The first lines of each product: all of them are too many for a phone."""
    count: Counter[object] = Counter()
    first = []
    for title, line in lines:
        count[line["name"]] += 1
        if count[line["name"]] <= EACH:
            first.append((title, line))
    return first


def _table(caption: str, lines: list[Line]) -> Table:
    rows = [
        [
            versioned(str(line["name"]), str(line["version"])),
            str(line["advisory"]),
            title,
            state("verdict", str(line["verdict"])),
            str(line["confidence"]),
            ", ".join(map(str, fixed)) if isinstance(fixed := line["fixed"], list) else "",
            str(line["reason"]),
        ]
        for title, line in lines
    ]
    head = ["Product", "Advisory", "Title", "Verdict", "Confidence", "Fixed in", "Why"]
    return Table(caption, head, rows)  # type: ignore[arg-type]


def _order(line: dict[str, object]) -> tuple[bool, int]:
    return line["verdict"] != "affected", CONFIDENCES.index(str(line["confidence"]))
