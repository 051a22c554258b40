"""The forms of a review: places, tasks, comments, views, what the lead proposes."""

from __future__ import annotations

from typing import Any

from django import forms

from vedette.bench.determination import Outcome
from vedette.engagement.review import Stand
from vedette.readiness.dossier import fields_of, sections_of
from vedette.services.here import here
from vedette.web.pages.forms import UTC_HINT, Hour, long_text

MARKING_HINT = (
    "TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED; with a level and compartments such as"
    " SECRET//ALPHA//TLP:RED."
)


def marking_field() -> forms.CharField:
    """The marking of one portion."""
    return forms.CharField(
        label="Marking of this portion",
        initial="TLP:AMBER+STRICT",
        max_length=200,
        help_text=MARKING_HINT,
    )


def field_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The fields of the dossier's form, by section."""
    pack = here().pack
    return [
        (title, [(f.id, f.label) for f in fields_of(pack) if f.section == key])
        for key, title in sections_of(pack).items()
    ]


class ProposalForm(forms.Form):
    """The text that the lead proposes as the conclusion."""

    text = long_text("What you propose", limit=20_000, rows=8)
    marking = marking_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].required = True


class CommentForm(forms.Form):
    """One portion."""

    text = long_text("Comment", limit=20_000, rows=4)
    marking = marking_field()
    lead_only = forms.BooleanField(label="For the lead office alone", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].required = True


class ViewForm(forms.Form):
    """What an office holds of what the lead proposes."""

    stand = forms.ChoiceField(
        label="What does your office hold?",
        choices=[(str(s), str(s).capitalize()) for s in Stand],
        widget=forms.RadioSelect,
    )
    reasons = long_text("Reasons", "None are owed.", limit=20_000)
    marking = marking_field()


class InviteForm(forms.Form):
    """Which office is invited, and what it reads."""

    office = forms.ChoiceField(label="Office")
    fields_shared = forms.MultipleChoiceField(
        label="Fields of the dossier that it reads",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    hears_others = forms.BooleanField(
        label="It reads the other offices' comments and views", required=False, initial=True
    )
    tasks = forms.BooleanField(label="Give it the pack's tasks", required=False, initial=True)
    text = long_text(
        "A word along with it", "Goes to an office with an instance of its own.", rows=3
    )
    wished_for = Hour(
        label="An answer would help by", required=False, help_text=f"{UTC_HINT} It binds nobody."
    )

    def __init__(self, offices: list[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [("", "choose"), *offices]  # type: ignore[attr-defined]
        shared: Any = self.fields["fields_shared"]
        shared.choices = [one for _, group in field_choices() for one in group]
        shared.initial = [key for key, _ in shared.choices]


class ShareForm(forms.Form):
    """Which fields an office reads from now on."""

    fields_shared = forms.MultipleChoiceField(
        label="Fields of the dossier that it reads",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, known: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fields_shared"].choices = known  # type: ignore[attr-defined]


class TaskForm(forms.Form):
    """One task of one office."""

    title = forms.CharField(label="Task", max_length=300)
    org = forms.ChoiceField(label="Office", required=False)
    person = forms.CharField(label="Person", max_length=200, required=False)
    due = forms.DateField(
        label="Day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="A task past its day is shown as that; nothing waits for it.",
    )

    def __init__(self, offices: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = [("", "our own"), *offices]  # type: ignore[attr-defined]


class QuestionForm(forms.Form):
    """A question to the lab on one field."""

    text = long_text("Question", limit=4_000)
    behalf = forms.CharField(
        label="On behalf of",
        max_length=200,
        required=False,
        help_text="An office that you like to name to the lab.",
    )
    wished_for = Hour(
        label="An answer would help by",
        required=False,
        help_text=f"{UTC_HINT} The lab reads it as a wish; no clock stops for a question.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].required = True


class AnswerForm(forms.Form):
    """What the lab says to a question."""

    answer = forms.ChoiceField(label="What do you do?", widget=forms.RadioSelect)
    text = long_text("Answer", "Where you decline or leave it, none is owed.", limit=20_000)

    def __init__(self, moves: list[dict[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].choices = [(m["answer"], m["label"]) for m in moves]  # type: ignore[attr-defined]
        if len(moves) == 1:
            self.fields["answer"].initial = moves[0]["answer"]


class RecordForm(forms.Form):
    """A determination on a review, where nothing was run."""

    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "choose"), *((o.value, o.value.capitalize()) for o in Outcome)],
    )
    maker = forms.CharField(label="Made by", max_length=200, help_text="Name and office.")
    why = forms.CharField(label="Why", max_length=20_000, widget=forms.Textarea(attrs={"rows": 6}))
    build = forms.CharField(label="Build", max_length=200, required=False)


class ConsultationForm(forms.Form):
    """What this office holds of what another proposes."""

    said = forms.ChoiceField(
        label="What does your office hold?",
        choices=[
            *((str(s), str(s).capitalize()) for s in Stand),
            ("declined", "Decline to give a view"),
        ],
        widget=forms.RadioSelect,
    )
    reasons = long_text("Reasons", "None are owed.", limit=4_000)
    marking = marking_field()
