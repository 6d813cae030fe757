"""The core by itself: it sells, learns and prices without any plugin, and refuses what only a plugin can read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from price_shop import Shop
from shell import Terminal

from plugins.desk.price_changes.request import PriceRequest, ask

_PROGRAM = """
import runpy, sys
from catalog import hooks
hooks._registered = lambda name: ()
try:
    runpy.run_module("flows", run_name="__main__", alter_sys=True)
finally:
    loaded = sorted(name for name in sys.modules if name.split(".")[0] in {"plugins", "dashboard"})
    print("loaded:", loaded, file=sys.stderr)
"""


def run(terminal: Terminal, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which no plugin is registered."""
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    return subprocess.run(command, env=terminal.environ, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_the_demo_sells_learns_and_prices_without_any_plugin(terminal: Terminal) -> None:
    done = run(terminal, "demo", "--days", "3", "--stores", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stderr
    assert json.loads(done.stdout)
    asked = run(terminal, "sql", "select count(distinct business_date) as days from interactions", "--json")
    assert json.loads(asked.stdout)["rows"] == [[3]]
    judged = run(terminal, "sql", "select any_value(money), count(*) from model_versions", "--json")
    ((money, count),) = json.loads(judged.stdout)["rows"]
    assert count > 0
    assert set(json.loads(money)) == {"believed"}  # the gate judges by the belief alone


def test_a_lake_with_peoples_orders_is_refused_without_the_desk(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong"), "anna")
    done = run(Terminal(shop.settings.home), "quote", "--sku", "MILK", "--stock", "8")
    assert done.returncode != 0
    assert "shelfprice.orders, found none" in done.stderr, done.stderr
