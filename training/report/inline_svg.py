"""A figure as SVG inside a page: it takes the page's font and colours, light or dark, and fetches nothing."""

import io
import re

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from training.report.figures import BLUE, GREEN, GREY, ORANGE

# The page's stylesheet gives each of these a shade that reads well on its ground.
_COLOURS = {
    "#000000": "currentColor",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    GREEN: "var(--green)",
    GREY: "var(--grey)",
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def inline_svg(figure: Figure, name: str, label: str) -> Markup:
    """Draw a figure as an SVG element; equal figures give equal bytes.

    Parameters
    ----------
    name
        Unique in the page: what the drawing repeats is identified by it.
    label
        What the figure shows, for readers who do not see it.
    """
    drawn = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(drawn, format="svg", transparent=True, metadata=_NO_METADATA)
    text = drawn.getvalue()
    view_box = re.search(r'viewBox="[0-9. ]+"', text)
    body = text[text.index("</style>") : text.rindex("</svg>")].split("</defs>", 1)[1]
    for found, own in _COLOURS.items():
        body = body.replace(found, own)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = _without_unused_ids(body)
    box = view_box.group() if view_box else ""
    return Markup('<svg {} role="img" aria-label="{}">{}</svg>').format(Markup(box), label, Markup(body))  # noqa: S704


def _without_unused_ids(body: str) -> str:
    """Drop the ids that nothing refers to: every figure counts its own from 1, and a page has each id once."""
    used = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', body))
    return re.sub(r' id="([^"]*)"', lambda found: found.group() if found.group(1) in used else "", body)
