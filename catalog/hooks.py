"""What wings add to the core: each registers by an entry point, and the core asks for it by the name of a hook.

A wing is a package that stands on the core, of this distribution or of another one. Its entry point names a module or a
function; the caller says which protocol that follows.
"""

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from catalog.errors import SettingError


@cache
def registered(hook: str) -> tuple[Any, ...]:
    """Return what is registered for a hook, such as `after_night`, in the order of the wings' names."""
    found = sorted(_installed().select(group=f"shelfprice.{hook}"), key=lambda entry: entry.name)
    return tuple(entry.load() for entry in found)


@cache
def _installed() -> Any:  # its type is another one in Python 3.12
    """Return all entry points, for which every package that is installed is opened: once, whatever is asked for."""
    return entry_points()


def provider(hook: str) -> Any | None:
    """Return what one wing provides for a hook; None where no wing does.

    Raises
    ------
    SettingError
        When two wings do: which of them counts would be chance.
    """
    found = registered(hook)
    if len(found) > 1:
        raise SettingError(f"expected one provider of shelfprice.{hook}, found {len(found)}: uninstall all but one")
    return found[0] if found else None


def needed(hook: str, why: str) -> Any:
    """Return what a wing provides for a hook that cannot be done without.

    Parameters
    ----------
    why
        What asks for it, such as the name of a setting.

    Raises
    ------
    SettingError
        When no wing provides it.
    """
    found = provider(hook)
    if found is None:
        raise SettingError(
            f"{why}: expected an installed package that provides shelfprice.{hook}, found none; nothing was done: run "
            "`make install`"
        )
    return found
