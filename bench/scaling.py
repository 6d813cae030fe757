"""`python -m bench.scaling PARTS.json`: what a chain of stores needs, on paper, from parts that were measured.

Nothing here is measured. Each part is what one core, one partition or one commit was seen to take, and the plan is what
follows from them: how long it takes, what it costs, and what is busy first when more workers are added.
"""

import argparse
import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

_HOUR, _DAY = 3600.0, 86400.0  # seconds
_GB = 1e9
_USUAL = {
    "stores": 2000,
    "days": 365,
    "workers": 16,
    "products": 1000,
    "stores_per_zone": 100,
    "updates_per_day": 12,
    "decisions_per_store_day": 2000.0,
    "decisions_per_batch": 1e6,
}


@dataclass(frozen=True)
class Parts:
    """What was measured, and what the store and the machines are said to bear and to cost: see docs/scaling.md."""

    decisions_per_core_second: float
    bytes_per_decision: float
    partitions_per_batch: float
    requests_per_partition: float
    commits_per_batch: float
    seconds_per_commit: float
    log_bytes_per_commit: float
    seconds_per_task: float
    core_seconds_per_booked_product: float
    bytes_per_booked_product: float
    core_seconds_per_updated_product: float
    core_seconds_per_price: float
    bytes_per_price: float
    requests_per_second: float
    bytes_per_second: float
    eur_per_core_hour: float
    eur_per_million_requests: float
    eur_per_gb_month: float

    def __post_init__(self) -> None:
        """Refuse what cannot have been measured."""
        for name, value in asdict(self).items():
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: expected a number above 0, found {value!r}")


@dataclass(frozen=True)
class Chain:
    """Stores that sell, cut into zones of equal size, and the cores that compute.

    A zone shares a belief and a price book, and has a lake of its own. Each night every zone books all products and
    every store is given a price for each; so many times a day a zone learns from what was sold and remakes its prices.
    """

    stores: int
    days: int
    products: int
    stores_per_zone: int
    updates_per_day: int
    decisions_per_store_day: float
    decisions_per_batch: float
    workers: int

    @property
    def zones(self) -> int:
        """How many beliefs and price books there are; the last zone may be smaller."""
        return math.ceil(self.stores / self.stores_per_zone)


@dataclass(frozen=True)
class Plan:
    """What follows for a chain.

    `busy` is the share of the time that each thing takes when all workers work; the first to reach 1 decides. Beyond
    `useful_workers`, more workers make nothing faster. `core_hours` tells playing and grouping from books and prices.
    """

    zones: int
    decisions: float
    batches: int
    core_hours: dict[str, float]
    seconds: float
    busy: dict[str, float]
    useful_workers: int
    requests: float
    lake_bytes: float
    log_bytes: float
    eur_of_compute: float
    eur_of_requests: float
    eur_of_storage_a_month: float

    @property
    def saturates_first(self) -> str:
        """What is busiest beside the workers themselves."""
        others = {name: share for name, share in self.busy.items() if name != "workers"}
        return max(others, key=others.__getitem__)

    @property
    def eur_per_billion(self) -> float:
        """Compute and requests for a billion decisions."""
        return (self.eur_of_compute + self.eur_of_requests) / self.decisions * 1e9


