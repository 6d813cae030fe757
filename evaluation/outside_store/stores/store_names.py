"""The outside stores by name."""

from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.outside_world import OutsideWorld
from evaluation.outside_store.stores.stockpiling_grocer import StockpilingGrocer
from evaluation.outside_store.stores.substitutes_grocer import SubstitutesGrocer

GROCERS: dict[str, type[CountGrocer]] = {
    "grocer": CountGrocer,
    "stockpiling": StockpilingGrocer,
    "substitutes": SubstitutesGrocer,
}
TWIN = "twin"
STORES = {
    "grocer": "units only: negative binomial weeks, one elasticity for each product",
    "stockpiling": "the grocer, whose shoppers stock up on low prices and stay away for two weeks after",
    "substitutes": "the grocer with two substitutes in each category",
    TWIN: "the digital twin behind HTTP: visits, stock and prices that may change at each tick",
}


def world_of(
    name: str, seed: int, n_stores: int, units_a_day: float, *, has_local_shocks: bool = False
) -> OutsideWorld:
    """Return a store by its name; the twin has the stores and the visits of `classic`."""
    if name == TWIN:
        from evaluation.outside_store.stores.twin_store import TwinStore  # noqa: PLC0415 - it alone knows the project

        return TwinStore(seed)
    return GROCERS[name](seed, n_stores, units_a_day, has_local_shocks=has_local_shocks)
