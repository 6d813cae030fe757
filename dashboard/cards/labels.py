"""The delivery state of labels: how many prices tills and labels are known to show, and where they do not."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash.development.base_component import Component

from dashboard.components import card, table
from dashboard.formats import count, euros, store_name
from plugins.connect.labels.status import PATIENCE, StoreStatus

READ = ("export_batches", "label_states")
_STORES, _PRODUCTS = 10, 3
_CAPTION = (
    f"Late: {PATIENCE} ticks after a price was sent, a till or a label has not said that it shows it. Where till and "
    "label differ, the customer pays the lower price. `shelfprice export --status` names every product."
)


def label_cards(statuses: Sequence[StoreStatus]) -> list[Component]:
    """Return a card of the stores that were sent prices, those with a label that lags first; none where none was."""
    if not statuses:
        return []
    behind = [status for status in statuses if status.late or status.different]
    behind = sorted(behind, key=lambda status: (-status.late - status.different, status.store))[:_STORES]
    parts: list[Component] = [dmc.Text(told_of(statuses), size="sm")]
    if behind:
        numbers = [(status.sent, status.acknowledged, status.late, status.different) for status in behind]
        cells = [[*map(count, number)] for number in numbers]
        rows = [
            [store_name(status.store), *cell, _products(status)] for status, cell in zip(behind, cells, strict=True)
        ]
        names = ("Store", "Sent", "Shown", "Late", "Differ", "Products")
        parts.append(table(names, rows, numbers=(1, 2, 3, 4), width=620))
    return [card("Tills and labels", *parts, caption=_CAPTION)]


def told_of(statuses: Sequence[StoreStatus]) -> str:
    """Say in a sentence how the labels are."""
    sent, shown = sum(status.sent for status in statuses), sum(status.acknowledged for status in statuses)
    late = [status.late for status in statuses if status.late]
    stores = "1 store" if len(statuses) == 1 else f"{len(statuses)} stores"
    sentence = f"{count(shown)} of {count(sent)} prices in {stores} are shown by till and label"
    if not late:
        return f"{sentence}; none is late."
    return f"{sentence}; {count(sum(late))} {'is' if sum(late) == 1 else 'are'} late, in {len(late)} of {stores}."


def _products(status: StoreStatus) -> str:
    """Name the first products that lag, with what is shown and what should be."""
    odd = status.odd
    shown = ["nothing known" if row["label"] is None else euros(row["label"]) for row in odd[:_PRODUCTS]]
    named = [f"{row['sku']} shows {label}, sent {euros(row['price'])}" for row, label in zip(odd, shown, strict=False)]
    more = [f"and {count(len(odd) - _PRODUCTS)} more"] if len(odd) > _PRODUCTS else []
    return "; ".join([*named, *more])
