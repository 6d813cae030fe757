"""Check the services, where they run; no command needs them."""

import datetime as dt

from catalog.errors import Check, ServiceError
from catalog.settings import Settings
from warehouse.services import ServiceState, running_services


def check_services(settings: Settings, now: dt.datetime) -> list[Check]:
    """Say which services do not answer, and which were started again within the last hour; nothing where none run."""
    try:
        running = running_services(settings)
    except ServiceError as error:
        return [Check("services", "warning", str(error), "shelfprice up")]
    if running is None:
        return []
    troubled = [said for one in running.services if (said := _trouble_of(one, now))]
    if troubled:
        return [Check("services", "warning", "; ".join(troubled), "mend what its reason says; `up` tries again itself")]
    return [Check("services", "ok", f"all {len(running.services)} of `shelfprice up` answer")]


def _trouble_of(service: ServiceState, now: dt.datetime) -> str:
    """Say what is wrong with a service; empty when it answers and was not started again recently."""
    times = service.recent_restarts(now)
    if service.condition == "answers" and not times:
        return ""
    said = "answers" if service.condition == "answers" else f"does not answer ({service.condition})"
    again = f", started again {times} times within an hour" if times else ""
    return f"{service.name} {said}{again}" + (f", last because it {service.reason}" if service.reason else "")
