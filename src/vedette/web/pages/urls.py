"""The addresses of the pages."""

from __future__ import annotations

from django.urls import path

from vedette.web.pages import home, ledger, messages, people, welcome

urlpatterns = [
    path("", home.overview, name="overview"),
    path("organisation/", home.choose_organisation, name="choose-organisation"),
    path("welcome/<str:code>/", welcome.welcome, name="welcome"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("messages/", messages.messages, name="messages"),
    path("messages/<str:message_id>/", messages.message, name="message"),
    path("people/", people.members, name="people"),
]
