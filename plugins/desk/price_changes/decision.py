"""What people decide about price changes: approve, reject, withdraw. Each is checked and recorded under one lock."""

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

from catalog.errors import DataError, Declined, did_you_mean
from catalog.load import Catalog
from flows.workspace import now_of
from plugins.desk.law.shown import with_prior_price
from plugins.desk.next_ticks import next_ticks
from plugins.desk.price_changes.change import (
    Event,
    EventName,
    PriceChange,
    Terms,
    counting_in,
    refuse_unless_may_follow,
    stores_of,
)
from plugins.desk.price_changes.conflicts import of_the_announcement
from plugins.desk.price_changes.proposals import proposals_on
from plugins.desk.price_changes.record import (
    LOCK,
    PATIENCE,
    all_changes,
    changes_by_people,
    changes_named,
    next_number,
    record,
)
from warehouse.commits.locks import held
from warehouse.lake import Lake
from warehouse.workspace import Workspace


def decide(
    workspace: Workspace, names: Sequence[str], event: EventName, by: str, reason: str | None = None
) -> list[PriceChange]:
    """Approve, reject or withdraw price changes, all or none, and return them; as `decide_each`."""
    return decide_each(workspace, dict.fromkeys(names, event), by, reason)


def decide_each(
    workspace: Workspace, decisions: Mapping[str, EventName], by: str, reason: str | None = None
) -> list[PriceChange]:
    """Decide on price changes, on each in its own way, as one action, all or none, and return them.

    A proposal whose approval somebody took back is proposed anew before it is approved, with an id of its own.

    Parameters
    ----------
    decisions
        What happens to each, by the ids of price changes.
    reason
        Why; by default the reason of each stays.

    Raises
    ------
    DataError
        When there is no such price change, or the reason is empty.
    Declined
        When one cannot be decided so, when its time is over, when the person who asked for it may not approve it, or
        when it was announced as a reduction and is none any more.
    """
    lake, catalog = workspace.lake, workspace.catalog
    if reason is not None and not reason.strip():
        raise DataError("expected a reason, found none; nothing was changed: say why in a sentence")
    with held(workspace.settings.locks, LOCK, PATIENCE):
        lake.finish_interrupted()
        by_id = {change.id: change for change in changes_named(lake, decisions)}
        chosen = [_named(lake, by_id, name) for name in decisions]
        stores = {store for change in chosen for store in stores_of(catalog, change.terms.store)}
        ticks = next_ticks(lake, catalog, stores, now_of(workspace))
        number, now, events, decided = next_number(lake), dt.datetime.now(dt.UTC), list[Event](), list[PriceChange]()
        for known_change, event in zip(chosen, decisions.values(), strict=True):
            change = known_change
            if event == "approved" and was_taken_back(change) and _is_newest(lake, catalog, change):
                change = _proposed_again(change, number, now)
                events.extend(change.events)
            ticks_of_stores = {store: ticks[store] for store in stores_of(catalog, change.terms.store)}
            moment, kept_on = min(ticks_of_stores.values()), change.events[0].kept_on
            _refuse_decision(catalog, change, event, by, moment)
            terms = change.terms if reason is None else replace(change.terms, reason=reason)
            if event == "approved" and terms.announced:
                terms = _announced_anew(lake, catalog, change.id, terms, moment)
            events.append(
                counting_in(Event(number, change.id, event, now, moment, by, terms, kept_on=kept_on), ticks_of_stores)
            )
            decided.append(replace(change, events=(*change.events, events[-1])))
        if events:
            record(lake, catalog, number, events)
    return decided


def was_taken_back(change: PriceChange) -> bool:
    """Tell whether a person took the approval of a proposed price back, so that it may be given again."""
    last = change.events[-1]
    return change.terms.kind == "price" and last.event == "withdrawn" and last.by != change.proposer


def _is_newest(lake: Lake, catalog: Catalog, change: PriceChange) -> bool:
    """Tell whether nothing newer was proposed for the product and store of a proposal."""
    date = catalog.store.clock_of(change.terms.store).date_of(change.terms.valid_from)
    return change.id in {newest.id for newest in proposals_on(lake, catalog, date).documents.values()}


def _proposed_again(change: PriceChange, number: int, now: dt.datetime) -> PriceChange:
    """Return a proposal anew: what a store sold in between stays as it was."""
    terms = change.events[0].terms
    name = f"p{number}.{terms.store}.{terms.sku}"
    return PriceChange(name, (Event(number, name, "proposed", now, terms.valid_from, change.proposer, terms),))


def _named(lake: Lake, price_changes: dict[str, PriceChange], name: str) -> PriceChange:
    if name not in price_changes:
        meant = did_you_mean(name, [change.id for change in all_changes(lake)])
        raise DataError(f"expected the id of a price change, found {name!r}; nothing was changed{meant}")
    return price_changes[name]


def _refuse_decision(catalog: Catalog, change: PriceChange, event: EventName, by: str, moment: dt.datetime) -> None:
    """Refuse an event that may not follow, comes after the end, or is not for this person to decide."""
    refuse_unless_may_follow(change.id, change.last, event)
    end = change.terms.valid_until
    if end is not None and moment >= end:
        ended = catalog.store.clock_of(change.terms.store).local(end)
        raise Declined(f"{change.id}: its time ended at {ended:%Y-%m-%d %H:%M}; nothing was changed")
    if event == "approved" and catalog.store.approval.by_another and _is_one_person(change.proposer, by):
        raise Declined(
            f"{change.id}: expected somebody else than {by} to approve it, since {by} asked for it; nothing was changed"
        )


def _announced_anew(lake: Lake, catalog: Catalog, change: str, terms: Terms, now: dt.datetime) -> Terms:
    """Return terms with the price that their announcement has to name by now: others were shown since it was asked for.

    Raises
    ------
    Declined
        When it was a reduction, and is none any more.
    """
    with_price = with_prior_price(lake, catalog, terms, max(terms.valid_from, now), changes_by_people(lake))
    if with_price.prior_price == terms.prior_price:
        return terms
    for sentence in of_the_announcement(with_price, catalog.store.money):
        raise Declined(f"{change}: {sentence}; nothing was changed: ask for it anew")
    return with_price


def _is_one_person(name: str, other: str) -> bool:
    """Tell whether two names are of one person, however a proxy or a keyboard writes them."""
    first_name, two = (" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in (name, other))
    return first_name == two
