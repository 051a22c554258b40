"""The pages and API calls of publications, on either side."""

from __future__ import annotations

from django.test import Client
from tests.services.flow import PERSON, LabStory, OfficeStory
from tests.services.test_publications import MARK, TEXT, shown_to_lab
from tests.web.test_api import Api
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.services.testing import Fixture


def test_the_office_shows_settles_and_publishes(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act, eve = story.signed(), visitor(office, "evaluator", email=PERSON)
    at = f"/acts/{act}/publications/"
    given = {"form": "summary", "title": "What <we> found", "text": TEXT}
    assert "not accepted version 1" in refused(eve, at, **given)
    send(eve, f"/acts/{act}/terms/accept/", read="on")
    shown = send(eve, at, **given)
    assert eve.get(f"{shown}marks/").headers["Location"] == shown, "nothing is marked yet"
    assert "What &lt;we&gt; found" in read(eve, "/publications/")
    about = {"publication": shown.split("/")[2], "marks": [MARK]}
    story.lab.send("publication.marked", about, thread=act)
    page = read(eve, shown)
    assert "Its scaffold is [left out: A secret of trade]." in page
    assert "The name is not public." in read(eve, f"{shown}marks/")
    text = refused(eve, f"{shown}marks/", **{"agrees-1": "no"})
    assert "why you disagree" in text
    send(eve, f"{shown}marks/", **{"agrees-1": "no", "view-1": "It is in their paper."})
    send(eve, f"{shown}do/publish/")
    page = read(eve, shown)
    assert "It went out as below" in page
    assert "the author disagrees: It is in their paper." in page
    assert eve.post(f"{shown}do/leave/").status_code == 409


def test_the_lab_marks_or_leaves_it(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act, lead = story.signed(), visitor(lab, "release-lead")
    made = shown_to_lab(story, act)
    at = f"/publications/{made}/marks/"
    assert read(lead, at).count('name="passage-') == 5
    more = lead.post(at, {"passage-5": "eleven flaws", "more": "1"}).content.decode()
    assert more.count('name="passage-') == 10, "as many as one needs"
    assert ">eleven flaws</textarea>" in "".join(more.split("\n")), "what was written stays"
    wrong = {"passage-1": "nowhere", "reason-1": "trade-secret", "words-1": "x"}
    assert "not in the draft word for word" in refused(lead, at, **wrong)
    send(lead, at, **{**wrong, "passage-1": "named Heron"})
    assert "The author has not said" in read(lead, f"/publications/{made}/")
    seen = shown_to_lab(story, act)
    send(lead, f"/publications/{seen}/marks/")
    assert "seen" in read(lead, f"/publications/{seen}/")


def test_who_gets_in(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.signed()
    made = shown_to_lab(story, act)
    reader, other = visitor(lab, "reader"), stranger(lab, "partner")
    assert "Heron" in read(reader, f"/publications/{made}/")
    for url in (f"/publications/{made}/marks/", f"/acts/{act}/publications/"):
        assert reader.get(url).status_code == 403, url
        assert other.get(url).status_code == 404, url
        assert Client().get(url).status_code == 302, url
    assert other.get(f"/publications/{made}/").status_code == 404
    assert reader.get(f"/publications/{made}/do/publish/").status_code == 405


def test_the_api_of_publications(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.signed()
    made = shown_to_lab(story, act)
    lead = Api.of("release-lead")
    assert [row["id"] for row in lead.get("/publications", act=act).json()] == [made]
    marked = lead.post(f"/publications/{made}/marks", {"marks": [MARK]}).json()
    assert marked["state"] == "marked"
    ours = lead.post(
        f"/acts/{act}/publications", {"form": "summary", "title": "Ours", "text": TEXT}
    ).json()
    assert lead.post(f"/publications/{ours['id']}/publish", {}).status_code == 409
    assert lead.post(f"/publications/{ours['id']}/leave", {}).json()["state"] == "left"