def plan(parts: Parts, chain: Chain) -> Plan:
    """Return what a chain needs: workers share batches and books, zones share no log, and all share the rest."""
    decisions = chain.stores * chain.days * chain.decisions_per_store_day
    booked, prices = (chain.days * chain.products * count for count in (chain.zones, chain.stores))
    batches = chain.zones * math.ceil(decisions / chain.zones / chain.decisions_per_batch)
    requests = batches * parts.partitions_per_batch * parts.requests_per_partition
    lake_bytes = (
        decisions * parts.bytes_per_decision + booked * parts.bytes_per_booked_product + prices * parts.bytes_per_price
    )
    work = {  # seconds of a core
        "playing and grouping": decisions / parts.decisions_per_core_second,
        "price books": booked * parts.core_seconds_per_booked_product,
        "learning within the day": booked * chain.updates_per_day * parts.core_seconds_per_updated_product,
        "prices of stores": prices * parts.core_seconds_per_price,
    }
    core_seconds = sum(work.values())
    alone = {  # seconds that each would take if nothing else did
        "workers": core_seconds / chain.workers,
        "commits to one log": batches / chain.zones * parts.commits_per_batch * parts.seconds_per_commit,
        "handing out tasks": batches * parts.seconds_per_task,
        "requests to the store": requests / parts.requests_per_second,
        "bytes to the store": lake_bytes / parts.bytes_per_second,
    }
    seconds = max(alone.values())
    shared = max(taken for name, taken in alone.items() if name != "workers")
    return Plan(
        zones=chain.zones,
        decisions=decisions,
        batches=batches,
        core_hours={name: taken / _HOUR for name, taken in work.items()},
        seconds=seconds,
        busy={name: taken / seconds for name, taken in alone.items()},
        useful_workers=max(1, math.ceil(core_seconds / shared)),
        requests=requests,
        lake_bytes=lake_bytes,
        log_bytes=batches / chain.zones * parts.commits_per_batch * parts.log_bytes_per_commit,
        eur_of_compute=chain.workers * seconds / _HOUR * parts.eur_per_core_hour,
        eur_of_requests=requests / 1e6 * parts.eur_per_million_requests,
        eur_of_storage_a_month=lake_bytes / _GB * parts.eur_per_gb_month,
    )


def read_parts(file: Path) -> Parts:
    """Read the parts from JSON.

    Raises
    ------
    ValueError
        When a part is missing, unknown or not above 0.
    """
    found, names = json.loads(file.read_text(encoding="utf-8")), {field.name for field in fields(Parts)}
    if odd := sorted(found.keys() ^ names):
        raise ValueError(f"{file}: expected each part once and nothing else, found otherwise: {', '.join(odd)}")
    return Parts(**found)


def rows_of(found: Plan) -> list[tuple[str, str]]:
    """Return a plan in words and numbers."""
    return [
        ("zones", f"{found.zones:,}"),
        ("decisions", f"{found.decisions:.3g} in {found.batches:,} batches"),
        *((f"core hours: {name}", f"{hours:,.2f}") for name, hours in found.core_hours.items()),
        ("takes", _duration(found.seconds)),
        *((f"busy: {name}", f"{share:.1%}") for name, share in found.busy.items()),
        ("saturates first", f"{found.saturates_first}, at {found.useful_workers:,} workers"),
        ("requests", f"{found.requests:.3g}"),
        ("the lake", f"{found.lake_bytes / _GB:,.1f} GB"),
        ("the busiest log", f"{found.log_bytes / _GB:,.3f} GB"),
        ("compute, requests", f"{found.eur_of_compute:,.2f} EUR, {found.eur_of_requests:,.2f} EUR"),
        ("a billion decisions", f"{found.eur_per_billion:,.2f} EUR"),
        ("keeping it", f"{found.eur_of_storage_a_month:,.2f} EUR a month"),
    ]


def _duration(seconds: float) -> str:
    if seconds < 2 * _HOUR:
        return f"{seconds:,.0f} s"
    return f"{seconds / _HOUR:,.1f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:,.1f} days"


def main() -> None:
    """Print the plan of a chain."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("parts", type=Path, help="JSON with what was measured; docs/scaling.md says what")
    for name, usual in _USUAL.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(usual), default=usual)
    given = parser.parse_args()
    chain = Chain(**{name: getattr(given, name) for name in _USUAL})
    try:
        parts = read_parts(given.parts)
    except (OSError, ValueError) as error:
        parser.error(f"{error}; nothing was planned")
    table = Table(show_header=False, title=f"{given.stores:,} stores, {given.days} days, {given.workers} workers")
    for row in rows_of(plan(parts, chain)):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
