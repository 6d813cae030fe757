"""One chain of equal stores: when they open, who comes, and how they price, and when a person is told."""

import datetime as dt
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

from holidays import list_supported_countries
from pydantic import Field, create_model, field_validator, model_validator

from catalog import hooks
from catalog.clocks import UTC, WallClock, refuse_change_while_open, zone_of
from catalog.currency import Currency, currency_of
from catalog.records.fields import Name, Record, Section, Share, Sku, StoreId, StoreName
from catalog.records.guardrails import Guardrails
from catalog.records.pricing import Approval, BeliefSettings, DrawnPriceRules, Exploration, Gate, Learning, Policies
from catalog.records.shoppers import (
    WEEKDAYS,
    DemandEffect,
    FootfallSettings,
    Opening,
    Persona,
    Shock,
    Substitution,
    WeatherSettings,
    Weekday,
    check_effects,
    check_shares,
)

NO_SHOPPERS: dict[str, Any] = {
    "visits_per_day": 1000.0,
    "hourly_profile": [1.0],
    "personas": [{"name": "everyone", "share": 1.0, "mean": 1.0, "standard_deviation": 0.25}],
}
"""Stands for what describes a twin's shoppers where tills say who bought."""

MOST_UNITS_PER_LINE = 1_000.0
"""Of one line of a receipt, where `store.yaml` says nothing else."""

_Section = TypeVar("_Section", bound=Record)
_CALM_TRIALS = 4  # explored prices a day of calm prices


SECTIONS: tuple[Section, ...] = tuple(chain.from_iterable(hooks.SECTIONS.all()))
"""Sections that plugins add."""


