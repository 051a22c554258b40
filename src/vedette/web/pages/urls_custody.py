"""The addresses of custody, of seconds, and of the reading log."""

from __future__ import annotations

from django.urls import path

from vedette.web.pages import custody, holds, readings, seconds

urlpatterns = [
    path("custody/", custody.custodies, name="custodies"),
    path("custody/holds/<str:hold_id>/", holds.lift, name="hold-lift"),
    path("custody/<str:act_id>/", custody.custody, name="custody"),
    path("custody/<str:act_id>/ask/", custody.ask, name="custody-ask"),
    path("custody/<str:act_id>/certificate/", custody.certificate, name="certificate"),
    path("custody/<str:act_id>/destroy/", custody.destroy, name="custody-destroy"),
    path("custody/<str:act_id>/export/", custody.export, name="custody-export"),
    path("custody/<str:act_id>/hold/", holds.hold, name="custody-hold"),
    path("custody/<str:act_id>/list/", custody.tell, name="custody-list"),
    path("readings/", readings.readings, name="readings"),
    path("readings/alerts/<str:alert_id>/", readings.alert, name="alert"),
    path("seconds/", seconds.seconds, name="seconds"),
    path("seconds/<str:second_id>/back/", seconds.take_back, name="second-back"),
    path("seconds/<str:second_id>/code/", seconds.with_code, name="second-code"),
    path("seconds/<str:second_id>/do/", seconds.second, name="second-do"),
    path("seconds/<str:second_id>/given/", seconds.given, name="second-given"),
]
