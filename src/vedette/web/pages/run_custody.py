"""What a run's page says of custody and commitment, and the fields that choose them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from vedette.bench.commitment import Commitment
from vedette.bench.custody import CUSTODIES, custody_of
from vedette.kernel.errors import BadInput
from vedette.kernel.permissions import Permission
from vedette.services import acts
from vedette.services import run_commitments as service
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code
from vedette.web.pages.labels import as_file

ALONE = ("", "What the model named above makes of it: its endpoint, or references alone")


class CustodyFields(forms.Form):
    """Where items and weights meet, and what the result will be held against."""

    custody = forms.ChoiceField(
        label="Custody",
        required=False,
        widget=forms.RadioSelect,
        choices=[
            ALONE,
            *(
                (
                    row.name,
                    f"{row.title.capitalize()}. Items are seen by {row.items_seen_by}; weights by"
                    f" {row.weights_seen_by}.",
                )
                for row in CUSTODIES
            ),
        ],
        help_text="It is committed to, and stands on the report and in the exposure ledger.",
    )
    act = forms.ChoiceField(
        label="Under the act",
        required=False,
        help_text="Where no session says it: for weights here, items there, joint.",
    )
    model = forms.CharField(
        label="Model", max_length=200, required=False, help_text="Where the act does not name it."
    )
    base_url = forms.CharField(
        label="Served at",
        max_length=500,
        required=False,
        help_text="For weights here: an address of the office's own, such as"
        " http://127.0.0.1:8000/v1.",
    )
    threshold = forms.DecimalField(
        label="Threshold",
        min_value=0,
        max_value=1,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="A share from 0 to 1. It is sealed at once; a digest behind a nonce is committed"
        " to, and a determination made under another says so.",
    )

    def custody_given(self) -> dict[str, Any]:
        """What `start_run` takes of these fields."""
        values = self.cleaned_data
        threshold = values["threshold"]
        return {
            "custody": values["custody"],
            "act_id": values["act"],
            "model": values["model"],
            "base_url": values["base_url"],
            "threshold": "" if threshold is None else str(threshold),
        }


def act_choices(request: SignedIn) -> list[tuple[str, str]]:
    """The acts that a run can be under."""
    rows = acts.browse_acts(request.actor).select_related("peer")[:200]
    kinds = ("access-window", "determination-request")
    found = [
        (r.id, f"{r.model}, {r.kind.replace('-', ' ')}, {r.peer.name}")
        for r in rows
        if r.kind in kinds
    ]
    return [("", "none"), *found]


def custody_facts(run: Any) -> list[tuple[str, Cell]]:
    """Who sees what under a run's custody, and what of it is on record."""
    try:
        row = custody_of(run.custody)
    except BadInput:
        return []
    record = run.custody_record
    pairs: list[tuple[str, Cell]] = [
        ("Custody", row.title),
        ("Items are seen by", row.items_seen_by),
        ("Weights are seen by", row.weights_seen_by),
        ("What the report says", row.report),
        ("Served at", str(record.get("url", ""))),
    ]
    pairs += [
        (f"Weights received: {each['name']}", Code(str(each["digest"])))
        for each in record.get("weights", [])
    ]
    pairs += [
        (label, Code(str(record[name])) if name.endswith("digest") else str(record[name]))
        for name, label in _RECORDED
        if record.get(name)
    ]
    return [(label, value) for label, value in pairs if value != ""]


_RECORDED = (
    ("bundle_digest", "Digest of the item bundle"),
    ("bundled_for", "The bundle opens with the keys of"),
    ("results_signed_by", "The results are signed by"),
    ("attestation_digest", "Digest of the attestation"),
    ("attestation_verifier", "Its verifier"),
    ("attestation_words", "What the verifier said"),
    ("attestation_bound", "Whether it names this commitment"),
)


def commitment_facts(run: Any) -> list[tuple[str, Cell]]:
    """What was fixed beforehand, when it was signed, who was told; none where nothing was."""
    if not run.commitment:
        return []
    plan = Commitment.from_json(run.commitment)
    threshold = plan.criterion.threshold_digest
    told = run.custody_record.get("told", "")
    pairs: list[tuple[str, Cell]] = [
        ("Digest", Code(plan.digest)),
        ("Signed", f"{run.committed_at:%d %b %Y %H:%M} UTC, by {here().name}, before any sample"),
        ("Told to", told or "nobody outside: it is about no lab's model"),
        (
            "Fixed",
            f"suite, {len(plan.budgets)} items, {len(plan.subjects)} subjects, budgets,"
            " trials, seed, rule, threshold, custody, isolation",
        ),
        ("Rule", plan.criterion.rule),
        ("Threshold, behind a nonce", Code(threshold) if threshold else "none was committed to"),
    ]
    return pairs


@require_GET
@page(Permission.RUN_READ)
def commitment(request: SignedIn, run_id: str) -> HttpResponse:
    """The signed commitment as a file to hand over."""
    made = service.commitment_view(request.actor, run_id)
    return as_file(f"{run_id}.commitment.json", made)
