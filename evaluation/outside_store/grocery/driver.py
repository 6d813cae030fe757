"""Plays grocery-sim. Runs inside an environment that has it, and imports nothing of this project.

    PYTHON -I driver.py REQUEST.json

reads what is to be played and writes its answers as CSV and JSON files into the folder of the request. The store plays
a year of 365 days. Prices are the owner's, or tried week by week, up to `learn_days`; the days of `counted` are those
whose money is reported. Every random draw of the package is keyed by who, what and when, so all plays share the days
before their prices differ, and meet the same shoppers, weather and costs after.

The package has no hook for prices of somebody else. Its list of prices is a local variable of the loop over days, which
asks one function of its own module, `charm`, for the tags: once for the whole shelf at the opening, once a day for the
products that are marked down, and once for each delivered product. `PriceTags` stands in for that function while a play
runs. It keeps the list that the opening call returned, counts days by the daily calls, and writes prices into the list
in the evening, so that they hold from the next morning. A markup of NaN keeps the owner's rule from changing a price at
a delivery: a candidate price that is not a number never differs enough. His markdowns and loyalty days stay as they
are, on top of every list of prices.
"""

import json
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

try:
    import numpy as np
    import pandas as pd
    from grocery_sim import export, keys, params, phase3, world
except ImportError as error:
    sys.exit(
        f"expected the package grocery-sim in the environment of {sys.executable}, found none ({error}); nothing was "
        "played: `python3.13 -m venv DIR && DIR/bin/pip install grocery-sim==0.1.7 'pulp<4'`, then name it with "
        "--python DIR/bin/python; it needs Python 3.12 or later, and a newer numpy than this project can have"
    )

STORE = "OUTSIDE"
_WEEK = 7
_STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)  # shares of the variation, one drawn for each product and week
_TYPICAL_NEED = 0.6  # the share of the pantry that is empty, at which the package calibrates its outside option
_CENT = 0.006  # EUR; a list price can lie half a cent beside the rounded one

Prices = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class PriceTags:
    """Stands in for `phase3.charm`, and changes the list of prices on given days.

    Attributes
    ----------
    store
        The world that is played; its markups are the owner's.
    charm
        The function it stands in for.
    learn_days
        Last day of the learning period; days count from 1.
    variation
        Largest distance from the opening price that is tried in that period, as a share; 0 leaves the owner alone.
    seed
        Seed of what is tried.
    owner_prices
        Whether the owner sets prices after the learning period.
    changes
        Prices that hold from the morning of a day, EUR, by day and then by product.
    history
        The list of prices of each day, EUR, arrays of shape (n_products,).
    """

    store: Any
    charm: Any
    learn_days: int
    variation: float
    seed: int
    owner_prices: bool
    changes: dict[int, dict[str, float]]
    history: "list[Prices]" = field(default_factory=list)
    _list: "Prices | None" = None

    def __post_init__(self) -> None:
        """Keep the owner's markups."""
        self._markup = self.store.markup.copy()
        self._places = {uid: place for place, uid in self.store.uid.items()}

    def __call__(self, p: Any, ending: Any) -> Any:
        """Return what the package's function returns; see to the list of prices once a day."""
        tags = self.charm(p=p, ending=ending)
        if np.ndim(p) == 0:
            return tags  # one delivered product
        if self._list is None:
            self._list, self._opening = tags, tags.copy()
        else:
            self.history.append(self._list.copy())
        self._change(self._list, len(self.history) + 1)
        return tags

    def _change(self, tags: "Prices", day: int) -> None:
        """Write the prices that hold from the morning of a day."""
        if self.variation and day <= self.learn_days and (day - 1) % _WEEK == 0:
            self.store.markup[:] = np.nan
            drawn = np.random.default_rng([self.seed, day]).choice(_STEPS, len(tags))
            tags[:] = np.round(self._opening * (1 + self.variation * drawn), 2)
        if day == self.learn_days + 1:
            self.store.markup[:] = self._markup if self.owner_prices else np.nan
            if self.variation:
                tags[:] = self._opening
        for uid, price in self.changes.get(day, {}).items():
            tags[self._places[uid]] = price


def main(request_file: Path) -> None:
    """Play everything that is asked for, and export the last play where that is asked for too."""
    request, folder = json.loads(request_file.read_text(encoding="utf-8")), request_file.parent
    keys.MASTER_SEED = request["seed"]
    outcomes: dict[str, Any] = {}
    for play in request["plays"]:
        store = world.World(scenario={})
        tags, sold = _play(store, request, play)
        _check_prices(store, sold["receipts"], tags)
        if request["export_through"]:
            _export(store, sold, tags, request["export_through"], folder)
            _answer_key(store, np.mean(tags.history[: request["export_through"]], axis=0), folder)
        outcomes[play["name"]] = _outcome(store, sold, request["counted"])
    answer = {"version": version("grocery-sim"), "plays": outcomes}
    (folder / "answer.json").write_text(json.dumps(answer, indent=2), encoding="utf-8")


def _play(store: Any, request: dict[str, Any], play: dict[str, Any]) -> tuple[PriceTags, dict[str, Any]]:
    """Play a year under one way of pricing."""
    changes = {change["day"]: change["prices"] for change in play["changes"]}
    asked = (request["learn_days"], request["variation"], request["seed"], play["owner_prices"], changes)
    tags = PriceTags(store, phase3.charm, *asked)
    phase3.charm = tags
    try:
        sold = phase3.run_year(world=store)
    finally:
        phase3.charm = tags.charm
    return tags, sold


