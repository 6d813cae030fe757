"""`python -m plugins.operations.up.mlflow_server`: MLflow's server behind a front door that lets no other site in.

MLflow itself checks the host of most requests, but it lets pages of every port of this machine write, and it asks for
no credential: whoever reaches it can have files written to any place, as this user, and name a champion. So the door
asks for one. Parts that start programs or call other services are closed: nothing here uses them.
"""

import argparse
import os

from plugins.connect.api.front_door import FrontDoor

LOGIN_VARIABLE = "SHELFPRICE_MLFLOW_LOGIN"
"""The environment variable that hands this process the credential, `user:password`."""

STORE_VARIABLE = "SHELFPRICE_MLFLOW_STORE"
"""The environment variable that hands this process the address of its database, which may hold a password."""

_PARTS = ("assistant", "demo", "gateway", "jobs", "prompt-optimization")
_CLOSED = (
    *("/gateway", "/api/3.0/jobs", "/ajax-api/3.0/jobs"),
    *(
        f"/{api}/{version}/mlflow/{part}"
        for api in ("api", "ajax-api")
        for version in ("2.0", "3.0")
        for part in _PARTS
    ),
    *(
        f"/{api}/3.0/mlflow/{part}/invoke"
        for api in ("api", "ajax-api")
        for part in ("scorer", "issues", "genai/evaluate")
    ),
)


def main() -> None:
    """Serve runs, models and their files until asked to stop."""
    parser = argparse.ArgumentParser(prog="python -m plugins.operations.up.mlflow_server")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--names", required=True, help="host names that it answers to, separated by commas")
    parser.add_argument("--artifacts", required=True, help="address of the folder of files")
    given = parser.parse_args()
    store = os.environ[STORE_VARIABLE]

    import uvicorn  # noqa: PLC0415 - `--help` needs nothing
    from mlflow.server import constants  # noqa: PLC0415
    from mlflow.server.handlers import initialize_backend_stores  # noqa: PLC0415

    from training.mlflow.database import make_first  # noqa: PLC0415

    root = "mlflow-artifacts:/"  # as `mlflow server` names files that it hands on itself
    make_first(store, root)
    os.environ.update(
        {
            constants.BACKEND_STORE_URI_ENV_VAR: store,
            constants.ARTIFACT_ROOT_ENV_VAR: root,
            constants.ARTIFACTS_DESTINATION_ENV_VAR: given.artifacts,
            constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        }
    )
    initialize_backend_stores(store, store, root)
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - it reads the environment

    door = FrontDoor(app, given.names.split(","), _CLOSED, login=os.environ[LOGIN_VARIABLE], open_to_all=["/health"])
    uvicorn.run(door, host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
