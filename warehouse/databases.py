"""Database files of the services: refused before anything slow where they cannot be used."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from catalog.errors import ServiceError

_WRITER_PATIENCE = 8.0  # seconds for another process that writes into a database


def refuse_unusable(file: Path, remedy: str) -> None:
    """Refuse a SQLite file that is damaged, or that this process cannot write; one that is not there is no matter.

    Raises
    ------
    ServiceError
        When it cannot be used, with the remedy.
    """
    if not file.exists():
        return
    try:
        address = f"file:{quote(str(file))}?mode=rw"
        with closing(sqlite3.connect(address, timeout=_WRITER_PATIENCE, isolation_level=None, uri=True)) as database:
            database.execute("begin immediate")
            database.execute("select count(*) from sqlite_master").fetchone()
            database.execute("rollback")
    except sqlite3.Error as error:
        raise ServiceError(
            f"{file}: expected a database that can be written, found: {error}; nothing was done and old prices hold: "
            f"{remedy}"
        ) from error