def _check_prices(store: Any, lines: pd.DataFrame, tags: PriceTags) -> None:
    """Refuse to report a play in which something that was not on offer was sold at another price than its list's.

    Raises
    ------
    RuntimeError
        When the prices played are not the prices asked for.
    """
    sales = lines[(lines["qty"] > 0) & (lines["promo"] == 0)]
    listed = _listed(store, sales, tags)
    off = ((sales["unit_price"] - listed).abs() > _CENT).to_numpy()
    if off.any():
        first = sales[off].iloc[0]
        raise RuntimeError(
            f"expected {first['uid']} at {listed[off][0]:.2f} on day {first['t']}, found it sold at "
            f"{first['unit_price']}; no play is reported: grocery-sim {version('grocery-sim')} sets prices in another "
            "way; install grocery-sim==0.1.7"
        )


def _listed(store: Any, lines: pd.DataFrame, tags: PriceTags) -> "Prices":
    """Return the price on the list of each line's product and day, EUR, shape (n_lines,)."""
    places = {uid: place for place, uid in store.uid.items()}
    return np.asarray(np.array(tags.history)[lines["t"].to_numpy() - 1, lines["uid"].map(places).to_numpy()])


def _days(rows: pd.DataFrame, counted: list[int]) -> pd.DataFrame:
    """Return the rows of the days that count, the first and the last included."""
    return rows[(rows["t"] >= counted[0]) & (rows["t"] <= counted[1])]


def _costs(store: Any, rows: pd.DataFrame) -> "Prices":
    """Return what a unit of each row costs on its day, EUR: the base cost times the path of its category's cost."""
    index = {uid: i for i, uid in store.uid.items()}
    places, days = rows["uid"].map(index).to_numpy(), rows["t"].to_numpy() - 1
    path = np.array([store.cost_mult[store.cat_of[i]] for i in range(len(store.skus))])
    return np.asarray(store.base_cost[places] * path[places, days], dtype=float)


def _outcome(store: Any, sold: dict[str, Any], counted: list[int]) -> dict[str, float]:
    """Return what the days that count earned, EUR with VAT, and what was lost."""
    lines, lost, shelf = (_days(sold[name], counted) for name in ("receipts", "write_offs", "inventory"))
    revenue = float((lines["qty"] * lines["unit_price"]).sum())
    return {
        "revenue_eur": revenue,
        "margin_eur": revenue - float((lines["qty"] * _costs(store, lines)).sum()),
        "spoiled_eur": float((lost["units"] * _costs(store, lost)).sum()),
        "units": float(lines["qty"].sum()),
        "spoiled_units": float(lost["units"].sum()),
        "shelves_empty": float((shelf["on_hand"] < 1).mean()),
    }


def _export(store: Any, sold: dict[str, Any], tags: PriceTags, through: int, folder: Path) -> None:
    """Write the till's lines up to a day as a retailer would: as its books have them, with their slips.

    The package's recording layer voids, repeats and misdates a few receipts and invoices. What a unit cost is that of
    the last invoice before the day.
    """
    export.export(world=store, base=sold, oracle=sold, out=folder / "books")
    books = folder / "books" / "visible"
    lines = pd.read_csv(books / "receipts.csv", parse_dates=["date"])
    lines["t"] = (lines["date"] - pd.Timestamp(params.PHASE2["start"])).dt.days + 1
    lines = lines[lines["t"] <= through].sort_values(["date", "receipt_id"], kind="stable")
    invoices = pd.read_csv(books / "procurement.csv", parse_dates=["delivery_date"]).sort_values("delivery_date")
    invoices = invoices.rename(columns={"delivery_date": "date"})[["uid", "date", "unit_cost"]]
    lines = pd.merge_asof(lines, invoices, on="date", by="uid")
    goods = store.skus.set_index("uid")
    pd.DataFrame(
        {
            "store": STORE,
            "receipt_id": lines["receipt_id"],
            "timestamp": lines["date"] + pd.to_timedelta(lines["hour"], unit="h"),
            "sku": lines["uid"],
            "product_name": lines["uid"].map(goods["name"]),
            "category": lines["uid"].map(goods["category"]),
            "quantity": lines["qty"],
            "unit_price": lines["unit_price"],
            "promotion": lines["promo"],
            "regular_price": _listed(store, lines, tags).round(2),
            "unit_cost": lines["unit_cost"],
        }
    ).to_csv(folder / "receipts.csv", index=False)


def _answer_key(store: Any, prices: "Prices", folder: Path) -> None:
    """Write each product's true price elasticity at prices, from hidden tables: of the softmax at a typical need.

    A household chooses a product of a category, or to buy elsewhere, with utility falling by its price sensitivity per
    price over the median price of the category. What it buys then does not depend on the price, so long as its week's
    budget lasts. So the elasticity of units is the mean, weighted by what each household takes, of
    -sensitivity x price / median x (1 - chance of the choice).
    """
    rows, people = [], store.customers
    sensitivity, taste = people["price_sens"].to_numpy()[:, None], people["brand_affinity"].to_numpy()[:, None]
    for place, category in enumerate(params.CATS):
        listed = np.array(store.cat_listed[category])
        relative = prices[listed] / store.shelf_median[category]
        utility = phase3.PHASE3["need_alpha"] * _TYPICAL_NEED + store.appeal[listed] - sensitivity * relative
        utility = utility + params.PHASE1["gamma_brand"] * (1 - np.abs(taste - store.brand[listed]))
        odds = np.exp(utility - store.u0)
        chance = odds / (1 + odds.sum(axis=1, keepdims=True))
        taken = chance * store.r_ic[:, place : place + 1]
        elasticity = -(taken * sensitivity * relative * (1 - chance)).sum(axis=0) / taken.sum(axis=0)
        rows += [(store.uid[i], value, round(prices[i], 2)) for i, value in zip(listed, elasticity, strict=True)]
    columns = ["sku", "elasticity", "list_price"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "answer_key.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
