"""The command that checks whether the champion still predicts demand."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import emit, remark, show_table
from flows.cli.failures import refuse_without_cells
from flows.cli.options import Catalog, Json, Through, date_of, text_of

if TYPE_CHECKING:
    from training.drift_watch import Detection


@command("models", when_stopped=RUN_AGAIN, uses_registry=True)
def drift(through: Through = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Check whether shoppers still respond to prices as the champion predicts, and announce each change once.

    The checks are kept in the lake as drift_checks, one row per day and product. An announcement is the event
    shelfprice.drift.detected, which starts a training while `shelfprice up` runs; the next training learns from the
    days since the change.
    """
    folder = text_of(catalog)
    refuse_without_cells()
    with drift.working():
        from etl.live.calendar import newest_grouped
        from flows.runs import registry_of
        from flows.workspace import open_workspace
        from training.drift_watch import watch_drift

        workspace = open_workspace(folder)
        date = date_of(through) or newest_grouped(workspace.lake)
        watched = watch_drift(workspace, registry_of(workspace), date, _announce)
    if as_json:
        found = {name: getattr(watched, name) for name in ("champion", "through", "unchecked", "since")}
        announced = sorted({one.sku for one in watched.new})
        emit(found | {"announced": announced, "standing": [vars(one) for one in watched.standing]})
        return
    if watched.unchecked:
        remark(f"nothing was checked: {watched.unchecked}")
    elif not watched.standing:
        remark(f"champion {watched.champion} holds: demand is as it predicts for every product, to {watched.through}")
    else:
        columns = ["product", "since", "detected on", "buy", "residual before", "residual after"]
        rows = [
            [one.sku, one.since, one.business_date, one.direction, round(one.before, 4), round(one.after, 4)]
            for one in watched.standing
        ]
        show_table(f"Champion {watched.champion} no longer holds", columns, rows, "train to learn from the days since")


def _announce(version: str, found: "Sequence[Detection]") -> None:
    """Emit the event where a Prefect server can hear it; without one, the next training is that of the next night."""
    from flows.environment import deliver_what_is_queued, has_server

    if has_server():
        from flows.nightly import announce

        announce(version, found)
        deliver_what_is_queued()


COMMANDS = (drift,)
