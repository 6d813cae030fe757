"""The champion on trial as any client of MLflow meets it, on the days it was judged on."""

import datetime as dt
import time
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError, ModelError
from catalog.load import Catalog
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from etl.ledger import kept_catalog
from features.cells import feature_workbench
from features.context import TABLES_OF_CONTEXT, holdout_of
from features.context_names import asked_of
from features.product_columns import input_of
from serving.champion import load_champion
from training.judge import log_loss
from training.mlflow.pyfunc import predict
from warehouse.lake import Lake, Partition
from warehouse.proof import Span, prove
from warehouse.sold import PRODUCTS

_SAME = 1e-9


@dataclass(frozen=True)
class Scored:
    """What MLflow's own scoring of the champion gave.

    Attributes
    ----------
    cells, decisions
        Held-out demand cells that were asked about, and the decisions in them.
    largest_difference
        Between MLflow's chances of sale and the forest's own.
    log_loss, log_loss_as_priced
        Nats per decision, of the forest's own chances, and of the smoothed ones that prices are made from.
    """

    version: str
    cells: int
    decisions: int
    largest_difference: float
    log_loss: float
    log_loss_as_priced: float
    seconds: float


def score_champion(settings: Settings) -> Scored:
    """Score the champion through `mlflow models predict` in a fresh process and compare it with what prices stand on.

    Raises
    ------
    DataError
        When there is no champion, or none of the decisions it was judged on are left.
    ModelError
        When the champion cannot be read or scored, or MLflow answers otherwise than the champion does.
    """
    lake = Lake(settings)
    champion = load_champion(settings)
    if champion is None:
        raise DataError("expected a champion in the model registry, found none; run `shelfprice train`")
    after, through = champion.trained_through or dt.date.min, _judged_through(lake, champion.version)
    by_day = (Span(name, after, through) for name in ("demand_cells", "context_counts", "unit_sales"))
    prove(lake, (*by_day, *map(Span, ("products", *TABLES_OF_CONTEXT))), sets_aside=False)
    with feature_workbench(settings) as connection:
        cells = holdout_of(connection, _catalog_of(lake), champion.features, after, through)
    if cells.empty:
        raise DataError(
            f"expected demand cells after {after} to score version {champion.version} on, "
            "found none; run `shelfprice transform`"
        )
    rows = input_of(asked_of(cells, champion.features), champion.features)
    expected, as_priced = champion.model.as_classified(rows), champion.p_sale(cells)
    begun = time.monotonic()
    found = predict(settings, f"models:/{REGISTERED_MODEL}@champion", rows)
    apart = float(np.abs(found - expected).max())
    if not apart <= _SAME:
        raise ModelError(
            f"version {champion.version}: MLflow's chances of sale are up to {apart:.2g} off the champion's, expected "
            "equal ones; do not price by it: train again or roll back"
        )
    return Scored(
        version=champion.version,
        cells=len(cells),
        decisions=int(cells["n_offered"].sum()),
        largest_difference=apart,
        log_loss=log_loss(found, cells),
        log_loss_as_priced=log_loss(as_priced, cells),
        seconds=round(time.monotonic() - begun, 2),
    )


def _catalog_of(lake: Lake) -> Catalog:
    """Return the catalog whose shelf is in the lake."""
    receipt = lake.receipt(PRODUCTS)
    return kept_catalog(lake, receipt.inputs if receipt else "")


def _judged_through(lake: Lake, version: str) -> dt.date:
    """Last day a version was judged on; without a record of that, everything there is counts."""
    record = Partition("model_versions", None, f"v{version}")
    if lake.receipt(record) is None:
        return dt.date.max
    judged: dt.date = lake.read(record)["judged_through"][0].as_py()
    return judged
