"""What prices a date: a policy, and the facts from which anybody can tell whether the same one would price it again."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from catalog.pricing import Policy


@dataclass(frozen=True)
class PricedBy:
    """A policy, the fingerprint of what it is made of, and the price book it reads, if any: its date and SHA-256.

    `orders_sha256` tells what people ordered; None where they ordered nothing. `orders_at_once` are, by store, ids of
    orders that bind the date although they count from a later moment.
    """

    policy: Policy
    fingerprint: str
    book_made_for: dt.date | None = None
    book_sha256: str | None = None
    orders_sha256: str | None = None
    orders_at_once: Mapping[str, Collection[str]] = field(default_factory=dict)
