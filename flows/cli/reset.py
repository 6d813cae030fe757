"""The command that removes all generated data. It starts no service."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import Declined
from catalog.settings import Settings, read_settings
from catalog.wings import needed
from flows.cli.command import command
from flows.cli.console import remark

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_GENERATED = {
    *(
        "api",
        "dask",
        "failures",
        "incoming",
        "lake",
        "locks",
        "mlflow",
        "prefect",
        "scratch",
        "set-aside",
        "shelf",
        "spill",
        "tokens",
        "warehouse.duckdb",
    ),
    *("services.json", "services.json.draft"),
}


@command("lake", when_stopped="stopped; what was not removed stands: run the same command again to remove it")
def reset(yes: Yes = False) -> None:
    """Remove all generated data: the lake, the warehouse, the models, the runs, and tokens of the quote API."""
    settings = read_settings()
    home: Path = settings.home
    from shutil import rmtree

    lake = None if settings.lake_address is None else _elsewhere(settings)
    if not home.exists() and lake is None:
        remark(f"{home}: nothing to remove")
        return
    others = sorted(path.name for path in home.glob("*") if path.name not in _GENERATED)
    if others:
        raise Declined(
            f"{home} also holds {others[0]}, which Shelfprice did not make; nothing was removed: move it away first"
        )
    what = f"{home}, and the lake in {lake.address}, whoever else uses it" if lake else str(home)
    if not yes and not typer.confirm(f"Remove everything in {what}?"):
        raise Declined("nothing was removed")
    if lake:
        lake.clear()
    rmtree(home, ignore_errors=not home.exists())
    remark(f"removed {home}{f' and the lake in {lake.address}' if lake else ''}")


def _elsewhere(settings: Settings) -> Any | None:
    """Return the store of a lake that is not in the home, where there is one.

    Raises
    ------
    Declined
        When other objects stand under its prefix.
    """
    store = needed("store", "SHELFPRICE_LAKE")(settings)
    if strangers := store.strangers():
        raise Declined(
            f"{store.address} also holds {strangers[0]}, which Shelfprice did not make; nothing was removed: move it "
            "away first"
        )
    return store if store.exists() else None
