"""Options that several commands share."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import DataError

Catalog = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="DIR",
        envvar="SHELFPRICE_CATALOG",
        help="Folder with products.yaml and store.yaml, instead of the default.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, everything else on stderr.")]
Start = Annotated[
    dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="First business date.", show_default="2026-01-05")
]
Through = Annotated[
    dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last business date to use; by default the newest.")
]
Days = Annotated[int, typer.Option(min=1, max=36_500, help="Number of business dates.")]
Stores = Annotated[
    int | None, typer.Option(min=1, max=100_000, help="Number of stores; by default those of the catalog.")
]
Seed = Annotated[int, typer.Option(min=0, help="Random seed; equal seeds give the same shoppers.")]
AllowMixture = Annotated[
    bool,
    typer.Option(
        "--allow-mixture",
        help="Mix the twin's decisions with a retailer's in one lake; `shelfprice reset --only` takes them apart.",
    ),
]

FIRST_DAY = dt.datetime(2026, 1, 5)  # noqa: DTZ001 - a calendar date, as typer parses one


def text_of(catalog: Path | None) -> str | None:
    """Return a catalog folder as flows take it; it must be a folder."""
    if catalog is not None and not catalog.is_dir():
        raise DataError(f"--catalog {catalog}: expected a folder with products.yaml and store.yaml, found none there")
    return str(catalog.resolve()) if catalog else None


def date_of(moment: dt.datetime | None) -> dt.date | None:
    """Return the date of an option that may be left out."""
    return moment.date() if moment else None


def refuse_unwritable(file: Path) -> None:
    """Refuse, before long work, a file that could not be written after it."""
    if file.is_dir() or not file.parent.is_dir():
        found = "a folder" if file.is_dir() else f"no folder {file.parent}"
        raise DataError(f"expected a file in a folder that exists, found {found}; nothing was done: name another file")
