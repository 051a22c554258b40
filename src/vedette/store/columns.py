"""Columns that many tables share."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import models

from vedette.kernel.ids import new_id
from vedette.store.sealing import SealedField


def random_key(prefix: str) -> Any:
    """A random public id as primary key."""
    return models.CharField(
        primary_key=True, max_length=40, default=partial(new_id, prefix), editable=False
    )


def owner(related: str = "+") -> Any:
    """The owning organisation; its rows outlive no organisation."""
    return models.ForeignKey("store.Organisation", on_delete=models.PROTECT, related_name=related)


def unsearched_owner() -> Any:
    """The owning organisation of a table of very many rows, which no query looks up by it."""
    return models.ForeignKey(
        "store.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )


def text(limit: int = 300, **options: Any) -> Any:
    return models.CharField(max_length=limit, blank=True, default="", **options)


def long_text() -> Any:
    return models.TextField(blank=True, default="")


def document(**options: Any) -> Any:
    return models.JSONField(default=dict, blank=True, **options)


def marking(default: str = "TLP:RED") -> Any:
    return models.CharField(max_length=200, default=default)


def moment(**options: Any) -> Any:
    return models.DateTimeField(null=True, blank=True, **options)


def sealed_text(bound: str = "act_id") -> Any:
    """Text from the other side of an act, sealed under that act's key (see `store.sealing`)."""
    return SealedField(bound=bound)


def sealed_document(bound: str = "act_id", **options: Any) -> Any:
    """JSON from the other side of an act, or about it, sealed under that act's key."""
    return SealedField(bound=bound, document=True, **options)
