"""A writer that is killed at any moment: the same command again ends as if nothing had happened.

`KILLS=100 pytest tests/plugins/operations/cluster/test_delta_kills.py` tries more moments than the few of every day.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from catalog.settings import Settings
from plugins.operations.deploy.servers.seaweed import BUCKET, Seaweed

KILLS = int(os.environ.get("KILLS", "2"))
_WORK = Path(__file__).with_name("delta_work.py")
_PATIENCE = 120  # s
_ROOT = Path(__file__).parents[4]


def started(environ: dict[str, str], what: str) -> "subprocess.Popen[str]":
    """Start work, and return when everything is imported."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SHELFPRICE_", "AWS_"))}
    process = subprocess.Popen(
        [sys.executable, str(_WORK), what],
        env={**own, **environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def run(environ: dict[str, str], kill_after: float | None = None) -> float:
    """Play in a process of its own, and return how long it took, seconds."""
    process, begun = started(environ, "play"), time.monotonic()
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.communicate(timeout=_PATIENCE)
    assert kill_after is not None or process.returncode == 0
    return time.monotonic() - begun


def seen(environ: dict[str, str]) -> object:
    said, _ = started(environ, "look").communicate(timeout=_PATIENCE)
    return json.loads(said)


def test_killed_at_random_moments_and_run_again_it_ends_as_if_undisturbed(
    object_store: Seaweed, bucket_settings: Settings, tmp_path: Path
) -> None:
    undisturbed = {"SHELFPRICE_HOME": str(tmp_path / "undisturbed")}
    longest, dice = run(undisturbed), random.Random(os.urandom(8))
    expected = seen(undisturbed)
    for number in range(KILLS):
        lake = f"s3://{BUCKET}/{bucket_settings.home.parent.name}-{os.getpid()}-{number}"
        own = {**object_store.environment, "SHELFPRICE_LAKE": lake, "SHELFPRICE_HOME": str(tmp_path / str(number))}
        moment = dice.uniform(0, longest)
        run(own, kill_after=moment)
        longest = max(longest, run(own))
        assert seen(own) == expected, f"killed after {moment:.3f} s"
