"""The addresses of the proxy."""

from __future__ import annotations

from django.urls import path

from vedette.web.proxy import views
from vedette.web.proxy.dialects import ROUTES

urlpatterns = [
    *(path(f"v1/{route.path}", views.call, {"route": route}) for route in ROUTES),
    path("v1/alive", views.alive, name="proxy-alive"),
    path("v1/models", views.models, name="proxy-models"),
]
