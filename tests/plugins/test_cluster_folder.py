"""The tests on real servers are skipped with the reason where these cannot run, and fail where they were asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HIDE = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in {"obstore", "psycopg"} else found(name, *more)
"""


def run_them(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a file of that folder as if two packages were missing."""
    (folder / "hide_packages.py").write_text(HIDE)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "hide_packages", "tests/cluster/test_servers.py"],
        env={**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": f"--basetemp={folder}/its", **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_they_are_skipped_with_the_reason(tmp_path: Path) -> None:
    done = run_them(tmp_path)
    assert "obstore, psycopg not installed: make install-cluster" in done.stdout
    assert "1 skipped" in done.stdout
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_where_they_were_asked_for_that_is_an_error(tmp_path: Path) -> None:
    done = run_them(tmp_path, CLUSTER="required")
    assert "obstore, psycopg not installed: make install-cluster" in done.stdout
    assert done.returncode == pytest.ExitCode.INTERRUPTED
