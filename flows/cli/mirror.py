"""`shelfprice mirror`: the lake as a plain folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.errors import DataError, LakeError
from catalog.settings import Settings, read_settings
from flows.cli.console import emit, progress_bars, remark
from flows.cli.options import Json

if TYPE_CHECKING:
    from cluster.mirror.source import Source

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the mirror, outside the data folder.")]


def mirror(folder: Folder, as_json: Json = False) -> None:
    """Copy the lake as it is at one moment into plain Parquet files, for programs that know no Delta log.

    DIR/current leads to the newest copy: follow the link once, then read. Files that have not changed since the last
    mirror are not copied again. The copy before stays until the next mirror.

    For example:
      shelfprice mirror /srv/shelfprice-mirror
    """
    from cluster.mirror.write import CURRENT
    from cluster.mirror.write import mirror as copy
    from flows.progress import tell

    settings = read_settings()
    if folder.resolve().is_relative_to(settings.home):
        raise DataError(
            f"{folder}: expected a folder outside {settings.home}; nothing was written: name another folder"
        )
    with progress_bars():
        done = copy(_source(settings), folder, lambda number, total: tell("mirroring", number, total))
    if as_json:
        emit({"folder": str(folder / CURRENT), **vars(done)})
    remark(
        f"{folder / CURRENT}: {done.partitions:,} partitions, of which {done.copied:,} were copied "
        f"({done.bytes / 1e6:,.1f} MB)"
    )


def _source(settings: Settings) -> "Source":
    from cluster.mirror.source import FolderSource

    if settings.lake_address is None:
        if not settings.lake.is_dir():
            raise LakeError(f"{settings.lake}: expected a lake, found none; nothing was mirrored")
        return FolderSource(settings.lake)
    from cluster.delta.open import open_delta

    store = open_delta(settings)
    from cluster.delta.mirrored import DeltaSource

    return DeltaSource(store)
