"""`python -m training.mlflow.server`: MLflow's server behind a front door that lets no other site in.

MLflow itself checks the host of most requests, but it lets pages of every port of this machine write. The parts of it
that start programs or call other services are closed: nothing here uses them.
"""

import argparse
import os

from catalog.front_door import FrontDoor

_CLOSED = ("/ajax-api/3.0/mlflow/assistant", "/ajax-api/3.0/jobs", "/gateway")


def main() -> None:
    """Serve runs, models and their files until asked to stop."""
    parser = argparse.ArgumentParser(prog="python -m training.mlflow.server")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--names", required=True, help="host names that it answers to, separated by commas")
    parser.add_argument("--store", required=True, help="address of the database")
    parser.add_argument("--artifacts", required=True, help="address of the folder of files")
    given = parser.parse_args()

    import uvicorn  # noqa: PLC0415 - `--help` needs nothing
    from mlflow.server import constants  # noqa: PLC0415
    from mlflow.server.handlers import initialize_backend_stores  # noqa: PLC0415

    root = "mlflow-artifacts:/"  # as `mlflow server` names files that it hands on itself
    os.environ.update(
        {
            constants.BACKEND_STORE_URI_ENV_VAR: given.store,
            constants.ARTIFACT_ROOT_ENV_VAR: root,
            constants.ARTIFACTS_DESTINATION_ENV_VAR: given.artifacts,
            constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        }
    )
    initialize_backend_stores(given.store, given.store, root)
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - it reads the environment

    uvicorn.run(FrontDoor(app, given.names.split(","), _CLOSED), host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
