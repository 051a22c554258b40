"""The portal's components. Begin a page with `{% extends "base.html" %}{% load vedette %}`.

`base.html` has the blocks `title`, `breadcrumbs`, `content` (also `extra_head`, `extra_body`) and
reads from the context: `instance_name`, `profile`, `organisation`, `nav` (a list of
`(label, url, current)`), `page_marking` (a Marking; leave it out where nothing is marked) with
`page_sources` (what a classified page is derived from), `watermark` (a Stamp),
`now` and `clock_simulated`, `version`, `user` and `messages`. All may be missing.

Values come from `vedette.web.cells`: a *cell* is text, a number, a time, a Marking, `Link`,
`State`, `Code` or None.

    {% pagehead "Window" kicker="Offer 7f3a" state=state marking=m %}One line.{% endpagehead %}
    {% breadcrumbs trail %}              trail: list of (label, url); the last is this page
    {% portion m %}                      "(TLP:AMBER)", the mark before a part of a page
    {% marking m %}                      TLP label as FIRST sets it: coloured on black
    {% state "opens by itself" "active" %}   kinds: idle active done attention urgent ended
    {% when time %}                      <time> in UTC; relative=True adds "in 3 days",
                                         zone="America/Chicago" the local hour
    {{ text|whole }}                     whether it is a number that no line should break
    {{ time|countdown:now }}             "in 29 days"
    {% code "sha256:…" %}                selectable, copyable
    {% cell value %}                     any cell
    {% summary pairs %}                  pairs: list of (label, cell)
    {% table table %}                    a cells.Table; stacks on a phone
    {% steps items %}                    list of cells.Step: plan or timeline
    {% intervals items "Share solved" %} list of cells.Interval: dots with 95% bars, as SVG
    {% progress 40 100 "Samples run" %}
    {% live url running %}…{% endlive %} polled every 2 s while `running`; the view at `url`
                                         answers with the same region and nothing around it
    {% card "Terms" %}…{% endcard %}     a boxed section with a heading
    {% columns %}…{% endcolumns %}       cards side by side where there is room
    {% alert "warning" "Title" %}…{% endalert %}   kinds: info success warning error
    {% empty "No offers yet" "What an offer does." "Make an offer" url %}
    {% post "Send" url %}                one-button form; a third word: primary outline quiet danger
    {% button "Edit" url %}              a link that looks like a button; same third word
    {% field form.name %}                label, hint, error, linked by aria-describedby
    {% fields form %}                    the whole form: error summary, hidden and visible fields
    {% pagination page %}                page: django.core.paginator.Page
    {% icon "check" %}                   from icons.svg; decorative unless given label="…"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, widgets
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from vedette import __version__
from vedette.formats.document import Stamp
from vedette.kernel.clock import format_time, written
from vedette.kernel.markings import Marking
from vedette.kernel.portions import portion_mark
from vedette.services.documents import page_block
from vedette.web import cells
from vedette.web.cells import Cell, Code, Interval, Kind, Link, State, Step, Table

_NUMBER = re.compile(r"[A-Z][A-Za-z]*(?:-[A-Za-z0-9]{1,9}){1,4}")
register = template.Library()

# how often reader and time stand across a page
MARKS = 40

_ICON_OF_KIND: dict[str, str] = {
    "idle": "ring",
    "active": "half",
    "done": "check",
    "attention": "flag",
    "urgent": "alert",
    "ended": "stop",
}
_ICON_OF_ALERT = {"info": "info", "success": "check", "warning": "flag", "error": "alert"}
_LOOK_OF_BUTTON = {
    "primary": "",
    "outline": " usa-button--outline",
    "quiet": " usa-button--unstyled",
    "danger": " v-button--danger",
}
_LEVEL_TO_ALERT = {"debug": "info", "info": "info", "success": "success", "warning": "warning"}

register.filter("countdown", cells.countdown)


@register.simple_tag(name="version")
def version_() -> str:
    return __version__


@register.inclusion_tag("components/icon.html")
def icon(name: str, label: str = "") -> dict[str, Any]:
    return {"name": name, "label": label}


@register.inclusion_tag("components/marking.html")
def marking(value: Marking | str, text: str = "") -> dict[str, Any]:
    known = _known(value)
    return {"text": text or str(known), "colour": known.tlp.name.lower().removesuffix("_strict")}


def _known(value: Marking | str) -> Marking:
    return value if isinstance(value, Marking) else Marking.parse(value)


@register.inclusion_tag("components/block.html", takes_context=True)
def classification(context: Context) -> dict[str, Any]:
    """The classification block of a page that is classified, from its sources."""
    given = context.get("page_block")
    return {
        "block": given or page_block(_known(context["page_marking"]), context.get("page_sources"))
    }


@register.simple_tag(takes_context=True)
def portion(context: Context, value: Marking | str) -> SafeString:
    """The mark of one portion of a page, in brackets."""
    whole = context.get("page_marking")
    mark = portion_mark(_known(value), _known(whole) if whole else None)
    return format_html('<span class="v-portion">{}</span>', mark)


@register.inclusion_tag("components/watermark.html")
def watermark(stamp: Stamp) -> dict[str, Any]:
    return {"marks": [" · ".join(stamp.short)] * MARKS}


@register.inclusion_tag("components/state.html")
def state(label: str, kind: Kind = "idle") -> dict[str, Any]:
    return {"label": label, "kind": kind, "icon_name": _ICON_OF_KIND[kind]}


@register.inclusion_tag("components/when.html", takes_context=True)
def when(
    context: Context, value: datetime | date, relative: bool = False, zone: str = ""
) -> dict[str, Any]:
    if not isinstance(value, datetime):
        return {"machine": value.isoformat(), "text": written(value)}
    now = context.get("now")
    local = f"{value.astimezone(ZoneInfo(zone)):%H:%M} {zone}" if zone else ""
    return {
        "machine": format_time(value),
        "text": written(value),
        "distance": cells.countdown(value, now) if relative and now else "",
        "local": local.replace("_", " "),
    }


@register.inclusion_tag("components/code.html")
def code(text: str) -> dict[str, Any]:
    return {"text": text}


@register.filter
def whole(value: object) -> bool:
    """Whether a text is an advisory's number, short enough to stand on one line of a phone."""
    return isinstance(value, str) and len(value) <= 24 and bool(_NUMBER.fullmatch(value))


