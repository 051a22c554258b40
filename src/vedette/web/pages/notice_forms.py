"""The forms of an operator's inbox: what narrows it, and an answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms

from vedette.clearinghouse.states import NoticeState
from vedette.kernel.words import counted
from vedette.matching.model import CONFIDENCES
from vedette.services.here import here
from vedette.web.pages.forms import long_text
from vedette.web.pages.labels import label


class Filter(forms.Form):
    """Narrows the inbox, an operator's or its delegate's."""

    show = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[
            ("", "open: to be answered"),
            ("all", "all"),
            *((name, label("notice", name)) for name in NoticeState),
        ],
    )
    inventory = forms.ChoiceField(label="Inventory", required=False, choices=[])
    verdict = forms.ChoiceField(
        label="Verdict",
        required=False,
        choices=[
            ("", "any"),
            *((name, label("verdict", name)) for name in ("affected", "unknown", "unaffected")),
        ],
    )
    confidence = forms.ChoiceField(
        label="Confidence",
        required=False,
        choices=[("", "any"), *((name, name) for name in CONFIDENCES)],
    )
    row = forms.ChoiceField(label="Row of BOD 26-04", required=False, choices=[])
    text = forms.CharField(label="Product or advisory", max_length=100, required=False)

    def __init__(self, names: list[str], rows: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row"].choices = [  # type: ignore[attr-defined]
            ("", "any"),
            *((row, f"{row}: {_within(row)}") for row in rows),
        ]
        self.fields["inventory"].choices = [  # type: ignore[attr-defined]
            ("", "every inventory"),
            *((name, name) for name in names),
        ]

    def asked(self) -> dict[str, Any]:
        """What is asked for, as the services' lists take it; nothing where it is no filter."""
        given = self.cleaned_data if self.is_valid() else {}
        show = given.get("show", "")
        names = ("inventory", "verdict", "confidence", "row", "text")
        return {
            "state": "" if show in ("", "all") else show,
            "only_open": show == "",
            **{name: given.get(name, "") for name in names},
        }

    @property
    def narrows(self) -> bool:
        """Whether anything was asked for."""
        return self.is_valid() and any(self.cleaned_data.values())


def _within(row: str) -> str:
    """How long a row of the priority table gives."""
    days = here().pack.integer_or_none("priority", "rows", row, "deadline_days")
    return "with the next upgrade" if days is None else counted(days, "day")


class AnswerForm(forms.Form):
    """An answer; a deferral says what shields the system, and until when."""

    state = forms.ChoiceField(label="Answer", choices=[])
    control = long_text(
        "Compensating control", "For a deferral: what shields the system until it is patched."
    )
    expires = forms.DateField(
        label="Looked at again on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="For a deferral: it ends with this day, UTC, and the notice is open again.",
    )

    def __init__(self, offered: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(name, OFFERED[NoticeState(name)]) for name in offered]
        self.fields["state"].choices = [("", "choose"), *known]  # type: ignore[attr-defined]

    def answer(self) -> tuple[str, str, datetime | None]:
        """State, control and expiry, as the services take them."""
        given = self.cleaned_data
        deferred = given["state"] == NoticeState.DEFERRED
        day: date | None = given["expires"] if deferred else None
        end = datetime.combine(day, time(23, 59), UTC) if day else None
        control = given["control"] if deferred else ""
        return given["state"], control, end


OFFERED = {
    NoticeState.PATCHED: "patched",
    NoticeState.DEFERRED: "deferred: shielded until a day",
    NoticeState.NOT_AFFECTED: "not affected",
    NoticeState.UNANSWERED: "take the answer back",
}
ANSWERS = [str(s) for s in (NoticeState.PATCHED, NoticeState.DEFERRED, NoticeState.NOT_AFFECTED)]
