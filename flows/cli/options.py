"""Options that several commands share, what the shell offers for them, and what is refused before anything starts."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.bounds import HIGHEST_NUMBER
from catalog.errors import DataError, ShelfpriceError
from catalog.load import folder_of, load
from catalog.settings import read_settings

_EARLIEST, _LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
HIGHEST = HIGHEST_NUMBER


def in_calendar(moment: dt.datetime | None) -> dt.datetime | None:
    """Return a date that a store could have sold on; any other is wrong usage."""
    if moment is not None and not _EARLIEST <= moment.date() <= _LATEST:
        raise typer.BadParameter(f"expected a date from {_EARLIEST} to {_LATEST}, found {moment.date()}")
    return moment


def not_empty(text: str | None) -> str | None:
    """Return a text that says something; an empty one is wrong usage."""
    if text is not None and not text.strip():
        raise typer.BadParameter("expected a text, found an empty one")
    return text


def date_option(*names: str, **more: Any) -> Any:
    """Return the option of a business date."""
    return typer.Option(*names, formats=["%Y-%m-%d"], metavar="DATE", callback=in_calendar, **more)


Catalog = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="DIR",
        envvar="SHELFPRICE_CATALOG",
        help="Folder with products.yaml and store.yaml, or the name of one that ships, such as classic.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, everything else on stderr.")]
Start = Annotated[dt.datetime, date_option(help="First business date.", show_default="2026-01-05")]
Through = Annotated[dt.datetime | None, date_option(help="Last business date to use; by default the newest.")]
Days = Annotated[int, typer.Option(min=1, max=36_500, help="Number of business dates.")]
Stores = Annotated[
    int | None, typer.Option(min=1, max=100_000, help="Number of stores; by default those of the catalog.")
]
OneStore = Annotated[str | None, typer.Option("--store", help="One store, such as S01; by default every store.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed; equal seeds give the same shoppers.")]
"""As far as scikit-learn takes one."""

FIRST_DAY = dt.datetime(2026, 1, 5)  # noqa: DTZ001 - a calendar date, as typer parses one


def text_of(catalog: Path | None) -> str | None:
    """Return a catalog folder as flows take it.

    Raises
    ------
    CatalogError
        When its files cannot be used.
    DataError
        When it is no folder.
    """
    if catalog is None:
        return None
    folder = folder_of(catalog)
    if not folder.is_dir():
        raise DataError(
            f"--catalog {catalog}: expected a folder with products.yaml and store.yaml, or the name of one that ships, "
            "such as classic; found neither; nothing was done: name one, or leave --catalog out for the default shelf"
        )
    load(folder)
    return str(folder.resolve())


def date_of(moment: dt.datetime | None) -> dt.date | None:
    """Return the date of an option that may be left out."""
    return moment.date() if moment else None


def refuse_beyond_calendar(start: dt.datetime, days: int) -> None:
    """Refuse, as wrong usage, business dates of which the last one is beyond the calendar."""
    room = (_LATEST - start.date()).days + 1
    if days > room:
        raise typer.BadParameter(
            f"expected at most {room} from {start.date()}, for dates end on {_LATEST}; found {days}",
            param_hint="'--days'",
        )


def refuse_unwritable(file: Path) -> None:
    """Refuse, before long work, a file that could not be written after it."""
    if file.is_dir() or not file.parent.is_dir():
        found = "a folder" if file.is_dir() else f"no folder {file.parent}"
        raise DataError(f"expected a file in a folder that exists, found {found}; nothing was done: name another file")


def known_skus(context: typer.Context, incomplete: str) -> list[str]:
    """Return the products whose sku begins as typed."""
    return [sku for sku in _names_of(context)[0] if sku.startswith(incomplete)]


def known_stores(context: typer.Context, incomplete: str) -> list[str]:
    """Return the stores whose name begins as typed."""
    return [store for store in _names_of(context)[1] if store.startswith(incomplete)]


def _names_of(context: typer.Context) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the products and stores of the command's catalog; none, for the shell is no place for its errors."""
    try:
        named = context.params.get("catalog") or read_settings().catalog_dir
        catalog = load(Path(named) if named else None)
    except (ShelfpriceError, OSError):
        return (), ()
    return catalog.skus, catalog.store.stores
