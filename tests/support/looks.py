"""A page in light and in dark and on every screen: it is opened once, since to open one is what takes long."""

from collections.abc import Iterator

from patience import until
from playwright.sync_api import Page

INK = {"light": "rgb(102, 112, 127)", "dark": "rgb(152, 162, 179)"}
"""Colour of the words in a figure."""
_WIDTHS = (390, 820, 1024, 1440)
_FITS = """document.documentElement.scrollWidth <= innerWidth + 1
    && (document.getElementById('scheme-switch')?.getBoundingClientRect().right ?? 0) <= innerWidth"""


def in_both_schemes(page: Page) -> Iterator[str]:
    """Yield light, in which a page was opened, then dark: the system's own setting is changed."""
    yield "light"
    page.emulate_media(color_scheme="dark")
    until(page, "document.documentElement.dataset.mantineColorScheme === 'dark'")
    yield "dark"


def fits_every_screen(page: Page) -> None:
    """Wait until a page, with its header, is no wider than each of these screens."""
    for width in _WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        until(page, _FITS)
