"""While a database is away, its users' log lines say so in a line each: a hundred tracebacks would tell no more."""

import logging
from collections.abc import Iterator
from typing import Any

from catalog.errors import first_line

_LOST = ("connection is closed", "connection was closed", "cannotconnectnow", "shutting down", "starting up")


def tell_outages_briefly() -> None:
    """From here on, an error in the log that came from a lost connection is one line without its traceback."""
    make = logging.getLogRecordFactory()

    def brief_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        error = record.exc_info[1] if record.exc_info else None
        lost = next((one for one in _chain_of(error) if _is_lost_connection(one)), None)
        if lost is not None:
            record.msg = f"{first_line(Exception(record.getMessage()))} ({first_line(lost)})"
            record.args, record.exc_info, record.exc_text = (), None, None
        return record

    logging.setLogRecordFactory(brief_record)


def _chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those that it came from."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_lost_connection(error: BaseException) -> bool:
    said = f"{type(error).__name__} {error}".lower()
    return isinstance(error, ConnectionError) or any(sign in said for sign in _LOST)
