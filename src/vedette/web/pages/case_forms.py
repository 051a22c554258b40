"""The forms of what people do on a case."""

from __future__ import annotations

from typing import Any

from django import forms

from vedette.clearinghouse.embargo import CLOCKS
from vedette.web.pages.forms import UTC_HINT, Hour, Lines, long_text

ROLES = (
    ("vendor", "vendor"),
    ("maintainer", "maintainer"),
    ("finder", "finder"),
    ("partner", "partner"),
)


class TermsFields(forms.Form):
    """A party's own terms: its words, its zone, and the clocks that they set."""

    terms = long_text("Terms, word for word", "Kept and shown as given.", limit=16_384)
    zone = forms.CharField(
        label="Zone", max_length=60, required=False, help_text="Such as Europe/Berlin."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in CLOCKS:
            said = name.removesuffix("_days").replace("_", " ").capitalize()
            self.fields[name] = forms.IntegerField(
                label=f"{said}, in days", min_value=0, max_value=3_650, required=False
            )

    def days(self) -> dict[str, int]:
        given = self.cleaned_data
        return {name: given[name] for name in CLOCKS if given[name] is not None}


class InviteForm(TermsFields):
    """Whom to let into a case, and on whose terms."""

    org = forms.ChoiceField(label="Organisation", choices=[])
    role = forms.ChoiceField(label="Part in the case", choices=ROLES)
    field_order = ("org", "role")


class MyTermsForm(TermsFields):
    """A participant's own terms."""


class AnswerForm(forms.Form):
    """Where a participant stands."""

    status = forms.ChoiceField(label="Your answer", choices=[])
    note = long_text("A word on it", limit=16_384, rows=3)
    agree = forms.BooleanField(label="We agree to publication before its hour", required=False)


class FixForm(forms.Form):
    """A fixed source."""

    version = forms.CharField(label="Fixed version", max_length=100)
    source = forms.FileField(
        label="Fixed source", help_text="One C file of at most 1 MiB. It is built and run here."
    )
    note = long_text("What was changed", limit=16_384, rows=3)


class NoteForm(forms.Form):
    """A note to all who take part."""

    text = forms.CharField(
        label="Note", max_length=16_384, widget=forms.Textarea(attrs={"rows": 3})
    )


class SeverityForm(forms.Form):
    """One's own judgement."""

    vector = forms.CharField(
        label="CVSS vector",
        max_length=300,
        help_text="Like CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    )
    reason = long_text("Why", limit=1_000, rows=2)


class EmbargoForm(forms.Form):
    """What changes the clocks."""

    extension_asked = forms.BooleanField(label="An extension was asked for", required=False)
    exploited_since = Hour(label="Known to be exploited since", required=False, help_text=UTC_HINT)


class ReasonForm(forms.Form):
    """A reason alone."""

    reason = forms.CharField(
        label="Why", max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class EmptyForm(forms.Form):
    """Nothing but the button."""


class PrivateForm(forms.Form):
    """How a case is open for private matching."""

    secret = forms.BooleanField(
        label="That this product is under embargo is itself a secret",
        required=False,
        help_text="Then it is told by set intersection alone, where names cannot be tried in bulk.",
    )


class PublishForm(forms.Form):
    """An advisory's words, and the facts from which deadlines follow."""

    title = forms.CharField(label="Title", max_length=300)
    summary = forms.CharField(label="Summary", max_length=1_000)
    details = forms.CharField(
        label="Details", max_length=65_536, widget=forms.Textarea(attrs={"rows": 8})
    )
    kev = forms.TypedChoiceField(
        label="Known to be exploited",
        choices=[("no", "no"), ("yes", "yes")],
        coerce=lambda value: value == "yes",
        help_text="From these facts and its own exposure each operator's deadline follows.",
    )
    automatable = forms.TypedChoiceField(
        label="Exploitation can be automated",
        choices=[("no", "no"), ("yes", "yes")],
        coerce=lambda value: value == "yes",
    )
    impact = forms.ChoiceField(
        label="Technical impact", choices=[("partial", "partial"), ("total", "total")]
    )
    remedy = long_text("What operators do", limit=65_536, rows=3)
    aliases = Lines(label="Other names", required=False, help_text="CVE ids, one a line.")
    corrects = Lines(
        label="Records that it corrects",
        required=False,
        help_text="Their ids, one a line. What was executed here is the evidence.",
    )
    reason = forms.CharField(
        label="Why now",
        required=False,
        max_length=1_000,
        help_text="Needed while the embargo runs, and for a later revision.",
    )
