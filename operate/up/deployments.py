"""The deployments of `prefect.yaml`, the one place that defines what is scheduled."""

from pathlib import Path
from typing import Any

import yaml

from catalog.errors import ServiceError

PREFECT_FILE = Path(__file__).parents[2] / "prefect.yaml"


def work_pool() -> str:
    """Return the name of the work pool of all deployments.

    Raises
    ------
    ServiceError
        When the file is missing, or its deployments name more than one pool.
    """
    pools = {deployment["work_pool"]["name"] for deployment in deployments()}
    if len(pools) != 1:
        raise ServiceError(
            f"{PREFECT_FILE}: expected one work pool for all deployments, found {sorted(pools)}; nothing was deployed"
        )
    return str(pools.pop())


def deployments() -> list[dict[str, Any]]:
    """Return the deployments as the file defines them.

    Raises
    ------
    ServiceError
        When the file is missing; it is in the root folder of a checkout.
    """
    try:
        text = PREFECT_FILE.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ServiceError(
            f"expected {PREFECT_FILE} with the deployments, found none; nothing was deployed: install the project "
            "from its checkout with `make install`"
        ) from error
    return list(yaml.safe_load(text)["deployments"])
