"""Several processes that begin in one new home at once: all of them get it ready, and none is sent away."""

import subprocess
import sys
from pathlib import Path

from catalog.settings import read_settings
from warehouse.lake import Lake

OPENS = "from flows.workspace import open_workspace; open_workspace(None)"


def test_processes_that_begin_in_a_new_home_at_once_wait_for_each_other(tmp_path: Path) -> None:
    home = {"SHELFPRICE_HOME": str(tmp_path)}
    begun = [subprocess.Popen([sys.executable, "-c", OPENS], env=home, stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate(timeout=120)[1].decode() for process in begun]
    assert [process.returncode for process in begun] == [0] * 4, said
    lake = Lake(read_settings(home))
    assert len(list(lake.partitions("products"))) == 1
