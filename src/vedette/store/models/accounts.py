"""Organisations, persons and what lets them in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy, unscoped

BEFORE_SIGN_IN = "read while somebody signs in, before a scope exists"


class Organisation(Table):
    """One party on this instance; `host` is the one whose instance it is."""

    tenancy = Tenancy(owner="id", host=True)

    id = columns.random_key("org")
    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    sector = columns.text(100)
    small = models.BooleanField(default=False)
    email = columns.text(254)
    host = models.BooleanField(default=False)
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, name: str = "", password: str | None = None) -> Person:
        person = self.model(email=self.normalize_email(email).lower(), name=name)
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser, Table):
    """Somebody who signs in; belongs to organisations through memberships."""

    tenancy = unscoped(BEFORE_SIGN_IN)

    email = models.EmailField(unique=True)
    name = columns.text(200)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[Any] = PersonManager()

    def __str__(self) -> str:
        return self.name or self.email


class Membership(Table):
    """What a person may do in one organisation."""

    tenancy = unscoped(BEFORE_SIGN_IN)

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    org = columns.owner("memberships")
    role = models.CharField(max_length=40)
    marking = columns.marking("TLP:RED")

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["person", "org"], name="one_membership_an_organisation")
        ]


class Invitation(Table):
    """A one-time link; only its digest is kept."""

    tenancy = unscoped(BEFORE_SIGN_IN)

    digest = models.CharField(max_length=71, unique=True)
    email = models.EmailField()
    org = columns.owner()
    role = models.CharField(max_length=40)
    expires_at = models.DateTimeField()
    used_at = columns.moment()


class ApiToken(Table):
    """A bearer token of one person in one organisation; only its digest is kept."""

    tenancy = unscoped(BEFORE_SIGN_IN)

    digest = models.CharField(max_length=71, unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    label = columns.text(100)
    permissions = models.JSONField(null=True, blank=True)
    made_at = models.DateTimeField()
    ended_at = columns.moment()
