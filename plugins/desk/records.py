"""The desk's sections of store.yaml: rivals, alerts, messages, and the law on announced reductions."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from catalog.addresses import is_loopback
from catalog.records.fields import Name, Record, Section, Share, Sku
from catalog.records.product import Product

if TYPE_CHECKING:  # its model is built from these sections
    from catalog.records.store import Store

MOST_STALE_DAYS = 31
"""Days after which no rival's price counts, whatever a catalog says."""


class RivalRules(Record):
    """How long a rival's price counts, and how far ours may be above the cheapest of some rivals."""

    stale_after_days: int = Field(default=7, ge=0, le=MOST_STALE_DAYS)
    """a price counts through so many days after the date on which it was seen; its last date is noted when it is taken
    in"""
    of: tuple[Name, ...] = Field(default=(), strict=False)
    """names of the rivals whose prices limit ours, as they are taken in"""
    at_most_above: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    """no price is more than this share above the cheapest price of these rivals that counts; null is no limit"""
    held: tuple[Sku, ...] = Field(default=(), strict=False)
    """key-value items, by sku: at most the cheapest price of these rivals"""

    @model_validator(mode="after")
    def _rules_have_rivals(self) -> "RivalRules":
        is_rule = self.at_most_above is not None or bool(self.held)
        if is_rule != bool(self.of):
            missing = "of: the rivals that limit our prices" if is_rule else "at_most_above or held beside of"
            raise ValueError(f"rivals: expected {missing}, found none; name some, or leave the rule out")
        return self

    def share_above(self, sku: str) -> float | None:
        """Return how far a product's price may be above the cheapest rival, as a share of it; None is any."""
        return 0.0 if sku in self.held else self.at_most_above


def rival_conflicts(rules: RivalRules, products: Sequence[Product], store: "Store") -> Iterator[str]:
    """Yield rules that cannot hold, each as `field: what was found and what to do`."""
    skus, is_by_date = {product.sku for product in products}, store.drawn_prices.changes != "hourly"
    for sku in rules.held:
        if sku not in skus:
            yield f"held: {sku!r} is not on the shelf; name products of products.yaml"
        elif sku in store.guardrails.frozen:
            yield f"held: {sku}: its price is frozen, whatever rivals ask; take it out of held, or out of frozen"
    for sku in (product.sku for product in products if store.sales == "outside" and is_by_date):
        if store.drawn_prices.includes(sku) and rules.share_above(sku) is not None:
            yield (
                f"of: {sku}: its prices are drawn on both sides of its shelf price, and what rivals ask would cut some "
                "off; take it out of drawn_prices.products, or leave the rule out"
            )


class AlertRules(Record):
    """What raises an alert; null where a field allows it switches the rule off."""

    below_cost: bool = True
    """a price is shown that is below the cost of a unit"""
    drift: bool = True
    """demand of a product has changed, by the newest check"""
    late_night: bool = True
    """a store sells a date without prices of its own although nights made some before"""
    nights_refused: int | None = Field(default=3, ge=1, le=365)
    """so many dates in a row were sold from older prices; null is never"""
    override_days: int | None = Field(default=14, ge=1, le=3650)
    """an override or a freeze is older than so many days; null is never"""
    waste_above: Share | None = None
    """share of the day's stock that was left at closing; null is never"""
    silent_days: int | None = Field(default=2, ge=1, le=365)
    """a store that sells by itself sent no sales of so many open days; null is never"""
    other_prices: Share | None = Field(default=0.2, gt=0)
    """share of a week's units of drawn products that a store sold at prices that are not ours; null is never"""
    labels: bool = True
    """a label has not followed a price two ticks after it was sent"""
    webhook: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """address to which each alert is sent once, as JSON; null sends none"""


EmailAddress = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")]


class EmailSettings(Record):
    """The mail server that takes messages, and whom they are for. Its password is in the environment alone."""

    server: str = Field(pattern=r"^[A-Za-z0-9.:_-]+$")
    """host of the mail server that takes messages"""
    port: int = Field(default=587, ge=1, le=65_535)
    """its port"""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """how the connection is protected; `none` only without a `user`, or on loopback"""
    user: str | None = Field(default=None, min_length=1)
    """name to log in with, with the password `SHELFPRICE_SMTP_PASSWORD`; null logs in nowhere"""
    sender: EmailAddress
    """address that messages come from"""
    recipients: tuple[EmailAddress, ...] = Field(min_length=1, strict=False)
    """addresses of those who are told"""

    @model_validator(mode="after")
    def _keeps_its_password(self) -> "EmailSettings":
        if self.security == "none" and self.user is not None and not is_loopback(self.server):
            raise ValueError(
                f"security: expected starttls or tls where a password is sent to {self.server}, found none: others "
                "could read it"
            )
        return self


class NotifySettings(Record):
    """Whom messages reach beside the webhook of `alerts`. Nothing is sent by default."""

    email: EmailSettings | None = None
    """each alert, and the digest, by e-mail; null sends none, fields as below"""
    digest: bool = False
    """true: after each night, what waits, what was earned and which alerts are open is sent to the webhook of `alerts`
    and by e-mail"""


class PriceLaw(Record):
    """Article 6a of Directive 98/6/EC, with the exceptions that a country may make."""

    days: int = Field(default=30, ge=30, le=365)
    """days before a reduction whose lowest price it names; 30 at least"""
    growing_reductions_keep_the_first: bool = False
    """true: reductions that grow without a break name the lowest price before the first of them"""
    new_arrival_days: int | None = Field(default=None, ge=1, le=30)
    """for goods on sale for less than that period, the days that count instead; null is as long as they are on sale"""
    perishables_name_the_last_price: bool = False
    """true: goods of `perishable_categories` name the price just before the reduction"""
    perishable_categories: tuple[str, ...] = Field(default=(), strict=False)
    """categories of goods that may deteriorate or expire rapidly"""


SECTIONS = (
    Section("rivals", RivalRules, "what rivals' prices mean for ours, below", conflicts=rival_conflicts),
    Section("alerts", AlertRules, "what is told to a person, below", decides_prices=False),
    Section(
        "notify",
        NotifySettings,
        "who is told by e-mail, and whether a digest is sent, below",
        decides_prices=False,
    ),
    Section("price_law", PriceLaw, "what the law of the country says about announced reductions, below"),
)
