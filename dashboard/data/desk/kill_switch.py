"""Where the kill switch of the desk holds: base prices stand there, whatever the catalog says."""

from collections.abc import Sequence

from catalog.load import Catalog
from dashboard.data.desk.price_desk import clocks_of
from dashboard.data.notices import Notice
from serving.price_changes.change import PriceChange
from warehouse.lake import Lake


def kill_switch_notices(lake: Lake, catalog: Catalog, people: Sequence[PriceChange]) -> list[Notice]:
    """Say where somebody turned the kill switch on, if it holds at the next tick of a store there.

    Parameters
    ----------
    people
        What people asked for.
    """
    asked = [change for change in people if change.terms.kind == "kill_switch" and change.in_force is not None]
    clocks = clocks_of(lake, catalog) if asked else {}
    return [
        Notice(
            "The kill switch is on",
            f"{change.proposer} turned it on in {change.terms.store or 'every store'}: {change.terms.reason}. Base "
            "prices stand there until it is undone at the desk.",
            "problem",
            f"shelfprice withdraw {change.id}",
        )
        for change in asked
        if any(change.terms.store in {None, store} and change.is_in_force(own.now) for store, own in clocks.items())
    ]
