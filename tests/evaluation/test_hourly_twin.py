"""The twin as an outside store that says who came: it loses hardly more than the embedded one on the same shoppers."""

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from hourly_store import RULES, short_catalog

from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from connect.api.api_tokens import add_token
from connect.api.app import application
from connect.intake.intake import Kind
from evaluation.outside_store.engine import InProcess
from evaluation.outside_store.hourly_twin import TwinStore, hourly_loss, outside_catalog, sell_outside, trained_every

DAYS = 1


@pytest.mark.slow
def test_the_twin_behind_the_intake_loses_hardly_more_than_the_embedded_one() -> None:
    found = hourly_loss(trained_every(short_catalog(), 30), 1, 3)
    assert found.more < 0.03, "noise of three short days"
    assert found.outside.sum() > 0.9 * found.most.sum()
    assert len(np.unique(found.prices)) > found.prices.shape[-1], "prices move"


class OverHttp(InProcess):
    """The same, and what the store tells goes over HTTP."""

    client: httpx.Client

    def tell(self, kind: Kind, messages: Sequence[Any], now: dt.datetime) -> None:
        self.at(now)
        answer = self.client.post(f"/v1/{kind}", json=list(messages))
        assert answer.json()["refused"] == [], answer.text


@contextmanager
def served(engine: OverHttp, folder: Path) -> Iterator[str]:
    """Serve the API with the engine's clock; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = application(engine.workspace.settings, folder)
    app.state.intake._intake = engine.intake
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends = time.monotonic() + 60
    while not server.started and time.monotonic() < ends:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def write_catalog(folder: Path) -> Path:
    """Write the short store's catalog, sold outside and priced hourly."""
    folder.mkdir()
    (folder / "products.yaml").write_bytes((CLASSIC / "products.yaml").read_bytes())
    lines = (
        (CLASSIC / "store.yaml").read_text(encoding="utf-8").replace('closes: "20:00"', 'closes: "11:00"').splitlines()
    )
    kept = [line for line in lines if not line.startswith(("hourly_profile", "stores"))]
    rules = f"{{products: all, changes: hourly, band: {RULES.band}, step: {RULES.step}}}"
    own = ["stores: [S01]", "hourly_profile: [0.6, 0.8, 1.0]", "sales: outside", f"drawn_prices: {rules}", ""]
    (folder / "store.yaml").write_text("\n".join([*kept, *own]), encoding="utf-8")
    return folder


@pytest.mark.play
@pytest.mark.usefixtures("few_trees")
def test_over_http_it_earns_the_same_to_the_cent(tmp_path: Path) -> None:
    folder = write_catalog(tmp_path / "catalog")
    world = TwinStore(1, short_catalog())
    catalog = outside_catalog(short_catalog(), RULES)
    assert load(folder).fingerprint == catalog.fingerprint
    plain = InProcess(read_settings({"SHELFPRICE_HOME": str(tmp_path / "plain")}), catalog, 1)
    engine = OverHttp(read_settings({"SHELFPRICE_HOME": str(tmp_path / "http")}), catalog, 1)
    engine.intake._ready_for = catalog.fingerprint
    token = add_token(engine.workspace.settings, "till", ("sell",), dt.datetime.now(dt.UTC))
    till = {"Authorization": f"Bearer {token}"}
    with served(engine, folder) as url, httpx.Client(base_url=url, headers=till, timeout=60) as engine.client:
        gains, prices = sell_outside(world, engine, DAYS)
    same, shown = sell_outside(world, plain, DAYS)
    assert gains.round(2).tolist() == same.round(2).tolist()
    assert np.array_equal(prices, shown)
