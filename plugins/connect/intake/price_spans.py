"""The spans of a store's day in which one price of ours stood for a product.

What stood is what the till charged: the price that it acknowledged last, or, where it never says anything, the one
that it was sent. For a till that is behind, a sale at the price that was sent last is as good as an acknowledgement.
One that says nothing is believed to follow: otherwise a raised price that sold nothing would pass for the old one. The
clocks of till, label and machine are taken as they are.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from plugins.connect.labels.batch import Acknowledgement, SentPrice

_SAME = 1e-6  # EUR, of decimals kept as binary


@dataclass(frozen=True)
class PriceSpan:
    """A span of one price.

    Attributes
    ----------
    starts_at, ends_at
        UTC, from one moment to before the other.
    price
        Price of ours that the till charged, EUR; None where none was released.
    batch
        Id of the newest batch with the product when the span began; None before one.
    label_price
        Price that the label had acknowledged, EUR; None where it said nothing.
    is_acknowledged
        Whether till and label had both said that they show the price.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    price: float | None
    batch: str | None
    label_price: float | None
    is_acknowledged: bool

    @property
    def minutes(self) -> float:
        """Length, minutes."""
        return (self.ends_at - self.starts_at).total_seconds() / 60


@dataclass(frozen=True)
class StatedPrice:
    """A price, EUR, from a moment on: one that was sent, or that a device said or showed by what it charged.

    Attributes
    ----------
    batch
        Id of the batch that it was sent with; None of what a device said.
    is_said
        Whether a device said so itself.
    """

    since: dt.datetime
    price: float
    batch: str | None = None
    is_said: bool = True


def is_same(price: float, other: float) -> bool:
    """Tell whether two prices, EUR, are the same one."""
    return abs(price - other) < _SAME


def sent_since(sent: SentPrice, batch: str, recorded_at: dt.datetime) -> StatedPrice:
    """Return a price with the moment from which it was to be shown: not before the batch was made."""
    return StatedPrice(max(sent.price.valid_from, recorded_at), sent.price.till_price, batch)


def stated_by(acknowledgements: Sequence[Acknowledgement], device: str) -> list[StatedPrice]:
    """Return what a device of one product said that it shows, in order of time."""
    acks = (ack for ack in acknowledgements if ack.device == device)
    return sorted(
        (StatedPrice(ack.said_at, ack.price) for ack in acks if ack.price is not None), key=lambda word: word.since
    )


def spans_of(
    opens: dt.datetime,
    closes: dt.datetime,
    sent: Sequence[StatedPrice],
    till: Sequence[StatedPrice],
    label: Sequence[StatedPrice],
    charged: Sequence[tuple[dt.datetime, float]],
) -> list[PriceSpan]:
    """Return the spans of a product's day in a store, in order; together they last from opening to closing.

    Parameters
    ----------
    sent, till, label
        What was sent, and what the devices said, each in order of time; from any time before the day.
    charged
        Time and price of what was sold, in order of time.
    """
    begins = min([opens, *(moment for moment, _ in charged[:1])])
    sent, till, label = _from(sent, begins), _from(till, begins), _from(label, begins)
    till = sorted([*till, *_followed(sent, till, charged)], key=lambda word: word.since)
    moments = [word.since for word in (*sent, *till, *label) if opens < word.since < closes]
    edges = sorted({opens, closes, *moments})
    spans: list[PriceSpan] = []
    for starts_at, ends_at in pairwise(edges):
        span = _span(starts_at, ends_at, sent, till, label)
        last = spans[-1] if spans else None
        if last is not None and _stands(last) == _stands(span):
            spans[-1] = replace(last, ends_at=ends_at)
        else:
            spans.append(span)
    return spans


def _followed(
    sent: Sequence[StatedPrice], till: Sequence[StatedPrice], charged: Sequence[tuple[dt.datetime, float]]
) -> list[StatedPrice]:
    """Return the moments at which a till that had not said so was seen to charge what it was sent last."""
    seen: list[StatedPrice] = []
    for moment, price in charged if sent and till else ():
        newest, shown = _last(sent, moment), _last(till, moment)
        if newest is None or shown is None or not is_same(newest.price, price):
            continue
        if seen and seen[-1].since > shown.since:
            shown = seen[-1]
        if not is_same(shown.price, price):
            seen.append(StatedPrice(moment, price, is_said=False))
    return seen


def _span(
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    sent: Sequence[StatedPrice],
    till: Sequence[StatedPrice],
    label: Sequence[StatedPrice],
) -> PriceSpan:
    newest, at_till, on_label = _last(sent, starts_at), _last(till, starts_at), _last(label, starts_at)
    price = None
    if newest is not None:
        price = newest.price if at_till is None else at_till.price
    label_price = None if on_label is None else on_label.price
    says_both = at_till is not None and at_till.is_said and label_price is not None
    is_acknowledged = says_both and price is not None and label_price is not None and is_same(price, label_price)
    return PriceSpan(starts_at, ends_at, price, None if newest is None else newest.batch, label_price, is_acknowledged)


def _stands(span: PriceSpan) -> tuple[object, ...]:
    return span.price, span.label_price, span.is_acknowledged


def _last(words: Sequence[StatedPrice], moment: dt.datetime) -> StatedPrice | None:
    """Return the newest word at a moment."""
    place = bisect_right(words, moment, key=lambda word: word.since)
    return words[place - 1] if place else None


def _from(words: Sequence[StatedPrice], moment: dt.datetime) -> list[StatedPrice]:
    """Return what holds at a moment, and what came after it."""
    before = _last(words, moment)
    return [*([] if before is None else [before]), *(word for word in words if word.since > moment)]
