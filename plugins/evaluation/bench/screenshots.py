"""Pictures of every page of the monitor, for people who have not started it: `make screenshots`.

It looks at the home of SHELFPRICE_HOME, after `shelfprice demo` for example, and writes docs/screenshots/<page>.png.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.app import all_pages
from plugins.evaluation.bench.browser import launch
from plugins.evaluation.bench.processes import served

PICTURES = Path(__file__).parents[3] / "docs" / "screenshots"
LOOKS = (("", 1440, "light"), ("-dark", 1440, "dark"), ("-phone", 390, "light"))

_SETTLED_AFTER = 4_000  # milliseconds
_COLOURS = 256


def take(browser: Browser, address: str, width: int, scheme: str) -> bytes:
    """Take one picture of a page, when its figures stand."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page: Page = context.new_page()
    page.goto(address)
    page.wait_for_timeout(_SETTLED_AFTER)
    picture = page.screenshot(full_page=width > LOOKS[-1][1])
    context.close()
    return picture


def save(picture: bytes, name: str) -> Path:
    """Save a picture with few colours: it is looked at in a README."""
    path = PICTURES / f"{name}.png"
    reduced = Image.open(BytesIO(picture)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)
    return path


def main() -> None:
    """Write the pictures and say how large they are."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with served("dashboard") as server, sync_playwright() as playwright:
        browser = launch(playwright)
        for page in all_pages():
            for suffix, width, scheme in LOOKS:
                path = save(take(browser, f"{server.url}{page.path}", width, scheme), f"{page.name}{suffix}")
                print(f"{path.name}: {path.stat().st_size / 1024:,.0f} KB")
        browser.close()


if __name__ == "__main__":
    main()
