"""Who asks, and what they may do: one local admin, or people whom a reverse proxy names in a header.

The proxy signs people in and sets the header on every request, in place of any that a browser sent. Roles are given in
the settings: a viewer looks, a manager decides about prices and sells stores live, an admin may also turn the kill
switch on for every store, and off again.
"""

from dataclasses import dataclass

from flask import has_request_context, request

from catalog.errors import Declined
from catalog.settings import ROLES, Role, Settings

_NOBODY = "nobody"
_LONGEST = 200


@dataclass(frozen=True)
class Person:
    """Who asks, and in which role."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Tell whether the person may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def person_asking(settings: Settings) -> Person:
    """Return who asks in the request at hand."""
    if settings.user_header is None or not has_request_context():
        return Person(settings.user, "admin")
    name = _as_text(request.headers.get(settings.user_header, "")).strip()[:_LONGEST] or _NOBODY
    roles = dict(settings.roles)
    return Person(name, roles.get(name, roles.get("*", "viewer")) if name != _NOBODY else "viewer")


def _as_text(header: str) -> str:
    """Return a header as its proxy wrote it: servers take its bytes for Latin-1, and proxies write UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def allowed(settings: Settings, role: Role) -> str:
    """Return the name of who asks, who may do what a role may.

    Raises
    ------
    Declined
        When they may not.
    """
    person = person_asking(settings)
    if not person.may(role):
        raise Declined(
            f"expected a person who is {role}, found {person.name}, who is {person.role}; nothing was changed: "
            "SHELFPRICE_ROLES says who is what"
        )
    return person.name


def refusal(settings: Settings, role: Role) -> str | None:
    """Return why who asks may not do what a role may; None when they may."""
    try:
        allowed(settings, role)
    except Declined as error:
        return str(error)
    return None
