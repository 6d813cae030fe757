"""A grocer rehearses: over HTTP and by commands, or by calls in this process, it earns the same to the cent."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catalog.settings import read_settings
from warehouse.lake import Lake

pytestmark = pytest.mark.server

COMMAND = [sys.executable, "-m", "evaluation.outside_store", "grocer", "--size", "2x4", "--first-monday", "2026-01-12"]
SPAN = ["--owner-weeks", "1", "--weeks", "1", "--seed", "3"]


def rehearsed(folder: Path, *more: str) -> dict[str, Any]:
    command = [*COMMAND, *SPAN, "--rehearse", str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_over_http_and_by_commands_it_earns_what_it_earns_in_this_process_to_the_cent(
    tmp_path: Path, prefect_server: str
) -> None:
    served, called = rehearsed(tmp_path / "served"), rehearsed(tmp_path / "called", "--in-process")
    assert served == called
    assert served["refused"] == []
    assert served["weeks"][-1]["expected_eur"] != served["weeks"][-1]["owner_eur"], "prices were drawn"
    proofs = []
    for place in ("served", "called"):
        lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / place / "home")}))
        parts = list(lake.partitions("price_draws"))
        assert {row["seed"] for part in parts for row in lake.read(part).to_pylist()} == {3}, "the seed of the run"
        proofs.append([lake.sha256(part) for part in parts])
    assert len(proofs[0]) == 1
    assert proofs[0] == proofs[1]