@register.inclusion_tag("components/cell.html", takes_context=True)
def cell(context: Context, value: Cell) -> dict[str, Any]:
    sort = "text"
    if isinstance(value, bool):
        value = "yes" if value else "no"
    elif isinstance(value, int):
        value = f"{value:,}"
    for name, classes in (
        ("marking", Marking),
        ("state", State),
        ("link", Link),
        ("code", Code),
        ("when", date),
    ):
        if isinstance(value, classes):
            sort = name
    return {"value": value, "sort": sort, "now": context.get("now")}


@register.inclusion_tag("components/summary.html", takes_context=True)
def summary(context: Context, pairs: Iterable[tuple[str, Cell]]) -> dict[str, Any]:
    return {"pairs": list(pairs), "now": context.get("now")}


@register.inclusion_tag("components/table.html", takes_context=True)
def table(context: Context, table: Table) -> dict[str, Any]:
    columns = [cells.Column(c) if isinstance(c, str) else c for c in table.columns]
    rows = [list(zip(columns, row, strict=True)) for row in table.rows]
    return {"table": table, "columns": columns, "rows": rows, "now": context.get("now")}


@register.inclusion_tag("components/steps.html", takes_context=True)
def steps(context: Context, items: Iterable[Step]) -> dict[str, Any]:
    shown = [(item, _ICON_OF_KIND[item.kind]) for item in items]
    return {"items": shown, "now": context.get("now")}


