"""The command that removes all generated data. It starts no service."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import Declined
from catalog.settings import read_settings
from flows.cli.console import remark

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_GENERATED = {
    *("failures", "lake", "locks", "mlflow", "prefect", "scratch", "set-aside", "shelf", "warehouse.duckdb"),
    *("services.json", "services.json.draft"),
}


def reset(yes: Yes = False) -> None:
    """Remove all generated data: the lake, the warehouse, the models and the runs."""
    from shutil import rmtree

    home: Path = read_settings().home
    if not home.exists():
        remark(f"{home}: nothing to remove")
        return
    others = sorted(path.name for path in home.iterdir() if path.name not in _GENERATED)
    if others:
        raise Declined(
            f"{home} also holds {others[0]}, which Shelfprice did not make; nothing was removed: move it away first"
        )
    if not yes and not typer.confirm(f"Remove everything in {home}?"):
        raise Declined("nothing was removed")
    rmtree(home)
    remark(f"removed {home}")
