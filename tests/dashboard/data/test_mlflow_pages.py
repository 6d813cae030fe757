import socket
from contextlib import closing
from pathlib import Path

from catalog.settings import read_settings
from dashboard.data.versions import mlflow_pages
from warehouse.commits.locks import UP, held
from warehouse.databases import keep_trainings_page, trainings_page


def test_mlflows_pages_are_where_something_listens_and_nowhere_else() -> None:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        at = f"127.0.0.1:{listening.getsockname()[1]}"
        as_a_file = read_settings({"SHELFPRICE_MLFLOW_ADDRESS": at})
        as_a_server = read_settings({"MLFLOW_TRACKING_URI": f"http://{at}/"})
        assert mlflow_pages(as_a_file) == mlflow_pages(as_a_server) == f"http://{at}"
    assert mlflow_pages(as_a_file) is None
    assert mlflow_pages(as_a_server) is None


def test_the_trainings_have_a_page_once_there_is_one_and_while_mlflow_is_served(tmp_path: Path) -> None:
    home = {"SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_MLFLOW_ADDRESS": "127.0.0.1:5005"}
    settings = read_settings(home)
    elsewhere = read_settings({**home, "MLFLOW_TRACKING_URI": "http://mlflow.example/"})
    assert trainings_page(elsewhere) is None  # nothing was trained yet
    keep_trainings_page(settings, "17")
    assert trainings_page(settings) is None  # nothing serves it
    shown = "#/experiments/17/runs?viewStateShareKey=shelfprice&workflowType=machine_learning"
    with held(settings.locks, UP):
        assert trainings_page(settings) == f"http://127.0.0.1:5005/{shown}"
    assert trainings_page(elsewhere) == f"http://mlflow.example/{shown}"
