"""Commands that ended, or were killed, before they had done all that they were asked for: the same command goes on."""

from collections.abc import Iterator

from warehouse.finding import Fault
from warehouse.lake import Lake
from warehouse.locks import is_held
from warehouse.notes import all_unended

_LOCKS = {"nightly": "night", "experiment": "experiments"}


def killed_commands(lake: Lake) -> Iterator[Fault]:
    """Yield the commands that were killed recently and are not running again; the lake is consistent without them."""
    for name, last in all_unended(lake.notes).items():
        command, _, store = name.partition("-")
        typed = f"shelfprice {command} --store {store}" if store else f"shelfprice {command}"
        if not is_held(lake.locks, name if store else _LOCKS.get(command, "night")):
            what = f"{command} of {store}" if store else command
            said = f"{what} did not come to its end, {last}"
            yield Fault(said, f"lake/asked/{name}.json", f"`{typed}` goes on with it", is_harm=False)
