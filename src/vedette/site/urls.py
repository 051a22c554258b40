"""Every address of an instance."""

from __future__ import annotations

from django.urls import include, path, re_path

from vedette.web import index, private
from vedette.web.api.docs import docs, unknown
from vedette.web.api.routers import api
from vedette.web.exchange import attachment, batch, chunk, inbox
from vedette.web.health import healthz, metrics, readyz
from vedette.web.pages import urls as pages

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("exchange/v1/attachments/<str:attachment_id>", attachment),
    path("exchange/v1/attachments/<str:attachment_id>/<int:number>", chunk),
    path("exchange/v1/batch", batch),
    path("exchange/v1/inbox", inbox),
    path("exchange/v1/private", private.ask),
    path("index/v1/latest", index.latest),
    path("index/v1/<str:digest>", index.content),
    path("api/v1/docs", docs, name="api-docs"),
    path("api/v1/", unknown),
    path("api/v1/", api.urls),
    re_path("^api/", unknown),
    path("proxy/", include("vedette.web.proxy.urls")),
    path("accounts/", include("allauth.urls")),
    *pages.urlpatterns,
]
