"""The engine for an outside store that rehearses: a catalog, a home and a clock in one folder.

`served` runs it as a retailer does, by processes alone: the API takes sales over HTTP, `shelfprice nightly` draws, and
prices leave by `shelfprice export`. `in_process` calls the functions that those commands call, without Prefect and
sockets; a test holds that both earn the same to the cent.
"""

import argparse
import datetime as dt
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from catalog.load import load
from catalog.settings import read_settings
from connect.api.api_tokens import add_token
from connect.export.export import export
from connect.export.export_log import ExportLog
from connect.export.targets import FolderTarget
from connect.intake.intake import Intake
from connect.intake.sale_lines import Kind
from etl.batches import DEFAULT_SEED
from evaluation.memory_registry import MemoryRegistry
from evaluation.outside_store.stores.engine_commands import CommandedEngine, set_clock
from evaluation.outside_store.stores.fetched_prices import ExportFolder
from evaluation.outside_store.stores.outside_world import OutsideWorld
from evaluation.outside_store.stores.sales_client import RefusedRequestError, SalesClient
from evaluation.outside_store.stores.shelf_files import write_shelf
from evaluation.outside_store.stores.store_program import Beside
from flows.workspace import prepared
from training.night import run_night
from warehouse.workspace import Workspace

_PATIENCE = 120.0  # s, until the API answers
_ENDS_WITHIN = 30.0  # s
_DRAWN = {
    "rehearsal": True,
    "drawn_prices": {"products": "all", "band": 0.25, "step": 0.10, "held_share": 0.10},
    "guardrails": {},
}


@contextmanager
def served(asked: argparse.Namespace, world: OutsideWorld) -> Iterator[Beside]:
    """Start the engine in a folder, and end it with the store.

    Raises
    ------
    RefusedRequestError
        When it does not answer.
    """
    folder = _prepared_folder(asked.rehearse, world)
    clock, labels, empty = folder / "now", folder / "labels", folder / "inbox"
    environ = {
        **os.environ,
        "SHELFPRICE_HOME": str(folder / "home"),
        "SHELFPRICE_CATALOG": str(folder / "shelf"),
        "SHELFPRICE_NOW": str(clock),
        "DO_NOT_TRACK": "true",
    }
    settings = read_settings(environ)
    prepared(settings, load(folder / "shelf"))
    token = add_token(settings, "till", ["sell"], dt.datetime.now(dt.UTC))
    shelfprice = f"{sys.executable} -m flows"
    engine = CommandedEngine(
        (f"{shelfprice} take-in {empty}", f"{shelfprice} nightly --seed {asked.seed}"),
        (f"{shelfprice} export --to {labels} --format json",),
        clock,
        environ,
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "flows", "serve", "--port", str(port)]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)  # noqa: S603 - our own command
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/openapi.json", process)
            client = SalesClient(url, token, sends_twice="duplicates" in asked.faults)
            yield Beside(ExportFolder(labels, world.stores, world.skus), client, engine)
        finally:
            process.terminate()
            process.wait(_ENDS_WITHIN)


@contextmanager
def in_process(asked: argparse.Namespace, world: OutsideWorld) -> Iterator[Beside]:
    """Open the engine of a folder in this process."""
    folder = _prepared_folder(asked.rehearse, world)
    settings = read_settings({"SHELFPRICE_HOME": str(folder / "home"), "SHELFPRICE_NOW": str(folder / "now")})
    engine = EngineInProcess(prepared(settings, load(folder / "shelf")), folder, asked.seed)
    yield Beside(ExportFolder(folder / "labels", world.stores, world.skus), ClientInProcess("", engine=engine), engine)


@dataclass
class EngineInProcess:
    """The functions that the commands call, on one lake; see `EngineBeside`."""

    workspace: Workspace
    folder: Path
    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        """Keep what is read of the lake from week to week."""
        self._intake, self._log = Intake(self.workspace.lake), ExportLog(self.workspace.lake)

    def at(self, moment: dt.datetime) -> None:
        """Let it be so late, UTC."""
        set_clock(self.folder / "now", moment)

    def take(self, kind: Kind, lines: Sequence[Any]) -> dict[str, Any]:
        """Take lines in, and answer as the API does."""
        result = self._intake.take(self.workspace, kind, lines, "till")
        return {**asdict(result), "refused": [asdict(one) for one in result.refused]}

    def before_week(self, monday: dt.date) -> None:
        """Make the dates that are over, and do the night before a Monday."""
        self._intake.make_dates(self.workspace)
        run_night(self.workspace, MemoryRegistry(), monday - dt.timedelta(days=1), self.seed)

    def export(self, _monday: dt.date) -> None:
        """Hand over the prices of a week."""
        export(self.workspace, FolderTarget(self.folder / "labels", ["json"]), log=self._log)


@dataclass
class ClientInProcess(SalesClient):
    """The till's line to an engine in this process."""

    engine: EngineInProcess | None = None

    def ask(self, path: str, message: Any, retries: int = 0) -> Any:
        """See `SalesClient.ask`."""
        del retries
        kind: Kind = {"/v1/sales": "sales", "/v1/stock": "stock"}.get(path, "traffic")  # type: ignore[assignment]
        assert self.engine is not None  # noqa: S101 - a field after those with defaults has one
        return self.engine.take(kind, message)


def _prepared_folder(folder: Path, world: OutsideWorld) -> Path:
    for name in ("inbox", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_shelf(world, folder / "shelf", _DRAWN)
    return folder.resolve()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1.0).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RefusedRequestError(f"expected an API at {url}, found none after {_PATIENCE:.0f} s; see serve.log")
