"""What a run's page says of custody and commitment, and the fields that choose them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from vedette.bench.commitment import Commitment
from vedette.bench.custody import CUSTODIES, custody_of
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted
from vedette.services import acts, run_keys
from vedette.services import run_commitments as service
from vedette.services.acting import Actor
from vedette.services.here import here
from vedette.services.runs import run_view
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Link, Table
from vedette.web.pages.forms import Files, done, form_page, posted, submitted
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
        (
            f"The {layer} key was given",
            f"{parse_time(each['at'], field='given'):%d %b %Y %H:%M} UTC, by {each['by']}",
        )
        for layer, each in sorted(record.get("given", {}).items(), reverse=True)
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
            f"suite, {counted(len(plan.budgets), 'item')},"
            f" {counted(len(plan.subjects), 'subject')}, budgets, trials, seed,"
            " rule, threshold, custody, isolation",
        ),
        ("Rule", plan.criterion.rule),
        ("Threshold, behind a nonce", Code(threshold) if threshold else "none was committed to"),
    ]
    return pairs


class KeyForm(forms.Form):
    """One of a bundle's two keys, as its holder released it."""

    key = Files(
        label="The released key",
        limit=16_384,
        most=1,
        help_text="The file that vedette bench release wrote: sealed to the lab, signed by you.",
    )


@require_http_methods(["GET", "POST"])
@page(Permission.SUITE_UNSEAL)
def give(request: SignedIn, run_id: str) -> HttpResponse:
    """Give the lab one of the two keys of a run's bundle."""
    found = run_view(request.actor, run_id)
    form = KeyForm(posted(request), request.FILES or None)
    made = submitted(
        request, form, lambda v: run_keys.give_key(request.actor, run_id, v["key"][0].read())
    )
    if made is not None:
        return done(request, "Given: it is on its way to the lab.", "run", run_id)
    context = {
        "title": "Give the lab a key",
        "lede": "The lab opens the items of this run with two keys, which two persons give. On its"
        " machine it can read them from then on.",
        "button": "Give it",
        "back": f"/runs/{run_id}/",
        "trail": [("Runs", "/runs/"), (found.suite, f"/runs/{run_id}/"), ("Give a key", "")],
        "page_marking": found.marking,
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.ENGAGEMENT_READ)
def given(request: SignedIn, act_id: str, key_id: str) -> HttpResponse:
    """As a lab: a key that the office gave, as the file that `bench run --key` takes."""
    row = run_keys.given_key(request.actor, act_id, key_id)
    return as_file(f"{row.bundle}.{row.layer}.key.json", row.document)


def given_table(actor: Actor, act_id: str) -> Table:
    """The keys that this lab was given under an act."""
    rows = run_keys.given_keys(actor, act_id=act_id)
    return Table(
        "Keys that open the office's item bundles on this lab's machine; each bundle needs both",
        ["Key", "Bundle", "Run", "Given"],
        [
            [
                Link(f"{row.layer} key", f"/acts/{act_id}/keys/{row.id}/"),
                Code(row.bundle),
                Code(row.run),
                row.given_at,
            ]
            for row in rows
        ],
    )


@require_GET
@page(Permission.RUN_READ)
def commitment(request: SignedIn, run_id: str) -> HttpResponse:
    """The signed commitment as a file to hand over."""
    made = service.commitment_view(request.actor, run_id)
    return as_file(f"{run_id}.commitment.json", made)
