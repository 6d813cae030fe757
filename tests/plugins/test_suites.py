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
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-o",
        "timeout=8",
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    command += ["--rootdir", str(tmp_path), "-p", "no:cacheprovider", str(tmp_path / "test_waits.py")]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "1 failed, 1 passed" in found.stdout, found.stdout + found.stderr
    assert "Timeout" in found.stdout
