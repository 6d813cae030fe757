"""The commands that write, each as the function below its flow.

The functions need no orchestrator. What a flow does beside calling them is done here as there: its locks, its order,
and which business date it chooses when none is named.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

START = dt.date(2026, 1, 5)
DAY = dt.timedelta(days=1)
NEXT = START + 3 * DAY  # the first date that the worlds with a champion have not sold
_SEED = 7
_TICKS_OF_AN_OPEN_DAY = 5

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes
    ----------
    world
        The state of a home in which it is tried.
    options
        What its step is told.
    """

    name: str
    world: str
    options: Options = field(default_factory=dict)

    def on(self, world: str, **options: Any) -> "Command":
        """Return the same command for another world, with other options."""
        return replace(self, world=world, options={**self.options, **options})


COMMANDS = {
    one.name: one
    for one in (
        Command("simulate", "prepared", {"days": 4}),
        Command("ingest", "export"),
        Command("transform", "sold"),
        Command("train", "grouped"),
        Command("price", "champions"),
        Command("nightly", "champions"),
        Command("live", "champions"),
        Command("promote", "champions", {"version": "1"}),
        Command("rollback", "champions"),
        Command("backfill", "champions", {"start": str(NEXT - DAY), "end": str(NEXT)}),
    )
}
"""What is killed, by name."""


def _workspace(*, for_the_twin: bool = False) -> Any:
    from flows.environment import prepare
    from flows.workspace import open_workspace

    prepare()
    return open_workspace(None, for_the_twin=for_the_twin)


def _registry(workspace: Any) -> Any:
    from flows.runs import registry_of

    return registry_of(workspace)


def _simulate(
    start: str = str(START), days: int = 1, seed: int = _SEED, policy: str | None = None, at_once: int = 1
) -> None:
    """Play dates: one after another, so that their operations come in one order, or some at once as the flow does."""
    from etl.batches import play_batch
    from etl.calendar import dates_from
    from serving.store.play import priced_batches

    workspace = _workspace(for_the_twin=True)
    dates = dates_from(dt.date.fromisoformat(start), days)
    priced = priced_batches(workspace, dates, None, policy)
    with ThreadPoolExecutor(at_once) as pool:
        played = [pool.submit(play_batch, workspace, batch, priced_by, seed) for batch, priced_by in priced]
    for one in played:
        one.result()


def _ingest() -> None:
    from catalog.settings import read_settings
    from flows.environment import prepare
    from plugins.own_store.history.columns import Reading
    from plugins.own_store.history.ingest import ingest

    prepare()
    settings = read_settings()
    ingest(settings, settings.home / "visits.csv", Reading(), None, dt.datetime.now(dt.UTC))


def _transform() -> None:
    from etl.transform import transform

    transform(_workspace())


def _train(seed: int = _SEED) -> None:
    from etl.calendar import newest_grouped
    from training.evening import Evening
    from training.fit.session import train_once

    workspace = _workspace()
    train_once(Evening(workspace, _registry(workspace), newest_grouped(workspace.lake), seed))


def _price(for_date: str = str(NEXT + DAY)) -> None:
    from training.night import price_date

    workspace = _workspace()
    price_date(workspace, _registry(workspace), dt.date.fromisoformat(for_date))


def _nightly() -> None:
    from serving.store.play import close_day
    from training.night import run_night
    from training.schedule import night_to_do, refuse_what_cannot_be_closed
    from warehouse.commits.locks import held

    workspace = _workspace()
    with held(workspace.settings.locks, "night"):
        date = night_to_do(workspace.lake)
        refuse_what_cannot_be_closed(workspace.lake, date)
        close_day(workspace, date, _SEED)
        run_night(workspace, _registry(workspace), date, _SEED)


def _live(ticks: int | None = None) -> None:
    from plugins.live.days import day_to_sell
    from plugins.live.player import Player
    from plugins.live.prices import LivePrices
    from warehouse.commits.locks import held

    workspace = _workspace(for_the_twin=True)
    with held(workspace.settings.locks, "live-S01"):
        day = day_to_sell(workspace, "S01", None)
        player = Player(workspace.lake, LivePrices(workspace.lake, lambda: workspace.catalog, day, _SEED), day, _SEED)
        while not player.is_over and (ticks is None or player.next_tick < ticks):
            player.sell_tick()
        if player.is_over:
            player.close()


def _promote(version: str) -> None:
    from training.champion import promote

    workspace = _workspace()
    now = dt.datetime.now(dt.UTC)
    promote(workspace, _registry(workspace), version, "it earned more", now, force=True)


def _rollback() -> None:
    from training.champion import rollback

    workspace = _workspace()
    rollback(workspace, _registry(workspace), "margins fell", None, dt.datetime.now(dt.UTC))


def _backfill(start: str, end: str) -> None:
    from etl.calendar import dates_from
    from training.backfill import Filling, fill_date
    from warehouse.commits.locks import held

    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    workspace = _workspace(for_the_twin=True)
    registry = _registry(workspace)
    with held(workspace.settings.locks, "night"):
        for date in dates_from(first, (last - first).days + 1):
            fill_date(workspace, registry, date, Filling(_SEED))


def _open() -> None:
    """Make the tables and the views, and nothing else."""
    _workspace()


def _open_day() -> None:
    _live(_TICKS_OF_AN_OPEN_DAY)


def _make_registry() -> None:
    """Let MLflow make its database, which takes it seconds."""
    from flows.environment import prepare
    from training.mlflow.experiments import prepare_tracking

    prepare_tracking(prepare())


def _copy_version() -> None:
    """Register the newest version's model once more, as judged as it was: quicker than to train another."""
    import pyarrow as pa
    from mlflow.tracking import MlflowClient

    from catalog.names import REGISTERED_MODEL
    from warehouse.lake import Partition

    workspace = _workspace()
    uri = workspace.settings.tracking_uri
    client, lake = MlflowClient(uri, registry_uri=uri), workspace.lake
    newest = max(client.search_model_versions(f"name='{REGISTERED_MODEL}'"), key=lambda one: int(one.version))
    made = client.create_model_version(
        REGISTERED_MODEL, newest.source, run_id=newest.run_id, model_id=newest.model_id, tags=newest.tags
    )
    part = Partition("model_versions", None, f"v{newest.version}")
    row = lake.read(part).to_pylist()[0] | {"version": str(made.version)}
    rows = pa.Table.from_pylist([row], schema=lake.read(part).schema)
    lake.publish(Partition("model_versions", None, f"v{made.version}"), rows, inputs="a copy")


def _look(file: str) -> None:
    """Write down what there is to compare."""
    from tests.faults.compare import look

    Path(file).write_text(json.dumps(look()), encoding="utf-8")


def _set_aside() -> None:
    from plugins.operations.checks.proving import set_aside, verify

    lake = _workspace().lake
    set_aside(lake, verify(lake))


STEPS: Mapping[str, Callable[..., None]] = {
    "simulate": _simulate,
    "ingest": _ingest,
    "transform": _transform,
    "train": _train,
    "price": _price,
    "nightly": _nightly,
    "live": _live,
    "promote": _promote,
    "rollback": _rollback,
    "backfill": _backfill,
    "open": _open,
    "open_day": _open_day,
    "make_registry": _make_registry,
    "copy_version": _copy_version,
    "look": _look,
    "set_aside": _set_aside,
}
"""What a process can be asked to do, by name."""
