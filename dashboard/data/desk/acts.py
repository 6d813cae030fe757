"""What a person does at the desk. Each act is recorded under the name of who asks, and answers in a sentence."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from catalog.errors import DataError, Declined
from catalog.settings import Role
from dashboard.access import allowed
from dashboard.data.desk.drafts import PriceDraft, price_by, span_of
from dashboard.data.desk.people import named_by
from dashboard.data.desk.price_desk import PriceDesk, Sheet
from dashboard.data.desk.rows import Row
from dashboard.formats import day, euros, store_name, zone_named
from plugins.desk.price_changes.change import EventName, State, may_follow
from plugins.desk.price_changes.decision import decide, decide_each, was_taken_back
from plugins.desk.price_changes.propose import propose
from plugins.desk.price_changes.record import changes_named
from plugins.desk.price_changes.request import Dates, DeskAnswer, PriceRequest, ask, ask_all, span_of_days
from plugins.desk.price_sheets.lines import SheetLine, lines_of, record_lines
from serving.limits.orders import Kind

FOLLOWS = "The shelf follows at its next tick."
EVERY_PRICE_PASSES = (
    "Every price passes: store.yaml has no `approval`, so none waits. To set another price, edit it; to let large "
    "changes wait, write `approval: {within_of_yesterday: 0.1}` into store.yaml."
)


def approve(desk: PriceDesk, ids: Sequence[str], seen: Mapping[str, float]) -> str:
    """Approve what waits among the chosen prices, and what was rejected or taken back.

    Parameters
    ----------
    seen
        The proposed prices that somebody looked at, EUR by id, as far as they are known.

    Raises
    ------
    Declined
        When none of them waits, somebody else has to approve them, or other prices are proposed by now.
    """
    chosen = _recorded(desk, ids)
    anew = [row for row in chosen if seen.get(row.id, row.proposed) != row.proposed]
    if anew:
        raise Declined(
            f"{anew[0].title} is proposed at {euros(anew[0].proposed)} by now, and was at "
            f"{euros(seen[anew[0].id])} when you looked; nothing was approved: look again, then approve"
        )
    changes = [row.change for row in chosen if row.change is not None]
    names = [change.id for change in changes if may_follow(change.last, "approved") or was_taken_back(change)]
    if not names:
        raise Declined(f"none of the {_prices(len(chosen))} chosen waits; nothing was changed")
    decide(desk.workspace, names, "approved", _user(desk))
    others = len(chosen) - len(names)
    return f"{_prices(len(names))} approved{_not_among(others)}. {FOLLOWS}"


def turn_down(desk: PriceDesk, ids: Sequence[str], reason: str) -> str:
    """Reject the chosen prices that wait, and take back those that passed or were approved: the old prices stand.

    Raises
    ------
    Declined
        When the old price stands for all of them already, or one cannot be turned down any more; none is then.
    """
    chosen = _recorded(desk, ids)
    taken: dict[EventName, EventName] = {"proposed": "rejected", "approved": "withdrawn"}
    decisions = {
        row.change.id: taken[row.change.last] for row in chosen if row.change is not None and row.change.last in taken
    }
    done = len(decisions)
    if not done:
        raise Declined(f"the old prices of the {_prices(len(chosen))} chosen stand already; nothing was changed")
    decide_each(desk.workspace, decisions, _user(desk), reason)
    stands = "the old price stands" if done == 1 else "the old prices stand"
    return f"{_prices(done)} rejected{_not_among(len(chosen) - done)}: {stands}."


def override(
    desk: PriceDesk, row: Row, draft: PriceDraft, reason: str, *, ignore_conflicts: bool, below_cost: bool = False
) -> str:
    """Set a price in one store for its date, or for some hours of it.

    Raises
    ------
    DataError
        When it can never hold.
    Declined
        When something speaks against it and that is not to be ignored, or it is below cost plus margin and nobody
        accepted that.
    """
    start, end = span_of(desk.sheet(), row, draft)
    accepted = {"ignore_conflicts": ignore_conflicts, "below_cost": below_cost}
    request = PriceRequest("override", reason, row.sku, row.store, draft.price, start, end, **accepted)
    answer = ask(desk.workspace, request, _user(desk))
    clock = desk.workspace.catalog.store.clock_of(row.store)
    times = f"from {clock.local(start):%H:%M} until {clock.local(end):%H:%M} on {row.date}{zone_named(clock)}"
    is_later = start > desk.sheet().clock_of(row.store).moment
    follows = f"The shelf follows at {clock.local(start):%H:%M}." if is_later else FOLLOWS
    return f"{row.title} is set to {euros(draft.price or 0)}, {times}. {_next(answer, follows)}"


def override_all(
    desk: PriceDesk,
    ids: Sequence[str],
    change: str,
    reason: str,
    dates: Dates = (None, None),
    *,
    announced: bool = False,
    ignore_conflicts: bool = False,
    below_cost: bool = False,
) -> str:
    """Set the prices of many rows in one action, all or none; see `price_by` for the change.

    Parameters
    ----------
    dates
        First and last business date. Without a first one it is from each store's next tick on, and without a last one
        until the first date closes.
    announced
        Whether they are promotions: announced as reductions, from the price that the law asks for.

    Raises
    ------
    DataError
        When nothing is chosen, or the change makes no price.
    Declined
        When one of the prices can never hold, or something speaks against it, as in `override`; none is set then.
    """
    sheet = desk.sheet()
    chosen = _chosen(sheet, ids)
    requests = requests_of(sheet, chosen, change, dates, announced=announced)
    accepted = [
        replace(one, reason=reason, ignore_conflicts=ignore_conflicts, below_cost=below_cost) for one in requests
    ]
    answers = ask_all(desk.workspace, accepted, _user(desk))
    start, end = dates
    last = max(end or start or row.date for row in chosen)
    since, follows = ("", FOLLOWS) if start is None else (f" from {day(start)}", "")
    announcement = " and announced as reductions" if announced else ""
    sentence = f"{_prices(len(answers))} set{announcement} ({change.strip()}){since} until {day(last)}."
    return f"{sentence} {_next(answers[-1], follows)}".rstrip()


def requests_of(sheet: Sheet, rows: Sequence[Row], change: str, dates: Dates, *, announced: bool) -> list[PriceRequest]:
    """Return what a change of the prices of some rows on some dates asks for; its reason comes later."""
    spans = [span_of_days(sheet.catalog, sheet.clocks[row.store], dates) for row in rows]
    return [
        PriceRequest("override", "typed", row.sku, row.store, price_by(change, row), *span, announced=announced)
        for row, span in zip(rows, spans, strict=True)
    ]


def look_at_sheet(desk: PriceDesk, content: bytes) -> list[SheetLine]:
    """Return the lines of a sheet that set a price, with what speaks against each; nothing is recorded.

    Raises
    ------
    DataError, Declined
        When the file cannot be read, or who asks may not set prices.
    """
    _user(desk)
    return lines_of(desk.workspace, content)


def record_sheet(
    desk: PriceDesk, content: bytes, reason: str, *, ignore_conflicts: bool = False, below_cost: bool = False
) -> str:
    """Set the prices that the lines of a sheet have, in one action, all or none.

    Raises
    ------
    DataError
        When the file cannot be read.
    Declined
        When who asks may not set prices, a line can never hold, or something speaks against one, as in `override`; none
        is set then.
    """
    by, lines = _user(desk), look_at_sheet(desk, content)
    if not lines:
        return "Nothing to record: no line of the sheet has a new price."
    accepted = {"ignore_conflicts": ignore_conflicts, "below_cost": below_cost}
    answers = record_lines(desk.workspace, lines, reason, by, **accepted)
    return f"{_prices(len(answers))} set by a sheet. {_next(answers[-1], 'Each store follows at its own next tick.')}"


def freeze(desk: PriceDesk, ids: Sequence[str], reason: str) -> str:
    """Keep the prices that are shown of the chosen products, until that is undone.

    Raises
    ------
    Declined
        When something speaks against one of them; none is frozen then.
    """
    chosen = desk.sheet().chosen(ids)
    if not chosen:
        raise DataError("expected products that are frozen, found none chosen; nothing was changed")
    try:
        answers = ask_all(
            desk.workspace, [PriceRequest("freeze", reason, row.sku, row.store) for row in chosen], _user(desk)
        )
    except Declined as error:
        raise Declined(f"nothing was frozen; {error}") from error
    return f"{_prices(len(answers))} frozen until that is undone. {_next(answers[-1])}"


def stop(desk: PriceDesk, store: str | None, reason: str) -> str:
    """Turn the kill switch on in a store, or in every store.

    Raises
    ------
    DataError
        Without a reason.
    """
    by = allowed(desk.workspace.settings, _role_for("kill_switch", store))
    answer = ask(desk.workspace, PriceRequest("kill_switch", reason, store=store), by)
    return f"The kill switch is on in {store_name(store or 'every store')}: base prices. {_next(answer)}"


def undo(desk: PriceDesk, change: str) -> str:
    """Take back one price change, or all changes of an action; the prices before them hold again.

    Raises
    ------
    DataError, Declined
        When there is no such change, when it is over, or when the person who asks may not ask for it.
    """
    return _decided(desk, change, "withdrawn", "undone")


def allow(desk: PriceDesk, change: str) -> str:
    """Approve what somebody else asked for; raises as `undo`."""
    return _decided(desk, change, "approved", "approved", {"proposed"})


def _decided(desk: PriceDesk, change: str, event: EventName, word: str, *states: Collection[State]) -> str:
    names = named_by(desk.sheet(), change, *states)
    decide(desk.workspace, names, event, _who_may_ask_for(desk, names[0]))
    done = f"{change} is" if len(names) == 1 else f"{_prices(len(names))} of {change} are"
    return f"{done} {word}. {FOLLOWS}"


def _chosen(sheet: Sheet, ids: Sequence[str]) -> list[Row]:
    if chosen := sheet.chosen(ids):
        return chosen
    raise DataError("expected at least one price chosen, found none; nothing was changed: choose some in the table")


def _recorded(desk: PriceDesk, ids: Sequence[str]) -> list[Row]:
    """Return the chosen rows, recorded first where no night did that: an approval is of the price that was seen."""
    chosen = _chosen(desk.sheet(), ids)
    if all(row.is_recorded for row in chosen):
        return with_changes(desk, chosen)
    if not desk.workspace.catalog.store.approval.is_asked_for:
        raise Declined(EVERY_PRICE_PASSES)
    for date in sorted({row.date for row in chosen}):
        book = desk.book(date)
        if book is not None:
            propose(desk.workspace, book, date, desk.sheet().proposed(chosen, date))
    return with_changes(desk, desk.sheet().chosen(ids))


def with_changes(desk: PriceDesk, rows: Sequence[Row]) -> list[Row]:
    """Return rows with the price changes of those that passed by rule, which are read by name."""
    names = {row.passed for row in rows if row.passed is not None}
    changes = {change.id: change for change in changes_named(desk.workspace.lake, names)} if names else {}
    return [replace(row, change=changes.get(row.passed or "", row.change)) for row in rows]


def _next(answer: DeskAnswer, follows: str = FOLLOWS) -> str:
    return "Somebody else has to approve it." if answer.is_waiting else follows


def _user(desk: PriceDesk) -> str:
    return allowed(desk.workspace.settings, "manager")


def _who_may_ask_for(desk: PriceDesk, change: str) -> str:
    """Return the name of who asks, who may ask for such a change; one that there is not is refused later."""
    changes = changes_named(desk.workspace.lake, [change])
    role = _role_for(changes[0].terms.kind, changes[0].terms.store) if changes else "manager"
    return allowed(desk.workspace.settings, role)


def _role_for(kind: Kind, store: str | None) -> Role:
    """Return who may turn something on, and off again."""
    return "admin" if kind == "kill_switch" and store is None else "manager"


def _prices(count: int) -> str:
    return f"{count:,} price{'' if count == 1 else 's'}"


def _not_among(others: int) -> str:
    return f"; {_prices(others)} chosen needed nothing" if others else ""
