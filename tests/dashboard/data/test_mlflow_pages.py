import socket
from contextlib import closing

from catalog.settings import read_settings
from dashboard.data.mlflow_pages import mlflow_pages


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
