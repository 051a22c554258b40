"""The addresses of the proxy."""

from __future__ import annotations

from django.urls import path

from vedette.web.proxy import views

urlpatterns = [
    path("v1/chat/completions", views.completions, name="proxy-completions"),
    path("v1/models", views.models, name="proxy-models"),
]
