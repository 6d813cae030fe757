"""What needs no service to be refused is refused before Prefect, MLflow and scikit-learn are imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = ("prefect", "mlflow", "sklearn", "matplotlib", "dash", "waitress", "flask")
REFUSED = {
    "backwards": ("backfill", "--start", "2026-02-02", "--end", "2026-01-01"),
    "no folder": ("simulate", "--catalog", "/nowhere"),
    "an empty folder": ("pipeline", "--catalog", "."),
    "no cells to learn from": ("train",),
    "no cells to price by": ("price",),
    "no store": ("live", "--store", "X9"),
    "no world to live in": ("compare", "--world", "magic"),
    "no file": ("ingest", "/nowhere.csv"),
    "an address": ("ingest", "https://shop.example/sales.csv"),
    "no credential": ("monitor", "--host", "0.0.0.0"),  # noqa: S104 - refused
    "beyond the calendar": ("simulate", "--start", "9999-12-31"),
}
PROGRAM = """
import json, sys
from contextlib import redirect_stderr
from io import StringIO
from flows.cli.main import main

found, (refused, slow) = {}, map(json.loads, sys.argv[1:])
for name, typed in refused.items():
    sys.argv = ["shelfprice", *typed]
    try:
        main()
        code = None
    except SystemExit as ended:
        code = ended.code
    found[name] = [code, sorted(set(slow) & set(sys.modules))]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, list[str]]]:
    """Return the exit code of each, and what was imported by then, of one process that is told all of them."""
    home = tmp_path_factory.mktemp("empty")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(REFUSED), json.dumps(SLOW)],
        env={**os.environ, "SHELFPRICE_HOME": str(home / "data")},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not Path(home / "data").exists()  # and nothing was made
    return {name: tuple(found) for name, found in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_before_anything_slow_is_imported(refused: dict[str, tuple[int, list[str]]], name: str) -> None:
    code, imported = refused[name]
    assert code == (2 if name == "beyond the calendar" else 1)
    assert imported == []
