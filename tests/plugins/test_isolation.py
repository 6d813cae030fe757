"""The watch itself: each thing that a test can leave is seen, named, and gone before the next test."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import isolation
import pytest

CONFTEST = """
import isolation
pytest_plugins = ["isolation"]
isolation.PATIENCE = 0.3
isolation.KNOWN = frozenset({"KNOWN_TO_BE_LEFT"})
"""

OFFENDERS = """
import os, signal, subprocess, sys, tempfile, threading
import mlflow, prefect.settings, pytest

def test_first(): pass

def test_environment(): os.environ["LEFT"] = "1"
def test_removed_from_the_environment(): del os.environ["HOME"]
def test_folder(): os.chdir("/")
def test_path(): sys.path.append("/nowhere")
def test_temporary(): tempfile.tempdir = "/nowhere"
def test_handler(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
def test_tracking(): mlflow.set_tracking_uri("sqlite:////nowhere.db")
def test_registry(): mlflow.set_registry_uri("sqlite:////nowhere.db")

def test_run(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.start_run()

entered = []

def test_prefect():
    entered.append(prefect.settings.temporary_settings({prefect.settings.PREFECT_API_URL: "http://127.0.0.1:9/api"}))
    entered[0].__enter__()

def test_prefect_is_put_back_by_the_next(): entered[0].__exit__(None, None, None)

done = threading.Event()
def test_thread(): threading.Thread(target=done.wait, name="left").start()
def test_the_thread_is_ended(): done.set()
def test_process(): entered.append(subprocess.Popen(["sleep", "60"]))
def test_the_process_was_killed(): assert entered[1].wait(timeout=10) == -signal.SIGKILL

@pytest.fixture(scope="session")
def session():
    os.environ["OF_A_SESSION"] = "1"
    yield
    os.environ.pop("OF_A_SESSION", None)

def test_session_fixture(session): pass

def test_known(): os.environ["KNOWN_TO_BE_LEFT"] = "1"

def test_of_all_that_nothing_is_left():
    assert "LEFT" not in os.environ and "HOME" in os.environ and "KNOWN_TO_BE_LEFT" not in os.environ
    assert os.getcwd() != "/" and "/nowhere" not in sys.path and tempfile.tempdir != "/nowhere"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert not mlflow.is_tracking_uri_set() and mlflow.active_run() is None
    assert mlflow.get_registry_uri() == mlflow.get_tracking_uri()
"""

MODULES = """
import subprocess
import pytest

@pytest.fixture(scope="module")
def ended():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield
        process.kill()

@pytest.fixture(scope="module")
def left():
    return subprocess.Popen(["sleep", "60"])

def test_while_its_module_goes_on_a_process_may_stay(ended): pass
def test_innocent_beside_it(ended): pass
def test_process_of_a_module(ended, left): pass
"""

CLEAN = """
import os, signal, subprocess, threading

def test_puts_everything_back(monkeypatch, tmp_path):
    monkeypatch.setenv("PUT_BACK", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("/nowhere")
    thread = threading.Thread(target=print)
    thread.start()
    subprocess.run(["true"])
    thread.join()

def test_a_child_hears_the_interrupt():
    with subprocess.Popen(["sleep", "60"]) as child:
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=10) == -signal.SIGINT
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what the watch said of each test, the empty text where it said nothing.

    The run ignores Ctrl-C at first, as one that a script starts in the background does.
    """
    folder = tmp_path_factory.mktemp("watched")
    plugins = Path(isolation.__file__).parent
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {plugins}\n", encoding="utf-8")
    files = {"conftest": CONFTEST, "test_a_clean": CLEAN, "test_offenders": OFFENDERS, "test_of_modules": MODULES}
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    without = [f"-pno:{name}" for name in ("randomly", "dash", "schemathesis", "faker", "xdist", "hypothesispytest")]
    command = [sys.executable, "-m", "pytest", *without, "--basetemp=its", "--junitxml=found.xml", "-q"]
    ignoring = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command]
    subprocess.run(ignoring, cwd=folder, capture_output=True, check=False, timeout=120)
    cases = ET.parse(folder / "found.xml").iter("testcase")  # noqa: S314 - pytest wrote it
    said: dict[str, str] = {}
    for case in cases:
        told = " ".join(str(child.get("message")) + str(child.text) for child in case if child.tag != "system-out")
        said[str(case.get("name"))] = said.get(str(case.get("name")), "") + told
    return said


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("test_environment", "the environment variable LEFT was not set and is '1'"),
        ("test_removed_from_the_environment", "the environment variable HOME was"),
        ("test_folder", "and is /"),
        ("test_path", "/nowhere"),
        ("test_temporary", "tempfile.tempdir was"),
        ("test_handler", "the handler of SIGTERM was"),
        ("test_tracking", "MLflow's server is sqlite:////nowhere.db for the whole process"),
        ("test_registry", "MLflow's registry is sqlite:////nowhere.db for the whole process"),
        ("test_run", "was not ended"),
        ("test_prefect", "Prefect's settings are not those it began with"),
        ("test_thread", "the thread 'left'"),
        ("test_process", "(sleep 60)"),
        ("test_session_fixture", "the environment variable OF_A_SESSION was not set and is '1'"),
        ("test_process_of_a_module", "(sleep 60)"),
    ],
)
def test_what_a_test_leaves_fails_it_by_name(found: dict[str, str], test: str, said: str) -> None:
    assert "expected the process to be as before the test" in found[test]
    assert said in found[test]


@pytest.mark.parametrize(
    "test",
    [
        "test_puts_everything_back",
        "test_a_child_hears_the_interrupt",
        "test_first",
        "test_known",
        "test_prefect_is_put_back_by_the_next",
        "test_the_thread_is_ended",
        "test_the_process_was_killed",
        "test_of_all_that_nothing_is_left",
        "test_while_its_module_goes_on_a_process_may_stay",
        "test_innocent_beside_it",
    ],
)
def test_who_leaves_nothing_is_not_blamed(found: dict[str, str], test: str) -> None:
    assert found[test] == ""
