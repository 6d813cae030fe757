"""What a model may look at, and what it must have seen."""

from training.candidates import FittedModel
from training.conditions.condition import Condition
from training.dataset import Dataset

_KNOWN_FEATURES = ("price_offered", "price_ratio", "inventory_level")


def sees_only_what_is_known(challenger: FittedModel, dataset: Dataset) -> Condition:
    """Refuse features that nobody knows when a price is set, such as what the shopper would pay or did."""
    unknown = [name for name in challenger.features if name not in {*_KNOWN_FEATURES, *dataset.one_hot}]
    found = f"it sees {', '.join(unknown)}" if unknown else f"{len(challenger.features)} features of price and shelf"
    return Condition("sees only what is known when pricing", not unknown, found)


def every_product_was_seen(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    """Ask for decisions about every product that is to be priced."""
    missing = sorted(set(skus) - set(dataset.training["sku"]))
    found = f"no decisions about {', '.join(missing)}" if missing else f"decisions about all {len(skus)} products"
    return Condition("every product was seen", not missing, found)


def every_price_varied(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    """Ask for at least two prices per product: one price teaches nothing."""
    prices = dataset.training.groupby("sku")["price_offered"].nunique()
    constant = [sku for sku in skus if prices.get(sku, 0) == 1]
    found = f"one price only for {', '.join(constant)}" if constant else f"at least {prices.min()} prices per product"
    return Condition("every price varied", not constant, found)
