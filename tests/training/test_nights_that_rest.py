"""A night trains no model while none could matter, says so, and trains again as soon as one may."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.records.pricing import Learning
from catalog.settings import Settings
from serving.champion import Champion
from training import schedule
from training.evening import Evening
from training.registry import ModelRegistry
from warehouse.lake import Lake
from warehouse.workspace import Workspace

TODAY = dt.date(2026, 1, 6)


@dataclass(frozen=True)
class OneChampion:
    """A registry whose champion was trained through a date."""

    trained_through: dt.date | None
    version: str = "7"

    def load(self) -> Champion | None:
        return None if self.trained_through is None else cast("Champion", self)


def version(upper: float = 2.0, *, believed: bool = True, **metrics: float) -> dict[str, Any]:
    """Return a version whose prices would at most earn so much more than the 1,000 EUR of those in force."""
    spread = 0.5
    gain = {"mean": upper - 1.96 * spread, "spread": spread, "usual": 1000.0}
    money = {"believed": gain if believed else None}
    return {"judged_through": TODAY - dt.timedelta(days=1), "money": json.dumps(money), "metrics": json.dumps(metrics)}


@pytest.fixture
def due(
    tmp_path: Path, sell_two_days: Callable[[Path], Settings], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., schedule.Due]:
    settings = sell_two_days(tmp_path / "home")

    def asked(
        versions: list[dict[str, Any]], champion: dt.date | None = TODAY - dt.timedelta(days=2), **learning: Any
    ) -> schedule.Due:
        """Return whether a model is due today."""
        monkeypatch.setattr(schedule, "newest_versions", lambda _lake: iter(versions))
        shop = load(CLASSIC)
        catalog = Catalog(shop.products, shop.store.model_copy(update={"learning": Learning(**learning)}))
        workspace, registry = Workspace(settings, catalog, Lake(settings)), cast("ModelRegistry", OneChampion(champion))
        return schedule.why_due(Evening(workspace, registry, TODAY))

    return asked


def test_where_the_last_three_could_not_earn_half_a_percent_more_none_is_trained_and_the_night_says_so(
    due: Callable[..., schedule.Due],
) -> None:
    because, why_not = due([version()] * 3)
    assert because is None
    assert why_not == (
        "no model was trained: each of the last 3 could earn less than 0.5 % more than the prices in force; the next "
        "is due in the night after 2026-01-12, or when demand changes"
    )


@pytest.mark.parametrize(
    ("versions", "asked"),
    [
        ([version()] * 2, {}),
        ([version(), version(5.1), version()], {}),
        ([version(), version(), version(believed=False)], {}),
        ([version(), version(day_share=0.5), version()], {}),
        ([version()] * 3, {"rest_below": 0.0}),
        ([version()] * 3, {"champion": None}),
        ([version()] * 3, {"champion": TODAY - dt.timedelta(days=8)}),
    ],
    ids=[
        "there were only two",
        "one might earn more",
        "one was not asked of a belief",
        "one says of days what holds",
        "nights never rest",
        "there is no champion",
        "the champion is stale",
    ],
)
def test_a_model_is_trained_as_soon_as_one_may_matter(
    due: Callable[..., schedule.Due], versions: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    because, why_not = due(versions, **asked)
    assert because is not None
    assert why_not is None


def test_where_nothing_tells_days_or_products_apart_one_is_trained_a_week(due: Callable[..., schedule.Due]) -> None:
    because, why_not = due([version(1.5)] * 3, champion=TODAY - dt.timedelta(days=40))
    assert because is None
    assert why_not == (
        "no model was trained: nothing but weekdays tells days apart and nothing tells products apart, so none could "
        "earn 0.1 % more; the next is due in the night after 2026-01-12, for the record"
    )
    a_week_old = version(1.5) | {"judged_through": TODAY - dt.timedelta(days=7)}
    because, why_not = due([a_week_old] * 3)
    assert because is not None
    assert why_not is None


def test_a_public_holiday_or_an_attribute_may_tell_something_apart(settings: Settings) -> None:
    classic = load(CLASSIC)

    def tells_nothing(catalog: Catalog) -> bool:
        return schedule.tells_nothing_apart(Workspace(settings, catalog, Lake(settings)))

    lake = Lake(settings)
    lake.prepare()
    assert tells_nothing(classic)
    with_country = classic.store.model_copy(update={"country": "DE"})
    assert not tells_nothing(Catalog(classic.products, with_country))
    many = [classic.products[0].model_copy(update={"sku": f"P{n}", "tier": f"{n % 2}"}) for n in range(12)]
    assert not tells_nothing(Catalog(tuple(many), classic.store))
    assert tells_nothing(Catalog(tuple(product.model_copy(update={"tier": None}) for product in many), classic.store))


def test_a_change_of_demand_ends_the_rest(due: Callable[..., schedule.Due], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "demand_shifts", lambda *_: [TODAY])
    because, _ = due([version()] * 3)
    assert because == f"demand changed on {TODAY}, and champion 7 does not know"