class _Chain(Record):
    """The sections of the core."""

    currency: str = "EUR"
    """currency of every price, a code of ISO 4217; prices are whole smallest units of it"""
    stores: tuple[StoreId, ...] = Field(min_length=1, strict=False)
    """ids of the stores, such as S01; all sell the same shelf"""
    names: dict[StoreId, StoreName] = Field(default_factory=dict)
    """names that pages, tags and sheets show, by store, such as `{KOELN-SUED: Köln Süd}`"""
    tags: dict[StoreId, Annotated[tuple[Name, ...], Field(strict=False)]] = Field(default_factory=dict)
    """what each store is, such as `{S01: [city, small]}`; a model learns from it how a store sells before its first
    sale"""
    opening: Opening
    """opening hours, below"""
    timezone: str = UTC
    """time zone of the stores, an IANA name such as Europe/Berlin: opening hours are its local time"""
    timezones: dict[StoreId, str] = Field(default_factory=dict)
    """time zone of each store that is in another one, by store"""
    pay_day: int | None = Field(default=None, ge=1, le=31)
    """day of the month on which most shoppers are paid; in a shorter month it is its last day; null for none"""
    sales: Literal["twin", "outside"] = "twin"
    """where sales come from: `twin` plays the stores; `outside` takes in what their own tills sold, and nothing is ever
    played, so visits_per_day, hourly_profile and personas need not be said"""
    rehearsal: bool = False
    """true: these stores sell to nobody, and the setting `SHELFPRICE_NOW` may be their clock"""
    most_units_per_line: float = Field(default=MOST_UNITS_PER_LINE, gt=0, le=1e6, allow_inf_nan=False)
    """units that one line of a receipt may have, sold or brought back; a line with more is refused, for it is more
    likely a price, a weight in grams or a slip than a sale"""
    visits_per_day: float = Field(gt=0, le=10_000_000, allow_inf_nan=False)
    """shoppers who stop at a product, per store and day, on average"""
    hourly_profile: tuple[Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)], ...] = Field(
        min_length=1, strict=False
    )
    """weights that spread the visits over the opening hours, in equal parts"""
    popularity: dict[Sku, Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)]] = Field(default_factory=dict)
    """weight of each product among the visits, by sku; one for every product, or none at all"""
    shopper_pool: int = Field(default=2000, ge=1, le=10_000_000)
    """number of shoppers with a name; behaviour never depends on it"""
    personas: tuple[Persona, ...] = Field(min_length=1, strict=False)
    """segments of shoppers, below; their shares add up to 1"""
    waiting_share: Share = 0.0
    """share of the shoppers who look again once, later in the day, when the price was too high for them"""
    freshest_share: Share = 0.0
    """share of the shoppers who take the unit that keeps longest; the others take the oldest"""
    substitution: Substitution = Substitution()
    """how shoppers take a substitute of a product that is too dear or sold out, below"""
    closed_days: tuple[Weekday, ...] = Field(default=(), strict=False)
    """days of the week on which the stores do not open: nobody comes and nothing is delivered"""
    footfall: FootfallSettings = FootfallSettings()
    """how visits differ from day to day, below"""
    demand_effects: tuple[DemandEffect, ...] = Field(default=(), strict=False)
    """how demand depends on weekday, hour, store, holidays, pay day and temperature, below"""
    day_shift: float = Field(default=0.0, ge=0, le=2, allow_inf_nan=False)
    """all budgets of a date shift by the same share of the base price, drawn evenly from minus this to this;
    `footfall.busy_days_seed` says which dates are rich"""
    weather: WeatherSettings = WeatherSettings()
    """temperature of the twin's days, below"""
    ladder_prices: int = Field(default=20, ge=2, le=1000)
    """prices on each product's ladder, evenly from floor to ceiling"""
    policies: Policies = Policies()
    """which policy prices, below"""
    belief: BeliefSettings = BeliefSettings()
    """what is believed of shoppers nobody has seen yet, below"""
    exploration: Exploration = Exploration()
    """how often prices are explored, below"""
    drawn_prices: DrawnPriceRules = DrawnPriceRules()
    """which prices of an outside store are drawn, below"""
    country: str | None = None
    """country whose public holidays count, as a feature of demand and when exported sales are compared, such as DE;
    null for none"""
    gate: Gate = Gate()
    """when a challenger replaces the champion, below"""
    learning: Learning = Learning()
    """how often and on which days the store trains, below"""
    guardrails: Guardrails = Guardrails()
    """limits on every price, below"""
    approval: Approval = Approval()
    """which prices pass by themselves, and which wait for a person, below"""

    @property
    def is_priced_hourly(self) -> bool:
        """Whether prices follow from who looked at each product of a store that sells outside."""
        return (
            self.sales == "outside" and self.drawn_prices.changes == "hourly" and self.drawn_prices.products != "none"
        )

    @property
    def drawn_step(self) -> float:
        """Farthest that a drawn price moves at once, as a share of it."""
        largest = self.guardrails.largest_step
        return self.drawn_prices.step if largest is None else min(self.drawn_prices.step, largest)

    def is_open_on(self, date: dt.date) -> bool:
        """Tell whether the stores open on a date."""
        return WEEKDAYS[date.weekday()] not in self.closed_days

    def next_opening(self, now: dt.datetime) -> dt.date:
        """Return the first business date that no store has opened yet at a moment, UTC."""
        date = max(clock.date_of(now) for clock in self.clocks)
        while not self.is_open_on(date) or min(clock.opening_of(date) for clock in self.clocks) <= now:
            date += dt.timedelta(days=1)
        return date

    def last_open_before(self, date: dt.date) -> dt.date:
        """Return the last business date before a date on which the stores open."""
        return next(day for back in range(1, 8) if self.is_open_on(day := date - dt.timedelta(days=back)))

    @property
    def clocks(self) -> tuple[WallClock, ...]:
        """The clocks of the stores, one for each time zone, in the order of the stores."""
        return tuple(dict.fromkeys(self.clock_of(store) for store in self.stores))

    def clock_of(self, store: str | None) -> WallClock:
        """Return the clock of a store; of None, and of a store that left the catalog, that of the chain."""
        return WallClock(self.opening, self.zone_of(store))

    def zone_of(self, store: str | None) -> str:
        """Return the name of the time zone of a store, as `clock_of`."""
        return self.timezones.get(store or "", self.timezone)

    @property
    def trial_ticks(self) -> int:
        """Ticks for which an explored price stands: of calm prices about a quarter of the day, in whole holds."""
        hold = self.exploration.hold_ticks
        return hold if self.policies.calm == 0 else hold * max(1, round(self.opening.ticks / (_CALM_TRIALS * hold)))

    @property
    def money(self) -> Currency:
        """The currency of every price."""
        return currency_of(self.currency)

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, code: str) -> str:
        return currency_of(code).code

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        return zone_of(name).name

    @field_validator("timezones")
    @classmethod
    def _are_zones(cls, names: dict[str, str]) -> dict[str, str]:
        return {store: zone_of(name).name for store, name in names.items()}

    @model_validator(mode="after")
    def _clocks_agree(self) -> "_Chain":
        for field in ("names", "tags", "timezones"):
            if strangers := sorted(getattr(self, field).keys() - set(self.stores)):
                raise ValueError(f"{field}: expected stores of the list in stores, found {strangers[0]!r}")
        for name in dict.fromkeys([self.timezone, *self.timezones.values()]):
            refuse_change_while_open(self.opening, name)
        return self

    @model_validator(mode="after")
    def _parts_agree(self) -> "_Chain":
        if len(set(self.stores)) != len(self.stores):
            raise ValueError("a store is listed twice in stores")
        if self.country is not None and self.country not in list_supported_countries(include_aliases=False):
            raise ValueError(f"country: expected two letters such as DE, US or GB, found {self.country!r}")
        if len(set(self.closed_days)) == len(WEEKDAYS):
            raise ValueError("closed_days: expected a day on which the stores open, found all seven; leave one out")
        if len(set(self.closed_days)) != len(self.closed_days):
            raise ValueError(f"closed_days: expected each day once, found {list(self.closed_days)}")
        if self.policies.stickers and self.substitution.strength > 0:
            raise ValueError(
                "policies.stickers: expected false where shoppers take substitutes (substitution.strength "
                f"{self.substitution.strength:g}), found true: what who meets a sticker takes instead is not modelled; "
                "leave one of the two out"
            )
        if sum(self.hourly_profile) <= 0:
            raise ValueError("hourly_profile has no positive weight: nobody would come")
        check_shares(self.personas)
        check_effects(self.demand_effects, self.opening, self.stores, self.country, self.pay_day)
        return self


if TYPE_CHECKING:
    _WithSections = _Chain
else:
    _WithSections = create_model(
        "_WithSections",
        __base__=_Chain,
        **{
            section.name: (section.model, Field(default=section.model(), description=section.description))
            for section in SECTIONS
        },
    )


class Store(_WithSections):
    """One chain of equal stores; its parts agree with each other.

    The order of the fields, with the sections of plugins before `shocks`, is that of the JSON that is fingerprinted.
    """

    shocks: tuple[Shock, ...] = Field(default=(), strict=False)
    """changes of demand or delivery on some dates, below"""

    def section(self, model: type[_Section]) -> _Section:
        """Return a section that a plugin added, by its model."""
        name = next(section.name for section in SECTIONS if section.model is model)
        return cast("_Section", getattr(self, name))

    @model_validator(mode="after")
    def _shocks_are_while_open(self) -> "Store":
        for shock in self.shocks:
            if shock.starts is not None and not 0 <= self.opening.tick_at(shock.starts) < self.opening.ticks:
                raise ValueError(
                    f"a shock starts at {shock.starts}, expected a time from {self.opening.opens} to before "
                    f"{self.opening.closes}, while the stores are open"
                )
        return self
