"""The policies that meet: those that know nothing, those that learned from a log, and the clairvoyant."""

import datetime as dt
from dataclasses import dataclass, replace

import duckdb

from catalog.arrays import Floats
from catalog.ladder import price_ladder
from catalog.load import Catalog
from evaluation.logs import Log, draw_log
from serving.curves import DemandCurves, demand_curves
from serving.policies import GreedyPolicy, StockAwarePolicy, costs_that_count, policy_without_model
from serving.pricing_policy import PricingPolicy
from simulation.truth import chance_on
from simulation.visits import expected_visits_on
from training.candidates import CANDIDATES, fit
from training.gain import Challenger

CLAIRVOYANT = "clairvoyant"
TRUE_DEMAND = "true_demand"

_FINE_LADDER = 200
_BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}


@dataclass(frozen=True)
class Learned:
    """What can be known from one log: the demand curves of both forests, and the log for the footfall."""

    log: Log
    curves: DemandCurves
    prototype: DemandCurves


def learn(connection: duckdb.DuckDBPyConnection, catalog: Catalog, decisions: int, seed: int) -> Learned:
    """Draw a log of a world and learn from it, as the pipeline does and as the textbook does."""
    log = draw_log(catalog, decisions, seed)
    curves = curves_from(connection, catalog, log, "demand_forest", seed)
    return Learned(log, curves, curves_from(connection, catalog, log, "balanced_forest", seed))


def curves_from(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, log: Log, candidate: str, seed: int
) -> DemandCurves:
    """Fit one of the candidate models on a log and ask it for the catalog's ladder, reweighted classes as they are."""
    fitted = fit(_BY_NAME[candidate], log.dataset(connection), seed)
    return demand_curves(connection, Challenger(f"log {seed}", replace(fitted, odds_factor=1.0)), catalog)


def policy_of(name: str, catalog: Catalog, learned: Learned) -> PricingPolicy:
    """Return a policy out of `POLICIES`, as it would price the catalog's world after what it learned."""
    if name in {"static", "rule"}:
        return policy_without_model(catalog, name)
    if name == "prototype":
        return GreedyPolicy(learned.prototype)
    if name == "greedy":
        return GreedyPolicy(learned.curves, costs_that_count(catalog))
    return stock_aware(catalog, learned.curves, _expected_visits(learned.log, catalog), name)


def clairvoyant(catalog: Catalog, date: dt.date) -> StockAwarePolicy:
    """Return the limit: the same recursion on true demand and footfall, on a fine ladder within floor and ceiling."""
    fine = Catalog(catalog.products, catalog.store.model_copy(update={"ladder_prices": _FINE_LADDER}))
    return stock_aware(catalog, true_curves(fine, date), expected_visits_on(catalog, date), CLAIRVOYANT)


def with_true_demand(catalog: Catalog, date: dt.date) -> StockAwarePolicy:
    """Return what the catalog's own ladder allows at best: true demand and footfall, its candidates only."""
    return stock_aware(catalog, true_curves(catalog, date), expected_visits_on(catalog, date), TRUE_DEMAND)


def true_curves(catalog: Catalog, date: dt.date) -> DemandCurves:
    """Return the true chance of sale on a date at the catalog's ladder."""
    ladder = price_ladder(catalog)
    return DemandCurves(catalog.skus, ladder, chance_on(catalog, date, ladder / catalog.base_prices[:, None]), "truth")


def stock_aware(catalog: Catalog, curves: DemandCurves, visits: Floats, name: str) -> StockAwarePolicy:
    """Return the recursion's policy for what the catalog's prices are to earn."""
    return StockAwarePolicy(curves, visits, int(catalog.par_stock.max()) + 1, costs_that_count(catalog), name)


def _expected_visits(log: Log, catalog: Catalog) -> Floats:
    """Footfall as the log tells it, for a store with the catalog's visits a day, shape (n_products, n_ticks).

    The log's products are visited alike; a scenario's popularity is known to its store, with the log's own error.
    """
    of_log = log.footfall() * len(catalog.skus) * catalog.popularity[:, None]
    return catalog.store.visits_per_day * of_log
