"""The WSGI application that `vedette serve` runs."""

from vedette.site.boot import boot

boot()

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
