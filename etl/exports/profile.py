"""What an export says about each product, and whether that is enough to set its price."""

from dataclasses import asdict, dataclass
from typing import Any

from warehouse.connection import workbench
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

_query = queries_beside(__file__)
_LEAST_DECISIONS = 200
_LEAST_OF_EACH = 30  # purchases, and visits without one: a share from fewer has an error of a third or more


@dataclass(frozen=True)
class ProductProfile:
    """The decisions of one product.

    Attributes
    ----------
    days
        Business dates with a decision.
    decisions, purchases
        Number of decisions, and of those that bought.
    prices, lowest, commonest, highest
        Number of distinct prices, and three of them, EUR.
    commonest_share
        Share of the decisions that saw the commonest price.
    why_not
        Why these decisions are not enough to set its price, or None.
    """

    sku: str
    name: str
    days: int
    decisions: int
    purchases: int
    prices: int
    lowest: float
    commonest: float
    highest: float
    commonest_share: float
    why_not: str | None

    @property
    def purchase_rate(self) -> float:
        """Share of the decisions that bought."""
        return self.purchases / self.decisions

    @property
    def verdict(self) -> str:
        """Whether its price can be learned, in words."""
        return "enough to learn from" if self.why_not is None else f"keeps its base price: {self.why_not}"


def profile_of(workspace: Workspace, part: str) -> tuple[ProductProfile, ...]:
    """Profile the decisions of one export, product by product; a product without any is left out."""
    lake, catalog = workspace.lake, workspace.catalog
    files = [str(lake.path(own)) for own in lake.partitions("interactions") if own.group == part]
    names = {product.sku: product.name for product in catalog.products}
    if not files:
        return ()
    with workbench(workspace.settings) as connection:
        found = connection.execute(_query("product_profile"), {"files": files}).fetchall()
    return tuple(
        ProductProfile(
            sku=sku,
            name=names.get(sku, sku),
            days=days,
            decisions=decisions,
            purchases=purchases,
            prices=prices,
            lowest=lowest,
            commonest=commonest,
            highest=highest,
            commonest_share=share,
            why_not=_why_not(days, decisions, purchases, prices),
        )
        for sku, days, decisions, purchases, prices, lowest, commonest, highest, share in found
    )


def as_record(profile: ProductProfile) -> dict[str, Any]:
    """Return a profile as plain values, its purchase rate and verdict included."""
    return asdict(profile) | {"purchase_rate": profile.purchase_rate, "verdict": profile.verdict}


def _why_not(days: int, decisions: int, purchases: int, prices: int) -> str | None:
    few = {"purchases": purchases, "refusals": decisions - purchases}
    lacking = next((what for what, count in few.items() if count < _LEAST_OF_EACH), None)
    if prices == 1:
        return "its price never varied"
    if days == 1:
        return "one day only, none is left to judge on"
    if decisions < _LEAST_DECISIONS:
        return f"{decisions} decisions of at least {_LEAST_DECISIONS}"
    return lacking and f"{few[lacking]} {lacking} of at least {_LEAST_OF_EACH}"
