"""Why a price is proposed, in one sentence that a manager can repeat to a buyer: stock or demand, alternative, euros.

The sentence follows from what is expected, and its euros from the gain of the plan, so that it cannot contradict them.
"""

from catalog.currency import Currency
from catalog.decisions.rules import LIMITS, RULES
from plugins.desk.price_changes.consequence import Comparison, DayForecast, OnShelf
from plugins.desk.price_changes.planned_day import PlannedDay
from plugins.desk.stickers import Sticker

UNKNOWN = "no model knows it yet"
_ALL = 0.95  # of the units on the shelf, when they count as sold out
_FEW = 0.95  # units


def reason_for(
    forecast: DayForecast, sku: str, shelf: OnShelf, proposed: float, now: float | None, money: Currency
) -> str:
    """Say why a price is proposed in place of the price now, EUR; None where nobody knows what it is.

    Parameters
    ----------
    forecast
        What holds in the store.
    shelf
        How the product stands there.
    """
    key = sku, shelf, proposed, now, money
    if key not in forecast.reasons:  # of thousands of rows, most stores share theirs
        forecast.reasons[key] = _reason_for(forecast, sku, shelf, proposed, now, money)
    return forecast.reasons[key]


def reason_beside(sticker: Sticker, proposed: float, money: Currency) -> str:
    """Say why a price is proposed beside a sticker; what the plan brings, which knows none, is not told then."""
    brings = _amount(sticker.saving, money)
    more = "" if brings is None else f", which brings {brings} more than none"
    return (
        f"{sticker.units} on their last day carry a sticker of {_price(sticker.price, money)}{more}; "
        f"{_price(proposed, money)} is the label of the others"
    )


def _reason_for(
    forecast: DayForecast, sku: str, shelf: OnShelf, proposed: float, now: float | None, money: Currency
) -> str:
    if shelf.stock == 0:
        return RULES["sold_out"]
    day = forecast.day_of(sku, shelf)
    if day is None or not day.demand.knows(proposed):
        return UNKNOWN
    if now is None:
        reason = f"{_sells(day, shelf, proposed)} at {_price(proposed, money)}, its first price here"
    elif (compared := forecast.compared(sku, shelf, proposed, now)) is None:
        ladder = forecast.ladder(sku)
        reason = (
            f"what {_price(now, money)} brings is not known, since demand is known from {_price(ladder[0], money)} to "
            f"{_price(ladder[-1], money)}; {_sells(day, shelf, proposed)} at {_price(proposed, money)}"
        )
    elif proposed == now:
        reason = f"{_keeps(day, shelf, proposed, money)}{_later(compared, money)}"
    else:
        reason = f"{_moves(day, shelf, proposed, now, money)}; {_earns(compared, shelf, money)}"
    rule = forecast.binding_rule(sku)
    return f"{reason}; limit: {RULES[rule]}" if rule in LIMITS and proposed == forecast.opening_price(sku) else reason


def _moves(day: PlannedDay, shelf: OnShelf, proposed: float, now: float, money: Currency) -> str:
    """Say what becomes of the stock at both prices, and at one between them."""
    wanted = day.demand.units_wanted(now, shelf.tick, day.n_ticks)
    sold = day.holding(now, shelf.stock, shelf.tick).units
    then = f"{_price(proposed, money)} sells about {_count(day.holding(proposed, shelf.stock, shelf.tick).units)}"
    if proposed > now and sold >= _ALL * shelf.stock:
        scarce = f"{shelf.stock} left, {_count(wanted)} wanted by closing at {_price(now, money)}"
        return f"{scarce}, so it sells out: {then}"
    between = [price for price in day.demand.ladder.tolist() if min(now, proposed) < price < max(now, proposed)]
    middle = between[len(between) // 2] if between else None
    other = ""
    if middle is not None:
        other = f", {_price(middle, money)} about {_count(day.holding(middle, shelf.stock, shelf.tick).units)}"
    fate = _fate(day, shelf, sold, money)
    usual = f"{shelf.stock} left, {_count(sold)} usually sell by closing at {_price(now, money)}"
    return f"{usual}: {then}{other}{fate and f'; {fate}'}"


def _keeps(day: PlannedDay, shelf: OnShelf, price: float, money: Currency) -> str:
    """Say what becomes of the stock at a price that stays, and what the next best price nearby would lose."""
    kept = day.holding(price, shelf.stock, shelf.tick)
    ladder = day.demand.ladder
    near = [*ladder[ladder < price][-1:].tolist(), *ladder[ladder > price][:1].tolist()]
    others = {other: day.holding(other, shelf.stock, shelf.tick).worth - kept.worth for other in near}
    other = max(others, key=lambda name: others[name], default=None)
    fate = _fate(day, shelf, kept.units, money)
    reason = f"keeps: {_sells(day, shelf, price)} at {_price(price, money)}{fate and f'; {fate}'}"
    if other is None or _amount(others[other], money):  # later prices do better still
        return reason
    less = _amount(-others[other], money)
    brings = "about the same" if less is None else f"{less} less"
    return f"{reason}; {_price(other, money)} until closing would bring {brings}"


def _sells(day: PlannedDay, shelf: OnShelf, price: float) -> str:
    sold = day.holding(price, shelf.stock, shelf.tick).units
    return f"{shelf.stock} left, {_count(sold)} usually sell by closing"


def _fate(day: PlannedDay, shelf: OnShelf, sold: float, money: Currency) -> str:
    """Say what becomes of a unit that is left at closing; empty where that does not count, or none is."""
    left = shelf.stock - sold
    if shelf.keeps is None or left < _FEW:
        return ""
    worth = _amount(day.worth_of_a_unit_left(left), money)
    return "a unit left is thrown away" if worth is None else f"a unit left is worth {worth} tomorrow"


def _earns(compared: Comparison, shelf: OnShelf, money: Currency) -> str:
    """Say what the plan earns or loses against keeping the price now."""
    amount, when = _amount(abs(compared.gain), money), "today" if shelf.tick else "a day"
    if amount is None:
        return "the plan earns about the same"
    return f"the plan earns {amount} {'more' if compared.gain > 0 else 'less'} {when}"


def _later(compared: Comparison, money: Currency) -> str:
    """Say what later prices of the plan add to an unchanged one."""
    amount = _amount(compared.gain, money)
    return "" if amount is None else f"; prices later in the day bring {amount} more"


def _amount(amount: float, money: Currency) -> str | None:
    """Write an amount; None where it rounds to nothing, or is below."""
    return None if amount < money.smallest / 2 else _price(amount, money)


def _price(amount: float, money: Currency) -> str:
    return f"{money.symbol}{amount:,.{money.digits}f}"


def _count(units: float) -> str:
    return "fewer than 1" if 0 < units < _FEW else f"{units:,.0f}"
