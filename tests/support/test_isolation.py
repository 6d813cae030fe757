"""The watch itself: each thing that a test can leave is seen, named, and gone before the next test."""

import re
import subprocess
import sys
from pathlib import Path

import isolation

TESTS = """
import os, signal, subprocess, sys, threading
import mlflow, prefect.settings, pytest

def test_clean(monkeypatch, tmp_path):
    monkeypatch.setenv("PUT_BACK", "1")
    monkeypatch.chdir(tmp_path)
    subprocess.run(["true"])

def test_sets(): os.environ["LEFT"] = "1"; del os.environ["HOME"]; os.chdir("/"); sys.path.append("/nowhere")
def test_handles(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
def test_tracks(): mlflow.set_tracking_uri("sqlite:////nowhere.db")
done, started = threading.Event(), []
def test_starts(): started.append(subprocess.Popen(["sleep", "60"]))
def test_it_was_killed(): assert started[0].wait(timeout=10) == -signal.SIGKILL
def test_threads(): threading.Thread(target=done.wait, name="left").start()
def test_the_thread_ends(): done.set()

def test_of_all_that_nothing_is_left():
    assert "LEFT" not in os.environ and "HOME" in os.environ and os.getcwd() != "/" and "/nowhere" not in sys.path
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and not mlflow.is_tracking_uri_set()
"""


def test_what_a_test_leaves_fails_it_by_name_and_is_gone_before_the_next(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        'import isolation\npytest_plugins = ["isolation"]\nisolation.PATIENCE = 2.0\n', encoding="utf-8"
    )
    (tmp_path / "test_leaves.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {Path(isolation.__file__).parent}\n", encoding="utf-8"
    )
    without = [f"-pno:{name}" for name in ("randomly", "dash", "schemathesis", "faker", "xdist", "hypothesispytest")]
    command = [sys.executable, "-m", "pytest", *without, "--basetemp=its", "-q"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    for said in ("$LEFT was None", "$HOME was", "/nowhere", "SIGTERM was", "nowhere.db", "sleep 60", "'left'"):
        assert said in ran.stdout
    assert "9 passed" in ran.stdout
    failed = re.findall(r"ERROR at teardown of (\w+)", ran.stdout)
    assert failed == ["test_sets", "test_handles", "test_tracks", "test_starts", "test_threads"], ran.stdout
