"""Watch whether the champion's demand still holds, and ask for a new model when it does not."""

import datetime as dt
from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from prefect import flow
from prefect.events import emit_event

from etl.business_dates import newest_grouped
from flows.progress import say
from flows.registry import registry_of
from flows.runs import tag_run
from flows.tasks import as_task
from flows.workspace import open_workspace
from training.drift import watch
from training.drift.watch import Detection, Watched

DRIFT_DETECTED = "shelfprice.drift.detected"
SHELF = {"prefect.resource.id": "shelfprice.shelf"}
"""The event that asks for a new model, and the resource it is about."""


@flow(name="watch-drift", flow_run_name="watch-drift-{through}")
def watch_drift(through: dt.date | None = None, catalog_dir: str | None = None) -> Watched:
    """Check the champion on every day since its training, and announce each change in demand once.

    Raises
    ------
    DataError
        When there are no demand cells at all.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("drift")
    date = through or newest_grouped(workspace.lake)
    return as_task(watch.watch_drift, workspace, registry_of(workspace), date, announce)


def announce(version: str, found: Sequence[Detection]) -> None:
    """Emit the event of a drift; the same detections, announced again after a kill, carry the same id."""
    newest = max(detection.business_date for detection in found)
    since = max(detection.since for detection in found)
    skus = sorted({detection.sku for detection in found})
    emit_event(
        event=DRIFT_DETECTED,
        resource=SHELF,
        payload={"business_date": newest.isoformat(), "skus": skus, "since": since.isoformat()},
        id=uuid5(NAMESPACE_OID, f"{version} {newest} {' '.join(skus)}"),
    )
    say(f"drift in {', '.join(skus)} since {since}: a new model is asked for")
