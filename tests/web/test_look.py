"""The portal's look: templates compile, assets are there and our own, the stylesheet is fresh."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import get_template

from vedette.kernel.clock import written
from vedette.kernel.markings import AMBER_STRICT, Marking
from vedette.web.cells import Code, Column, Interval, Link, State, Step, Table, countdown

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "src/vedette/web"
TEMPLATES = WEB / "templates"
STATIC = WEB / "static/vedette"
LOOK = ROOT / "look"
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.any_database
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))


def render(source: str, **context: Any) -> str:
    return Template("{% load vedette %}" + source).render(Context(context))


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", NAMES)
def test_template_fits_the_content_policy(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    assert not re.search(r"https?://|[\"'(]//\w", text), "loads something from elsewhere"
    assert not re.search(r"\sstyle\s*=|<style", text), "inline style"
    assert not re.search(r"\son\w+\s*=|hx-on|javascript:", text), "inline handler"
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag, f"inline script {tag}"


@pytest.mark.parametrize("name", NAMES)
def test_static_files_of_a_template_exist(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    for path in re.findall(r"{% static '([^']+)' %}", text):
        assert finders.find(path), path
    symbols = set(re.findall(r'id="(\w+)"', (STATIC / "icons.svg").read_text("utf-8")))
    assert set(re.findall(r'{% icon "(\w+)"', text)) <= symbols


def test_stylesheet_is_built_from_the_present_sources() -> None:
    digest = hashlib.sha256()
    sources = ["build.mjs", "package.json"]
    sources += [f"src/{path.name}" for path in (LOOK / "src").iterdir()]
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + (LOOK / name).read_bytes())
    css = (STATIC / "vedette.css").read_text("utf-8")
    assert css.endswith(f"/* sources {digest.hexdigest()} */\n"), "run npm run build in look/"


def test_stylesheet_loads_only_what_is_here() -> None:
    css = (STATIC / "vedette.css").read_text("utf-8")
    addresses = re.findall(r"url\([\"']?([^\"')]*)", css)
    assert addresses
    for address in addresses:
        assert (STATIC / address).is_file(), address
    assert "http" not in re.sub(r"/\*.*?\*/", "", css, flags=re.S)


def test_classes_of_our_components_are_styled() -> None:
    css = (STATIC / "vedette.css").read_text("utf-8")
    used = set()
    for name in NAMES:
        for value in re.findall(r'class="([^"{]*)', (TEMPLATES / name).read_text("utf-8")):
            used |= {word for word in value.split() if word.startswith("v-") and word[-1] != "-"}
    assert {word for word in used if f".{word}" not in css} <= {"v-live", "v-messages"}


def test_assets_stay_small_and_have_their_notices() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) < 600_000
    notice = (STATIC / "NOTICE").read_text("utf-8")
    for part in ("vedette.css", "htmx.min.js", "PublicSans", "roboto-mono", "img/", "OFL.txt"):
        assert part in notice


def test_lock_file_names_no_index_host() -> None:
    lock = (LOOK / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert "://" not in lock, "run npm run lock in look/"


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(days=29, hours=3), "in 29 days"),
        (timedelta(hours=5, minutes=12), "in 5 h 12 min"),
        (timedelta(hours=47), "in 47 h"),
        (timedelta(minutes=12), "in 12 min"),
        (timedelta(seconds=30), "now"),
        (timedelta(days=-3), "3 days ago"),
    ],
)
def test_countdown(distance: timedelta, text: str) -> None:
    assert countdown(NOW + distance, NOW) == text


def test_times_are_written_in_utc_and_in_the_local_hour_on_request() -> None:
    assert written(NOW) == "1 Dec 2026, 09:00 UTC"
    assert written(date(2026, 12, 1)) == "1 Dec 2026"
    text = render('{% when t relative=True zone="America/Chicago" %}', t=NOW, now=NOW)
    assert 'datetime="2026-12-01T09:00:00Z"' in text
    assert "03:00 America/Chicago" in text


@pytest.mark.parametrize(
    ("marking", "colour"),
    [
        ("TLP:RED", "red"),
        ("TLP:AMBER+STRICT", "amber"),
        ("TLP:GREEN", "green"),
        ("TLP:CLEAR", "clear"),
        ("SECRET//ALPHA//TLP:RED", "red"),
    ],
)
def test_marking_has_its_colour_and_its_full_text(marking: str, colour: str) -> None:
    text = render("{% marking m %}", m=Marking.parse(marking))
    assert f"v-marking--{colour}" in text
    assert marking in text


def test_page_carries_its_marking_at_top_and_bottom() -> None:
    page = get_template("base.html")
    assert page.render({"page_marking": AMBER_STRICT}).count("TLP:AMBER+STRICT") == 2
    assert "v-banner" not in page.render({})


def test_every_kind_of_cell_is_escaped_and_shown() -> None:
    hostile = "<script>x</script>"
    row = [hostile, Link(hostile, "/a"), State(hostile, "done"), Code(hostile), 1204, None]
    table = Table(hostile, ["a", "b", "c", "d", Column("e", numeric=True), "f"], [row])
    text = render("{% table t %}{% summary p %}", t=table, p=[(hostile, value) for value in row])
    assert "<script>" not in text
    assert text.count("&lt;script&gt;") >= 8
    assert "1,204" in text


def test_table_without_rows_says_so() -> None:
    table = Table("Offers", ["Offer"], [], empty="No offers yet.")
    assert "No offers yet." in render("{% table t %}", t=table)


def test_row_of_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        render("{% table t %}", t=Table("Offers", ["Offer"], [["a", "b"]]))


def test_block_components_escape_values_and_keep_markup() -> None:
    text = render(
        '{% card t %}<p>{{ t }}</p>{% endcard %}{% alert "error" t %}{{ t }}{% endalert %}'
        "{% pagehead t kicker=t %}{{ t }}{% endpagehead %}",
        t="<b>",
    )
    assert "<b>" not in text
    assert "<p>&lt;b&gt;</p>" in text
    assert 'role="alert"' in text


def test_live_region_polls_only_while_running() -> None:
    source = '{% live "/runs/1/progress" r %}{% progress 3 9 "Samples" %}{% endlive %}'
    assert 'hx-get="/runs/1/progress"' in render(source, r=True)
    assert "hx-get" not in render(source, r=False)


def test_field_links_hint_and_error_to_its_control() -> None:
    class Sample(forms.Form):
        name = forms.CharField(help_text="As written.")
        level = forms.ChoiceField(choices=[("1", "AL1")], widget=forms.RadioSelect)
        agree = forms.BooleanField()

    text = render("{% fields f %}", f=Sample({}))
    assert 'aria-describedby="id_name_helptext id_name_error"' in text
    assert 'id="id_name_helptext"' in text
    assert 'id="id_name_error"' in text
    assert 'aria-invalid="true"' in text
    assert "<legend" in text
    assert 'href="#id_agree"' in text


def test_steps_intervals_pages_and_small_parts_render() -> None:
    text = render(
        '{% steps s %}{% intervals i "Share" %}{% pagination p %}'
        '{% empty "None" "Begin." "Go" "/g" %}'
        '{% breadcrumbs b %}{% post "Send" "/s" "outline" %}{% button "Edit" "/e" "quiet" %}',
        s=[Step("Opens", "active", NOW, marking=AMBER_STRICT)],
        i=[Interval("model", 0.5, 0.4, 0.6)],
        p=Paginator(range(100), 10).get_page(3),
        b=[("Overview", "/"), ("Offer", "")],
        now=NOW,
    )
    for part in ('cx="50.0%"', "?page=4", 'aria-current="page"', 'method="post"', 'href="/g"'):
        assert part in text
