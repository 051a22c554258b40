"""Who is asking: the one way from a request to an `Actor`, and the one decorator of pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vedette.kernel.errors import Forbidden, NotFound
from vedette.kernel.permissions import Permission
from vedette.services.accounts import actor_of
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.web.pages.navigation import stands_here

ORG_KEY = "vedette_org"


class SignedIn(HttpRequest):
    """A request with its actor."""

    actor: Actor


def actor_for(request: HttpRequest) -> Actor:
    """The signed-in person in the organisation chosen for this session."""
    person: Any = request.user
    actor = actor_of(person, request.session.get(ORG_KEY, "")) or actor_of(person)
    if actor is None:
        raise Forbidden(
            "you belong to no organisation on this instance",
            next_step="ask who invited you for a link",
        )
    return actor


View = Callable[..., HttpResponseBase]


def page(permission: Permission | None = None) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """A page for signed-in people; rendered wholly under their scope.

    Someone without `permission` gets 403; what is not theirs to know raises NotFound (404), as
    does what an instance of another profile has.
    Acts that a view calls open their own transactions.
    """

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def wrapped(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not stands_here(here().profile, request.path):
                raise NotFound(f"{request.path}: no page of this instance")
            request.actor = actor_for(request)
            with reading(request.actor, permission):
                return view(request, *args, **kwargs)

        return wrapped

    return decorate
