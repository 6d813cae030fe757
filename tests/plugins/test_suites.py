"""Every test belongs to a suite, and none waits for ever."""

import subprocess
import sys
from pathlib import Path

from suites import suites_of

ROOT = Path(__file__).parents[2]


def test_a_test_that_asks_for_a_browser_or_a_running_prefect_is_of_the_suite_of_servers() -> None:
    assert suites_of("tests/dashboard/test_app.py::test_x", ["browser", "tmp_path"]) == {"server"}
    assert suites_of("tests/flows/test_ingest.py::test_x", ["prefect_server"]) == {"server"}
    assert suites_of("tests/e2e/test_up.py::test_x", []) == {"server"}
    assert suites_of("tests/serving/test_quotes.py::test_x", ["tmp_path"]) == set()


def test_a_test_that_waits_for_ever_fails_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "test_waits.py").write_text(
        "import threading\n\ndef test_waits():\n    threading.Event().wait()\n\ndef test_goes_on():\n    pass\n",
        encoding="utf-8",
    )
    said = run_of(tmp_path, "-o", "timeout=8")
    assert "1 failed, 1 passed" in said
    assert "Timeout" in said


def test_a_plain_test_that_starts_a_server_runs_a_flow_or_kills_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["suites"]', encoding="utf-8")
    (tmp_path / "test_offends.py").write_text(OFFENDERS, encoding="utf-8")
    said = run_of(tmp_path)
    assert "4 passed, 3 errors" in said
    for offence in ("started 'prefect_server'", "ran a flow", "killed a process"):
        assert f"found one that {offence}" in said


OFFENDERS = """
import prefect, pytest, signal, subprocess, sys

START = [sys.executable, "-c", "pass", "prefect_server"]
def test_starts(): subprocess.run(START, check=True)
def test_flows():
    try:
        prefect.flow(lambda: None)(unexpected=1)
    except Exception:
        pass
def test_kills():
    with subprocess.Popen(["sleep", "60"]) as child:
        child.kill()
@pytest.mark.server
def test_of_servers(): subprocess.run(START, check=True)
"""


def run_of(folder: Path, *options: str) -> str:
    """Return what a run of the tests in a folder says, with the settings of this project."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *options]
    command += [f"--basetemp={folder}/its", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return ran.stdout + ran.stderr
