"""What a run will cost, beside the form that starts it."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from vedette.kernel.errors import VedetteError
from vedette.services.acting import Actor
from vedette.services.run_plans import plan_run
from vedette.web.cells import Cell, Interval
from vedette.web.pages.forms import moment

NOT_KNOWN = "not known: each item's own budget is sealed with it"
OUTCOMES = (
    ("determination", "either way"),
    ("meets", "meets the threshold"),
    ("does_not_meet", "does not meet it"),
)


def cost_of(actor: Actor, form: Any, data: QueryDict | None) -> dict[str, Any]:
    """The panel: facts, hints and the chance; or in `missing` what is not said rightly yet."""
    if data is None:
        return {"missing": "Choose above: what the run will cost then stands here."}
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        label = form.fields[field].label if field in form.fields else ""
        return {"missing": f"{label}: {errors[0]}".removeprefix(": ")}
    try:
        told = plan_run(actor, form.cleaned_data["suite"], **form.asked())
    except VedetteError as error:
        return {"missing": error.what[0].upper() + error.what[1:] + "."}
    return {"facts": _facts(told), "hints": told["hints"], **_chance(told)}


def _facts(told: dict[str, Any]) -> list[tuple[str, Cell]]:
    left_out = told["items_left_out"]
    pairs: list[tuple[str, Cell]] = [
        ("Items", f"{told['items']}, and {left_out} used up" if left_out else told["items"]),
        ("Samples of the model", told["samples"] or None),
        ("Samples of reference subjects", told["reference_samples"] or None),
    ]
    if told["exposures"] is not None:
        spent = told["exposures"]
        each = ", ".join(f"{count} {name}" for name, count in sorted(spent["each"].items()))
        pairs += [
            ("Exposures an item", each),
            ("Exposures in all", spent["all"]),
            ("Used up by it", f"{spent['used_up']} of {told['items']} items"),
            ("Left of the scarcest item", spent["left"]),
        ]
    elif told["samples"]:
        pairs.append(("Exposures", "none counted: the suite is public"))
    if told["samples"]:
        pairs += [
            ("Tokens, at most", _amount(told["most_tokens"])),
            ("Tokens, as samples took so far", _amount(told["likely_tokens"], None)),
            ("Tokens left of the quota", _amount(told["tokens_left"], None)),
            ("Time, at most, one after the other", _time(told["most_seconds"])),
            ("Time, as samples took so far", _time(told["likely_seconds"], None)),
            ("The session ends", moment(told["until"])),
        ]
    return [(label, value) for label, value in pairs if value is not None]


def _amount(value: int | None, unknown: str | None = NOT_KNOWN) -> str | None:
    return unknown if value is None else f"{value:,}"


def _time(seconds: int | None, unknown: str | None = NOT_KNOWN) -> str | None:
    if seconds is None:
        return unknown
    minutes = -(-seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:,.1f} h"


def _chance(told: dict[str, Any]) -> dict[str, Any]:
    if told["chance"] is None:
        return {"chance": [], "asks": bool(told["samples"])}
    point = told["chance"]
    rows = [_interval(words, point[key]) for key, words in OUTCOMES]
    shown = f"{point['items']} of {told['items']} items"
    return {"chance": rows, "asks": False, "shown": shown, "binds": told["binds"]}


def _interval(words: str, chance: dict[str, str]) -> Interval:
    return Interval(words, float(chance["chance"]), float(chance["low"]), float(chance["high"]))
