"""The forms of findings: a report, its recipe, and what the coordinator does with it."""

from __future__ import annotations

import base64
from typing import Any

from django import forms

from vedette.kernel.bounds import MIB, Bounds, from_text, read_json
from vedette.kernel.errors import BadInput
from vedette.services.findings import DEFAULT_MARKING
from vedette.web.pages.forms import Lines, long_text

MARKINGS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
MOST_INPUT = 65_536


class ReportForm(forms.Form):
    """A finding as its finder reports it."""

    title = forms.CharField(label="Title", max_length=2_000, help_text="One line on the flaw.")
    product = forms.CharField(label="Product", max_length=300)
    version = forms.CharField(label="Version", max_length=200, required=False)
    vendor = forms.CharField(label="Vendor or project", max_length=300, required=False)
    component = forms.CharField(label="Component", max_length=300, required=False)
    file = forms.CharField(label="Source file", max_length=1_024, required=False)
    function = forms.CharField(label="Function", max_length=1_024, required=False)
    description = long_text("What is wrong, and how you found it", limit=65_536, rows=6)
    stack = Lines(label="Stack", required=False, help_text="One frame a line, innermost first.")
    cwe = Lines(label="Weaknesses", required=False, help_text="CWE numbers, one a line.")
    references = Lines(label="References", required=False, help_text="Addresses, one a line.")
    suite = forms.CharField(
        label="Recipe: suite",
        max_length=100,
        required=False,
        help_text="Only what we can execute reaches a maintainer. Name the suite and the item that"
        " your input crashes, or hand in a whole recipe below.",
    )
    item = forms.CharField(label="Recipe: item", max_length=100, required=False)
    input_file = forms.FileField(
        label="Recipe: input as a file", required=False, help_text="At most 64 KiB."
    )
    input_b64 = forms.CharField(
        label="Recipe: input in base64",
        required=False,
        max_length=2 * MOST_INPUT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    recipe_file = forms.FileField(
        label="Whole recipe as a JSON file",
        required=False,
        help_text="For example of the kind pypi: two releases and a script.",
    )
    marking = forms.ChoiceField(
        label="Marking", choices=[(m, m) for m in MARKINGS], initial=DEFAULT_MARKING
    )

    def recipe(self) -> dict[str, Any] | None:
        """The recipe of the given fields, if there is one. Raises BadInput naming the field."""
        given = self.cleaned_data
        if given["recipe_file"]:
            return _read_recipe(given["recipe_file"])
        if not (given["suite"] or given["item"] or given["input_file"] or given["input_b64"]):
            return None
        for name in ("suite", "item"):
            if not given[name]:
                raise BadInput(f"{name}: a recipe names the suite and the item")
        return {
            "kind": "suite-item",
            "suite": given["suite"],
            "item": given["item"],
            "input_b64": _input(given),
        }


def _read_recipe(file: Any) -> dict[str, Any]:
    content = file.read(MIB + 1)
    bounds = Bounds(size=MIB, depth=4, count=100)
    try:
        recipe = read_json(content, source="recipe", bounds=bounds)
    except BadInput as error:
        raise BadInput(f"recipe_file: {error.what}") from None
    if not isinstance(recipe, dict):
        raise BadInput("recipe_file: a recipe is a JSON object")
    return recipe


def _input(given: dict[str, Any]) -> str:
    if given["input_file"]:
        content = given["input_file"].read(MOST_INPUT + 1)
        if len(content) > MOST_INPUT:
            raise BadInput(f"input_file: at most {MOST_INPUT:,} bytes")
        return base64.b64encode(content).decode()
    text = "".join(given["input_b64"].split())
    from_text(text, field="input_b64")
    return text


class RecipeForm(ReportForm):
    """A recipe for a finding that could not be reproduced without one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = ("suite", "item", "input_file", "input_b64", "recipe_file")
        self.fields = {name: self.fields[name] for name in kept}


class OpenCaseForm(forms.Form):
    """The case's own title and vendor, where they differ from the finding's."""

    title = forms.CharField(label="Title of the case", max_length=300)
    vendor = forms.CharField(label="Vendor or project", max_length=300, required=False)


class AddForm(forms.Form):
    """An open case that the finding joins."""

    case = forms.ChoiceField(label="Case", choices=[])


class DuplicateForm(forms.Form):
    """Which finding this one is the same as, and why."""

    of = forms.CharField(label="Id of the finding that stands", max_length=40)
    reason = long_text("Why they are the same", limit=1_000)


class ReasonForm(forms.Form):
    """A reason alone."""

    reason = forms.CharField(label="Why", max_length=900, widget=forms.Textarea(attrs={"rows": 3}))
