"""Publications between the sides: shown, marked, settled, out; silence; a silent exit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services.flow import LabStory, OfficeStory, act_of, events, move

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.services import publications
from vedette.services.here import use
from vedette.services.testing import Fixture
from vedette.store.models import Act, InMessage, Publication
from vedette.store.tenancy import SYSTEM, scoped

TEXT = "The model found eleven flaws. Its scaffold is named Heron. Prompts were in English."
MARK = {"passage": "named Heron", "reason": "trade-secret", "words": "The name is not public."}


def state_of(publication_id: str) -> str:
    with scoped(SYSTEM):
        return str(Publication.objects.get(id=publication_id).state)


def shown_to_lab(story: LabStory, act_id: str, **changes: Any) -> str:
    text = changes.pop("text", TEXT)
    body = {
        "publication": new_id("publication"),
        "act": act_id,
        "form": "summary",
        "title": "Summary",
        "text": text,
        "digest": digest(text.encode()),
        **changes,
    }
    story.office.send("publication.shown", body, thread=act_id)
    return str(body["publication"])


def test_the_office_shows_the_lab_marks_and_both_views_go_out(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    made = publications.show_draft(story.officer, act_id, "summary", "Summary", TEXT)
    (shown,) = story.lab.received("publication.shown")
    assert shown.body["text"] == TEXT
    with pytest.raises(Refused, match="no move"):
        publications.publish(story.officer, made.id)
    with pytest.raises(Refused, match="not settled"):
        publications.publication_file(story.officer, made.id)
    about = {"publication": made.id}
    story.lab.send("publication.marked", {**about, "marks": [MARK]}, thread=act_id)
    assert state_of(made.id) == "marked"
    with pytest.raises(BadInput, match="why you disagree"):
        publications.settle_marks(story.officer, made.id, [{"agrees": False}])
    views = [{"agrees": False, "view": "It is in their paper."}]
    publications.settle_marks(story.officer, made.id, views)
    out = publications.publish(story.officer, made.id)
    assert "Heron" not in out.document["text"]
    file = publications.publication_file(story.officer, made.id)
    assert "Heron" not in file
    assert "[left out: A secret of trade]" in file
    left = "1. (TLP:CLEAR) A secret of trade. The author disagrees. It is in their paper."
    assert left in file
    assert file.count("**TLP:CLEAR**") == 2, "published: at top and bottom"
    assert out.document["left_out"][0]["author_view"] == "It is in their paper."
    assert story.lab.received("publication.settled")[0].body["views"] == views
    assert story.lab.received("publication.published")[0].body["document"] == out.document
    assert [e for e in events() if e.startswith("publication")] == [
        "publication:draft:shown",
        "publication:draft:marked",
        "publication:draft:settled",
        "publication:text:published",
    ]


def test_silence_means_seen_and_nothing_else(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    made = publications.show_draft(story.officer, act_id, "summary", "Summary", TEXT)
    before = act_of(act_id)
    move(office, made.seen_by - timedelta(seconds=1))
    assert state_of(made.id) == "shown"
    move(office, made.seen_by)
    assert state_of(made.id) == "seen"
    publications.publish(story.officer, made.id)
    assert (act_of(act_id).opens, act_of(act_id).closes) == (before.opens, before.closes)
    late = {"publication": made.id, "marks": [MARK]}
    story.lab.send("publication.marked", late, thread=act_id)
    assert state_of(made.id) == "published", "marks that come too late are kept, and change nothing"
    view = publications.publication_view(story.officer, made.id)
    assert [mark["passage"] for mark in view["marks"]] == ["named Heron"]
    assert view["published"]["left_out"] == []


def test_a_silent_exit_leaves_no_word(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    made = publications.show_draft(story.officer, act_id, "summary", "Summary", TEXT)
    publications.leave_publication(story.officer, made.id)
    assert state_of(made.id) == "left"
    assert story.lab.received("publication.left")[0].body == {"publication": made.id}
    assert act_of(act_id).state == "accepted"
    again = publications.show_draft(story.officer, act_id, "summary", "Summary", TEXT)
    assert state_of(again.id) == "shown", "another can be shown at any time"


def test_the_lab_marks_with_reasons_and_learns_what_became_of_it(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    made = shown_to_lab(story, act_id)
    for wrong in ({"reason": "embarrassing"}, {"passage": "nowhere"}, {"words": ""}):
        with pytest.raises(BadInput, match="marks"):
            publications.mark_draft(story.lead, made, [{**MARK, **wrong}])
    publications.mark_draft(story.lead, made, [MARK])
    with pytest.raises(Refused):
        publications.mark_draft(story.lead, made, [MARK])
    with pytest.raises(Refused, match="its author's"):
        publications.publish(story.lead, made)
    document = {"title": "Summary", "text": "…", "left_out": []}
    body = {"publication": made, "document": document, "digest": digest(canonical(document))}
    views = {"publication": made, "views": [{"agrees": True, "view": ""}]}
    story.office.send("publication.published", body, thread=act_id)
    story.office.send("publication.settled", views, thread=act_id)
    view = publications.publication_view(story.lead, made)
    assert (view["state"], view["marks"][0]["agrees"]) == ("published", True)


def test_seen_with_nothing_to_leave_out(lab: Fixture) -> None:
    story = LabStory.start(lab)
    made = shown_to_lab(story, story.signed())
    publications.mark_draft(story.lead, made)
    assert state_of(made) == "seen"
    assert story.office.received("publication.marked")[0].body["marks"] == []


def test_forged_and_reordered_messages(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    shown_to_lab(story, act_id, digest="sha256:" + "0" * 64)
    shown_to_lab(story, act_id, form="assessment")
    later = new_id("publication")
    story.office.send("publication.left", {"publication": later}, thread=act_id)
    mine = publications.show_draft(story.lead, act_id, "summary", "Ours", TEXT)
    story.office.send("publication.left", {"publication": mine.id}, thread=act_id)
    with scoped(SYSTEM):
        aside = [m.reason for m in InMessage.objects.filter(state="set-aside").order_by("pk")]
        waiting = InMessage.objects.get(state="waiting").reason
    assert "digest is not that of the draft" in aside[0]
    assert "the office publishes summary" in aside[1]
    assert "not for that side" in aside[2]
    assert "has not arrived" in waiting
    shown_to_lab(story, act_id, publication=later)
    assert state_of(later) == "left"
    assert state_of(mine.id) == "shown"


def test_who_may(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    with pytest.raises(Refused, match="no terms"):
        publications.show_draft(story.lead, act_id, "summary", "T", TEXT)
    made = shown_to_lab(story, story.signed())
    with pytest.raises(Forbidden):
        publications.mark_draft(lab.person("compliance"), made)
    guest = lab.person("administrator", lab.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        publications.mark_draft(guest, made)
    with pytest.raises(NotFound):
        publications.publication_view(guest, made)
    with pytest.raises(Forbidden):
        publications.publications(lab.person("auditor"))
    assert publications.publications(lab.person("reader"))[0]["id"] == made


def test_a_file_bears_its_marking_before_it_is_public_and_a_classified_one_its_block(
    office: Fixture,
) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    made = publications.show_draft(story.officer, act_id, "summary", "Summary", TEXT)
    story.lab.send("publication.marked", {"publication": made.id, "marks": []}, thread=act_id)
    file = publications.publication_file(story.officer, made.id)
    mark = made.marking
    assert file.startswith(f"**{mark}**\n\n# ({mark}) Summary")
    assert f"({mark}) {TEXT[:20]}" in file
    publications.publish(story.officer, made.id)
    secret = "SECRET//TLP:RED"
    with scoped(SYSTEM):
        Publication.objects.update(marking=secret)
        Act.objects.filter(id=act_id).update(marking=secret, declassify="20510101")
    raised = replace(office.here, ceiling=Marking.parse(secret))
    with use(raised), pytest.raises(Refused, match="classified_by"):
        publications.publication_file(story.officer, made.id)
    with use(replace(raised, classified_by="A. Officer, Chief")):
        file = publications.publication_file(story.officer, made.id)
    assert file.count(f"**{secret}**") == 2, "publishing lifts no classification"
    for line in (
        "(S//TLP:RED)",
        "- Classified By: A. Officer, Chief",
        f"- Derived From: Act {act_id}",
        "- Declassify On: 20510101",
    ):
        assert line in file
