"""What a lock is for, in words: whoever is refused because of one reads what the other process is doing."""

import re

_DATE = r"(?P<date>\d{4}-\d{2}-\d{2})"
_IN_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (rf"play-{_DATE}-(?P<group>.+)", "the decisions of {date}, batch {group}, are being played"),
        (rf"batch-{_DATE}-(?P<group>.+)", "the decisions of {date}, batch {group}, are being written"),
        (rf"file-{_DATE}-.+", "the rows of an ingested file of {date} are being written"),
        (rf"prices-{_DATE}", "the price book for {date} is being written"),
        (rf"reprice-{_DATE}-(?P<group>.+)\.t\d+", "the prices of {group} on {date} are being remade"),
        (rf"night-{_DATE}", "the night after {date} is being written"),
        (r"night", "a night, or a backfill, of this lake is being done"),
        (r"training-v(?P<version>.+)", "the training of model version {version} is being written"),
        (r"champion-\d+|promotion", "the champion is being changed or asked for prices"),
        (r"live-(?P<store>.+)", "store {store} is being sold live"),
        (r"learning", "a model is being trained"),
        (r"ingest", "a file is being ingested"),
        (r"standard-input", "a file from standard input is being ingested"),
        (r"shelf", "the products and shoppers of the shelf are being written"),
        (r"export", "prices are being sent to tills and labels"),
        (r"export-record", "what tills and labels are sent, or said, is being written"),
        (r"up", "the services of this home are being run"),
        (r"api-tokens", "the tokens of the quote API are being changed"),
        (r"worker", "the deployments of this home are being executed"),
    )
)

_OF_ONE_MACHINE = re.compile(r"up|worker|api-tokens|standard-input|tracking|run-.+")
"""Locks about this machine's own processes and files: another machine has its own of the same name."""


def is_of_one_machine(lock: str) -> bool:
    """Tell whether a lock is about this machine alone, so that no other one has to see it.

    Examples
    --------
    >>> is_of_one_machine("worker"), is_of_one_machine("night")
    (True, False)
    """
    return _OF_ONE_MACHINE.fullmatch(lock) is not None


def in_words(lock: str) -> str:
    """Say what is being done while a lock is held, as the beginning of a sentence; what is unknown is written.

    Examples
    --------
    >>> in_words("batch-2026-01-05-g000")
    'the decisions of 2026-01-05, batch g000, are being written'
    >>> in_words("demand_cells-2026-01-05-g000")
    'demand_cells-2026-01-05-g000 is being written'
    """
    for pattern, words in _IN_WORDS:
        found = pattern.fullmatch(lock)
        if found:
            return words.format(**found.groupdict())
    return f"{lock} is being written"