@register.inclusion_tag("components/intervals.html")
def intervals(
    items: Sequence[Interval], caption: str, first: str = "Subject", what: str = "Share"
) -> dict[str, Any]:
    rows = [
        {
            "item": item,
            "x": f"{100 * item.value:.1f}",
            "low": f"{100 * item.low:.1f}",
            "width": f"{100 * max(item.high - item.low, 0.004):.1f}",
            "text": f"{item.value:.0%}",
            "range": f"{100 * item.low:.0f} to {100 * item.high:.0f}%",
        }
        for item in items
    ]
    return {"rows": rows, "caption": caption, "first": first, "what": what}


@register.inclusion_tag("components/progress.html")
def progress(value: int, maximum: int, label: str) -> dict[str, Any]:
    return {"value": value, "maximum": maximum, "label": label}


@register.inclusion_tag("components/empty.html")
def empty(title: str, text: str, action: str = "", url: str = "") -> dict[str, Any]:
    return {"title": title, "text": text, "action": action, "url": url}


@register.inclusion_tag("components/breadcrumbs.html")
def breadcrumbs(trail: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"trail": trail}


@register.inclusion_tag("components/button.html")
def button(label: str, url: str, style: str = "primary") -> dict[str, Any]:
    return {"label": label, "url": url, "look": _LOOK_OF_BUTTON[style]}


@register.inclusion_tag("components/post.html", takes_context=True)
def post(context: Context, label: str, url: str, style: str = "primary") -> dict[str, Any]:
    look = _LOOK_OF_BUTTON[style]
    return {"label": label, "url": url, "look": look, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any]) -> dict[str, Any]:
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {"page": page, "numbers": list(numbers), "request": context.get("request")}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Show one form field with the class its widget needs."""
    widget = bound.field.widget
    many = bound.use_fieldset
    single_box = isinstance(widget, widgets.CheckboxInput)
    style = "usa-input"
    if many:
        style = "v-choices"
    elif single_box:
        style = "v-box"
    elif isinstance(widget, widgets.Textarea):
        style = "usa-textarea"
    elif isinstance(widget, widgets.Select):
        style = "usa-select"
    elif isinstance(widget, widgets.FileInput):
        style = "v-file"
    attrs: dict[str, str | bool] = {"class": f"{style} usa-input--error" if bound.errors else style}
    # allauth repeats the label as a placeholder; a visible label makes it noise
    if "placeholder" in widget.attrs:
        attrs["placeholder"] = ""
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attrs),
        "many": many,
        "box": single_box,
    }


@register.inclusion_tag("components/fields.html")
def fields(form: BaseForm) -> dict[str, Any]:
    return {"form": form}


@register.simple_block_tag
def card(content: SafeString, title: str, id: str = "") -> str:
    return render_to_string("components/card.html", {"title": title, "id": id, "body": content})


@register.simple_block_tag
def columns(content: SafeString) -> str:
    return render_to_string("components/columns.html", {"body": content})


@register.simple_block_tag
def alert(content: SafeString, kind: str, title: str = "") -> str:
    known = {**_LEVEL_TO_ALERT, "error": "error"}.get(kind, "info")
    context = {"kind": known, "icon_name": _ICON_OF_ALERT[known], "title": title, "body": content}
    return render_to_string("components/alert.html", context)


@register.simple_block_tag
def pagehead(
    content: SafeString,
    title: str,
    kicker: str = "",
    state: State | None = None,
    marking: Marking | None = None,
) -> str:
    context = {"title": title, "kicker": kicker, "state": state, "marking": marking}
    return render_to_string("components/pagehead.html", {**context, "lede": content})


@register.simple_block_tag
def live(content: SafeString, url: str, running: bool) -> str:
    context = {"url": url, "running": running, "body": content}
    return render_to_string("components/live.html", context)
