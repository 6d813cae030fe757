"""What was predicted when a price change was asked for: kept with it, so that what came of it can be held against it.

The alternative of a proposal is the old price, and that of an override or a freeze the price that the policy opens
with. A chance of sale is of one price while it stands, so it can be compared with the visits of any ticks.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from catalog.load import Catalog
from desk.price_changes.change import Terms
from desk.price_changes.consequence import Consequence, DayForecast


def with_forecast(
    catalog: Catalog,
    outlooks: Callable[[dt.date], DayForecast | None],
    terms: Terms,
    of: Callable[..., Consequence] = DayForecast.of,
) -> Terms:
    """Return terms with what is predicted of the first store day on which they hold.

    Terms of several products, base prices, and a proposal that changes nothing stay as they are.

    Parameters
    ----------
    outlooks
        What prices bring on a date; None without a book.
    """
    is_proposal = terms.kind == "price"
    if terms.sku is None or terms.new_price is None or (is_proposal and terms.old_price in {None, terms.new_price}):
        return terms
    clock = catalog.store.clock_of(terms.store)
    date = clock.date_of(terms.valid_from)
    outlook = outlooks(date)
    if outlook is None:
        return terms
    own, ticks = outlook.in_store(terms.store), clock.ticks_within(date, terms.valid_from, terms.valid_until)
    wanted = of(own, terms.sku, terms.new_price, *(ticks or (0, None)))
    alternative = terms.old_price if is_proposal and terms.old_price is not None else wanted.policy_price
    otherwise = of(own, terms.sku, alternative, *(ticks or (0, None)))
    gain = otherwise.cost if is_proposal else (None if wanted.cost is None else -wanted.cost)
    return replace(
        terms,
        expected_p_sale=wanted.p_sale,
        expected_units=wanted.units,
        expected_revenue=wanted.revenue,
        expected_profit=wanted.profit,
        expected_gain=gain,
        otherwise_price=alternative,
        otherwise_p_sale=otherwise.p_sale,
    )
