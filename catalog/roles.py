"""Settings of who uses the monitor, and what they may do there."""

from typing import Literal, get_args

from pydantic import BaseModel, Field, field_validator

Role = Literal["viewer", "manager", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""The least first: each may do what those before it may."""


class People(BaseModel):
    """Who uses the monitor: one local admin, or people whom a reverse proxy signs in."""

    user_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
        validation_alias="SHELFPRICE_USER_HEADER",
        description="header in which a reverse proxy names who uses the monitor, such as `X-Forwarded-User`; without "
        "one, everyone who opens it is the local admin",
    )
    roles: tuple[tuple[str, Role], ...] = Field(
        default=(),
        validation_alias="SHELFPRICE_ROLES",
        description="what the people in that header may do, such as `anna=manager,ben=admin,*=viewer`; others are "
        "viewers",
        json_schema_extra={"default_in_words": "none"},
    )

    @field_validator("roles", mode="before")
    @classmethod
    def _is_of_pairs(cls, text: object) -> object:
        return roles_of(text) if isinstance(text, str) else text


def roles_of(text: str) -> tuple[tuple[str, Role], ...]:
    """Read who is what from `name=role` pairs between commas; `*` is everybody else.

    Raises
    ------
    ValueError
        When a pair is none, or its role is unknown.
    """
    found: list[tuple[str, Role]] = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, given = (part.strip() for part in pair.rpartition("="))
        role = next((role for role in ROLES if role == given), None)
        if not name or role is None:
            raise ValueError(f"expected pairs such as anna=manager with {', '.join(ROLES)}, found {pair!r}")
        found.append((name, role))
    return tuple(found)
