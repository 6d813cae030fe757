"""The command that removes all generated data, or what one side published. It starts no service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from catalog.errors import Declined
from catalog.settings import Settings, read_settings
from flows.cli.console import progress_bars, remark, show_table
from flows.environment import prepare

if TYPE_CHECKING:
    from cluster.delta.store import DeltaStore

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
Only = Annotated[
    Literal["twin", "retailer"] | None,
    typer.Option("--only", help="Remove what this side published, and leave the other side as it was."),
]


def reset(only: Only = None, yes: Yes = False) -> None:
    """Remove all generated data: the lake, the warehouse, the models, the runs, and tokens of the quote API.

    With --only, take a mixture apart: everything that the twin, or the retailer, published is removed, with the books
    and models that learned from the mixture. The other side stays byte for byte as it was.
    """
    settings = read_settings()
    home: Path = settings.home
    if only is not None:
        _reset_side(home, only, yes=yes)
        return
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


def _elsewhere(settings: Settings) -> "DeltaStore | None":
    """Return the store of a lake that is not in the home, where there is one.

    Raises
    ------
    Declined
        When other objects stand under its prefix.
    """
    from cluster.delta.open import open_delta

    store = open_delta(settings)
    if strangers := store.strangers():
        raise Declined(
            f"{store.address} also holds {strangers[0]}, which Shelfprice did not make; nothing was removed: move it "
            "away first"
        )
    return store if store.exists() else None


def _reset_side(home: Path, side: Literal["twin", "retailer"], *, yes: bool) -> None:
    whose = {"twin": "the twin's decisions", "retailer": "the retailer's decisions"}[side]
    if not yes and not typer.confirm(f"Remove {whose} from {home}, and the books and models that learned from them?"):
        raise Declined("nothing was removed")
    settings = prepare()
    with progress_bars():
        from flows.progress import tell
        from training.mlflow.registry import MlflowRegistry
        from training.take_apart import take_apart

        done = take_apart(settings, MlflowRegistry(settings), side, tell)
    show_table(f"Removed with {whose}", ["table", "partitions"], [list(row) for row in done.removed.items()])
    if done.versions:
        remark(f"no longer used, for they may have learned from it: model versions {', '.join(done.versions)}")
    if done.kept_shelf:
        remark(f"{done.kept_shelf} was corrected by hand and stays")
    remark(f"{home} now holds {_left(done.left.holds) if done.left else 'no decisions'}")


def _left(holds: str) -> str:
    return {"twin": "the twin's decisions alone", "retailer": "a retailer's decisions alone"}.get(holds, "a mixture")
