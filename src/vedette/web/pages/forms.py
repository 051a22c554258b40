"""What the pages' forms share: hours in UTC, and errors of services shown where they belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, MissingPart, Refused, VedetteError

T = TypeVar("T")
UTC_HINT = "In UTC."


class Hour(forms.DateTimeField):
    """A moment in UTC; the browser offers a picker, and RFC 3339 is taken, too."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class Lines(forms.CharField):
    """One entry a line; its value is a list of the lines, stripped, without empty ones."""

    widget = forms.Textarea(attrs={"rows": 4})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return [line.strip() for line in text.splitlines() if line.strip()]


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class Files(forms.FileField):
    """Up to `most` files of at most `limit` bytes; its value is a list, each with content."""

    widget = ManyFiles

    def __init__(self, *, limit: int, most: int = 20, **options: Any) -> None:
        super().__init__(**options)
        self.limit, self.most = limit, most

    def clean(self, value: Any, initial: Any = None) -> Any:
        given = value or []
        if self.required and not given:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if len(given) > self.most:
            raise forms.ValidationError(f"{len(given)} files, at most {self.most} at once.")
        for each in given:
            if each.size > self.limit:
                raise forms.ValidationError(f"{each.name} has more than {self.limit:,} bytes.")
        return [super(Files, self).clean(each, initial) for each in given]


def long_text(label: str, help_text: str = "", limit: int = 4_000, rows: int = 4) -> Any:
    """An optional field for some sentences."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=limit,
        required=False,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is made with: the posted values, None where the form is only shown."""
    return request.POST if request.method == "POST" else None


def submitted(
    request: HttpRequest, form: forms.BaseForm, do: Callable[[dict[str, Any]], T]
) -> T | None:
    """Do what a posted form asks; None where there is nothing to do, or where it was not done.

    An error meant for the person is shown at the field that it names, else above the form.
    """
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return do(form.cleaned_data)
    except (BadInput, Refused, MissingPart) as error:
        tell(form, error)
        return None


def tell(form: forms.BaseForm, error: VedetteError) -> None:
    """Show an error at the form: what happened, what was kept, what to do next."""
    named, colon, rest = error.what.partition(": ")
    last = named.rpartition(".")[2]
    field = next((f for f in (last, last.replace(" ", "_")) if f in form.fields), None)
    text = rest if colon and field else error.what
    sentences = [text, f"kept: {error.kept}" if error.kept else "", error.next_step]
    said = " ".join(f"{s[0].upper()}{s[1:].rstrip('.')}." for s in sentences if s)
    form.add_error(field, said)


def done(request: HttpRequest, said: str, to: str, *arguments: Any) -> HttpResponse:
    """Say that an act is done, and go on."""
    messages.success(request, said)
    return redirect(to, *arguments)


def form_page(
    request: HttpRequest,
    form: forms.BaseForm,
    context: Mapping[str, Any],
    template: str = "pages/form.html",
) -> HttpResponse:
    """A page with a form: title, lede, button, trail and page_marking come with `context`."""
    status = 422 if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def moment(text: str | None) -> datetime | None:
    """A time as services give it to programs, back as a time."""
    return parse_time(text, field="time") if text else None
