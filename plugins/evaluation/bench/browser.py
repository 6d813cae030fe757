"""Find a browser for tests, screenshots and measurements: Chromium, Chrome or Edge, wherever it is installed.

`python -m plugins.evaluation.bench.browser` finds one or tries to get one, in bounded time, and says what to do where
it cannot: Playwright's own Chromium first, which goes into the user's cache, then Debian's package where no password
is asked for. What it gets must start: Playwright's Chromium lacks system libraries on a bare Debian.

`SHELFPRICE_BROWSER` names the browser to use. A path that holds none means that there is none, and none is fetched.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import ShelfpriceError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Playwright

SETTING = "SHELFPRICE_BROWSER"
REMEDY = "install Chromium, Chrome or Edge, run `python -m playwright install chromium`, or set SHELFPRICE_BROWSER"
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_COMMANDS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "microsoft-edge-stable", "msedge"),
)
_USUAL_PLACES = (
    *("/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/microsoft-edge", "/snap/bin/chromium"),
    *("/opt/google/chrome/chrome", "/opt/microsoft/msedge/msedge"),
    *(f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Chromium", "Google Chrome", "Microsoft Edge")),
)
_PLAYWRIGHT_CACHES = (".cache/ms-playwright", "Library/Caches/ms-playwright")
_PLAYWRIGHT_FILES = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
_DOWNLOAD_WITHIN = 300  # seconds
_START_WITHIN = 20  # seconds


class NoBrowserError(ShelfpriceError):
    """There is no browser on this machine; the message says what to install."""


def find_browser(environ: Mapping[str, str] = os.environ, usual_places: Sequence[str] = _USUAL_PLACES) -> Path | None:
    """Return the first browser found: the one that is named, on PATH, in the usual places, or of Playwright."""
    named = environ.get(SETTING)
    if named:
        return Path(named) if os.access(named, os.X_OK) and Path(named).is_file() else None
    on_path = (shutil.which(command, path=environ.get("PATH", os.defpath)) for command in _COMMANDS)
    for place in (*on_path, *usual_places, *_of_playwright(environ)):
        if place and os.access(place, os.X_OK):
            return Path(place)
    return None


def launch(playwright: "Playwright") -> "Browser":
    """Start the browser that was found.

    Raises
    ------
    NoBrowserError
        When there is none.
    """
    return playwright.chromium.launch(executable_path=str(require_browser()), args=list(FLAGS))


def launch_with_profile(playwright: "Playwright", folder: Path) -> "BrowserContext":
    """Start the browser that was found, with what it kept in a folder when it ran there before.

    A script that was met before is not compiled anew then, which is more than half of what opening a page takes.

    Raises
    ------
    NoBrowserError
        When there is none.
    """
    flags = list(FLAGS)
    return playwright.chromium.launch_persistent_context(
        str(folder), executable_path=str(require_browser()), args=flags
    )


def require_browser() -> Path:
    """Return the browser that was found.

    Raises
    ------
    NoBrowserError
        When there is none.
    """
    found = find_browser()
    if found is None:
        raise NoBrowserError(f"expected a browser, found none: {REMEDY}")
    return found


def get_browser(
    find: Callable[[], Path | None] = find_browser, ways: Iterable[Sequence[str]] | None = None
) -> Path | None:
    """Return a browser that starts, or None.

    Parameters
    ----------
    find
        What looks for a browser.
    ways
        Commands that install one, tried in order where there is none.
    """
    found = find()
    if found is not None:
        return found
    for command in _ways_to_get_one() if ways is None else ways:
        sys.stderr.write(f"no browser found; trying `{' '.join(command)}` ...\n")
        if _succeeds(command, _DOWNLOAD_WITHIN):
            found = find()
            if found and _succeeds((str(found), "--version"), _START_WITHIN):
                return found
    return None


def _of_playwright(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the browsers that Playwright installed, the newest first."""
    home = Path(environ.get("HOME", "/nowhere"))
    named = environ.get("PLAYWRIGHT_BROWSERS_PATH")
    for folder in [Path(named)] if named else [home / cache for cache in _PLAYWRIGHT_CACHES]:
        for pattern in _PLAYWRIGHT_FILES:
            yield from sorted(map(str, folder.glob(pattern)), reverse=True)


def _ways_to_get_one() -> Iterator[tuple[str, ...]]:
    if os.environ.get(SETTING):  # a browser that is named is the only one wanted
        return
    yield (sys.executable, "-m", "playwright", "install", "chromium")
    if shutil.which("apt-get") is None:
        return
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-noto-color-emoji")
    if os.geteuid() == 0:
        yield install
    elif shutil.which("sudo") and _succeeds(("sudo", "-n", "true"), _START_WITHIN):
        yield ("sudo", "-n", *install)


def _succeeds(command: Sequence[str], within: float) -> bool:
    """Run a command quietly, and tell whether it ended well in time (seconds)."""
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=within, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> None:
    """Say which browser there is, on standard output, or what to install; exit 1 without one."""
    found = get_browser()
    if found is None:
        sys.exit(f"no browser: {REMEDY}")
    print(found)


if __name__ == "__main__":
    main()
