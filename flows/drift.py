"""Ask for a new model where demand is no longer what the champion predicts."""

from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from prefect.events import emit_event

from flows.progress import say
from training.drift.watch import Detection

DRIFT_DETECTED = "shelfprice.drift.detected"
SHELF = {"prefect.resource.id": "shelfprice.shelf"}
"""The event that asks for a new model, and the resource it is about."""


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
