"""The command that checks whether demand has drifted from the champion."""

from typing import Any

from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, Through, date_of, text_of
from flows.cli.refusals import refuse_without_cells
from flows.environment import orchestrated, prepare


def drift(through: Through = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Check whether shoppers still respond to prices as the champion predicts, and announce each change once.

    The checks are kept in the lake as drift_checks, one row per day and product. An announcement is the event
    shelfprice.drift.detected, which starts a training while `shelfprice up` runs; the next training learns from the
    days since the change.
    """
    folder = text_of(catalog)
    refuse_without_cells()
    prepare()
    with orchestrated(), progress_bars():
        from flows.drift import watch_drift

        watched = watch_drift(date_of(through), folder)
    if as_json:
        emit(_as_json(watched))
        return
    if watched.unchecked:
        remark(f"nothing was checked: {watched.unchecked}")
    elif not watched.standing:
        remark(f"champion {watched.champion} holds: demand is as it predicts for every product, to {watched.through}")
    else:
        columns = ["product", "since", "detected on", "buy", "residual before", "residual after"]
        rows = [
            [
                found.sku,
                found.since,
                found.business_date,
                found.direction,
                round(found.before, 4),
                round(found.after, 4),
            ]
            for found in watched.standing
        ]
        show_table(f"Champion {watched.champion} no longer holds", columns, rows, "train to learn from the days since")


def _as_json(watched: Any) -> dict[str, Any]:
    return {
        "champion": watched.champion,
        "through": watched.through,
        "unchecked": watched.unchecked,
        "since": watched.since,
        "announced": sorted({found.sku for found in watched.new}),
        "standing": [vars(found) for found in watched.standing],
    }
