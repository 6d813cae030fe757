"""One planted log on the real path: ingested, grouped, learned from and judged in a home of its own.

The functions are those that the commands call; only the registry is kept in memory.
"""

import datetime as dt
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from catalog.errors import DataError, ShelfpriceError
from catalog.load import load
from catalog.settings import read_settings
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from evaluation.planted.naive_slopes import slopes
from evaluation.planted.planted_scenarios import Kind, PlantedScenario
from evaluation.planted.planted_world import GRAINS, PlantedWorld, Size, world_of
from evaluation.planted.retailer_log import PlantedSales, last_day, sales_of, write_log
from features.cells import feature_workbench
from features.response import PriceResponse
from flows.workspace import prepared
from own_data.exported import exported_cells
from own_data.exports.columns import Grain, Reading
from own_data.exports.ingest import ingest
from own_data.price_response.decide import price_responses
from training.session import train
from warehouse.workspace import Workspace

_LOG = logging.getLogger(__name__)
_DAYS_UNTIL_INGESTED = 7


@dataclass(frozen=True)
class ProductFound:
    """What was said of one product's response to the price, and the truth.

    Slopes are changes of the log odds of a purchase, or of the log rate of sale, per unit of log price. `naive` is that
    of a regression on the price alone, None where it has none. The interval is None where there is no estimate.
    """

    sku: str
    truth: float
    naive: float | None
    verdict: str
    why: str
    estimate: float | None
    lower: float | None
    upper: float | None

    @property
    def is_told(self) -> bool:
        """Whether prices may be set by it."""
        return self.verdict == "told"

    @property
    def holds_truth(self) -> bool:
        """Whether the interval holds the truth."""
        return self.lower is not None and self.upper is not None and self.lower <= self.truth <= self.upper


@dataclass(frozen=True)
class PlantedResult:
    """What the real path made of one planted log.

    Attributes
    ----------
    products
        Empty where the log was refused or nothing could be learned.
    gate
        The gate's answer in a word; None where it was not asked.
    why_not
        The error that ended it early, None without one.
    is_broken
        Whether that error was none that the product raises on purpose.
    """

    scenario: str
    kind: Kind
    grain: Grain
    seed: int
    products: tuple[ProductFound, ...] = ()
    gate: str | None = None
    why_not: str | None = None
    is_broken: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class PlantedLog:
    """A scenario in a grain, drawn with a seed. A part of the experiment.

    Attributes
    ----------
    response_only
        Whether to stop at the response to the price: no model is trained.
    """

    scenario: PlantedScenario
    grain: Grain
    seed: int
    size: Size
    response_only: bool = False

    @property
    def name(self) -> str:
        """Scenario, grain and seed."""
        return f"{self.scenario.name}, {self.grain}, seed {self.seed}"

    def play(self) -> PlantedResult:
        """Take the log through the real path, in a folder that is removed afterwards."""
        with TemporaryDirectory(prefix="shelfprice-planted-") as folder:
            return self.play_in(Path(folder))

    def play_in(self, folder: Path) -> PlantedResult:
        """Write the log into a folder, and take it through the real path there.

        A log that breaks the path is reported as broken, so that it does not hide what the others show.
        """
        began, scenario = time.perf_counter(), self.scenario
        found = PlantedResult(scenario.name, scenario.kind, self.grain, self.seed)
        try:
            for step in self._steps(found, folder):
                found = step  # what is known when a later step fails stays
        except ShelfpriceError as error:
            found = replace(found, why_not=str(error).replace(str(folder), ""))
        except Exception as error:  # noqa: BLE001 - a log that breaks the path must not hide what the others show
            _LOG.exception("the log %s broke the path", self.name)
            found = replace(found, why_not=f"broke: {error!r}", is_broken=True)
        return replace(found, seconds=time.perf_counter() - began)

    def drawn(self) -> tuple[PlantedWorld, PlantedSales, np.random.Generator]:
        """Draw the world and what it sells; also return what draws the rest of the log.

        The world is the same in every grain.
        """
        scenario = self.scenario
        name = int.from_bytes(scenario.name.encode())
        for_world, for_sales = np.random.SeedSequence((self.seed, name)).spawn(2)
        size, rng = replace(self.size, stores=scenario.stores or self.size.stores), np.random.default_rng(for_world)
        world = world_of(scenario.plant(size, rng), size, rng, zero_effect=scenario.kind == "zero effect")
        rng = np.random.default_rng(for_sales)
        return world, sales_of(world, self.grain, rng), rng

    def _steps(self, found: PlantedResult, folder: Path) -> Iterator[PlantedResult]:
        """Yield what is known after each step."""
        world, sales, rng = self.drawn()
        file, through = folder / f"{self.scenario.name}.csv", last_day(world)
        write_log(file, world, sales, self.grain, rng)
        workspace = _ingested(file, self.grain, through, folder / "home")
        if self.response_only:  # which is read from decisions, not from demand cells
            with feature_workbench(workspace.settings) as connection:
                responses = price_responses(exported_cells(connection, through), workspace.catalog.skus)
            yield replace(found, products=_compared(world, sales, self.grain, responses))
            return
        transform(workspace)
        trained = train(workspace, MemoryRegistry(), through, self.seed)
        products = _compared(world, sales, self.grain, trained.responses)
        yield replace(found, products=products, gate=trained.verdict.outcome)


@dataclass(frozen=True)
class PlantedQuestion:
    """What to play: every scenario in every grain that can show it, once per seed."""

    scenarios: tuple[PlantedScenario, ...]
    grains: tuple[Grain, ...] = GRAINS
    seeds: int = 1
    size: Size = field(default_factory=Size)
    response_only: bool = False

    @property
    def parts(self) -> list[PlantedLog]:
        """The logs to write, in the order in which they are reported."""
        return [
            PlantedLog(scenario, grain, seed, self.size, self.response_only)
            for scenario in self.scenarios
            for grain in self.grains
            if grain in scenario.grains
            for seed in range(1, self.seeds + 1)
        ]


def _ingested(file: Path, grain: Grain, through: dt.date, home: Path) -> Workspace:
    """Ingest a log, on the shelf that is estimated from it."""
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    now = dt.datetime.combine(through + dt.timedelta(days=_DAYS_UNTIL_INGESTED), dt.time(), dt.UTC)
    taken_for = ingest(settings, file, Reading(), None, now).row["grain"]
    if taken_for != grain:
        raise DataError(f"expected {file.name} to be taken for {grain}, found {taken_for}; nothing was learned")
    return prepared(settings, load(settings.shelf))


def _compared(
    world: PlantedWorld, sales: PlantedSales, grain: Grain, responses: Sequence[PriceResponse]
) -> tuple[ProductFound, ...]:
    naive = slopes(world, sales, grain, knowing_the_rest=False).estimate
    truth = dict(zip(world.skus, zip(world.slope, naive, strict=True), strict=True))
    products = []
    for response in responses:
        true_slope, naive_slope = truth[response.sku]
        price_alone = None if np.isnan(naive_slope) else float(naive_slope)
        slope = response.estimate
        interval = (None, None, None) if slope is None else (slope.estimate, slope.lower, slope.upper)
        said = (response.verdict, response.why, *interval)
        products.append(ProductFound(response.sku, float(true_slope), price_alone, *said))
    return tuple(products)
