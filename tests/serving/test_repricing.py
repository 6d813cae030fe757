"""Prices remade in the middle of a day: the same bytes from the same sales, refused where they are not ours."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from asgi_client import AsgiClient
from believing import believed_after
from shell import Terminal

from catalog.errors import Declined
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import read_settings
from catalog.watched import WatchedCatalog
from connect.api.app import application
from etl.live.day import LiveDay, sold_so_far, taught
from etl.live.player import Player
from etl.load import load_dimensions
from serving.belief.gaussian import Counts, Knots
from serving.belief.policy import morning_of
from serving.belief.table import belief_to_table
from serving.book_store import book_in_force, publish_book
from serving.in_force import pricing_on
from serving.live_prices import LivePrices
from serving.make_book import Repriced, reprice, repriced
from serving.price_book import PriceBook
from serving.storefront import LearningStorefront
from simulation.draws import shopper_names
from simulation.truth import chance_of_sale
from simulation.visits import expected_visits_on
from training.same_shoppers import true_curves
from warehouse.lake import Lake
from warehouse.proof import verify
from warehouse.workspace import Workspace

DATE = dt.date(2026, 1, 19)
SEED = 7
HOURLY = ("hourly_price_steps", "hourly_demand_curves")


class Shop:
    """A lake and a catalog folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder = home / "home", home / "catalog"
        self.settings = read_settings({"SHELFPRICE_HOME": str(self.home)})
        self.lake = Lake(self.settings)

    def furnish(self, book: str) -> None:
        """Make everything that is there before the day."""
        self.folder.mkdir(parents=True)
        for name in ("products.yaml", "store.yaml"):
            shutil.copy(CLASSIC / name, self.folder / name)
        self.lake.prepare()
        load_dimensions(self.lake, self.catalog, shopper_names(20, 1))
        if book == "belief":
            self.publish(2.0)
        elif book == "without belief":
            curves = true_curves(self.catalog, DATE)
            publish_book(self.lake, self.catalog, curves, expected_visits_on(self.catalog, DATE), DATE)

    @property
    def catalog(self) -> Catalog:
        return load(self.folder)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.settings, self.catalog, self.lake)

    def publish(self, visits: float) -> None:
        """Publish a book on a belief that took in so many visits at each knot."""
        catalog = self.catalog
        knots = Knots.of(catalog)
        met = np.full(knots.shape, visits)
        belief = believed_after(catalog, Counts(met, met * chance_of_sale(catalog, knots.ratios)))
        curves = morning_of(catalog, belief, None).outlook().curves
        publish_book(self.lake, catalog, curves, belief.footfall.by_tick, DATE, belief_to_table(catalog, belief, None))

    def sell(self, ticks: int, store: str = "S01") -> Player:
        day = LiveDay(store, DATE)
        player = Player(self.lake, LivePrices(self.lake, WatchedCatalog(self.folder).current, day, SEED), day, SEED)
        while player.next_tick < ticks:
            player.sell_tick()
        return player

    def turn_kill_switch_on(self) -> None:
        path = self.folder / "store.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")

    def remade(self, store: str = "S01") -> PriceBook:
        found = repriced(self.lake, store, DATE)
        assert found is not None
        return found[0]

    def hourly(self) -> dict[str, bytes]:
        parts = (part for table in HOURLY for part in self.lake.partitions(table))
        return {str(part): self.lake.path(part).read_bytes() for part in parts}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folder of a shop before its day by the book that is in force; they are copied."""
    homes = {book: tmp_path_factory.mktemp("furnished") for book in ("belief", "without belief", "none")}
    for book, home in homes.items():
        Shop(home).furnish(book)
    return homes


@pytest.fixture
def shop(furnished: dict[str, Path], tmp_path: Path) -> Callable[..., Shop]:
    numbers = iter(range(100))
    return lambda book="belief": Shop(shutil.copytree(furnished[book], tmp_path / str(next(numbers))))


def test_the_same_book_and_the_same_sales_give_the_same_bytes(shop: Callable[..., Shop]) -> None:
    one, other = shop(), shop()
    for own in (one, other):
        own.sell(10)
    assert reprice(one.workspace, "S01") == reprice(other.workspace) == [Repriced("S01", DATE, 10, _visits(one))]
    assert len(one.hourly()) == 2
    assert one.hourly() == other.hourly()
    reprice(one.workspace, "S01")
    assert one.hourly() == other.hourly()
    assert verify(one.lake).findings == ()


def _visits(shop: Shop) -> int:
    found = sold_so_far(shop.lake, LiveDay("S01", DATE))
    assert found is not None
    return int(found.rows.interactions.num_rows)


def test_remade_prices_are_those_that_a_store_which_learned_the_same_ticks_would_ask_for(
    shop: Callable[..., Shop],
) -> None:
    own = shop()
    own.sell(12)
    reprice(own.workspace, "S01")
    book = own.remade()
    assert book.n_ticks == 36
    found = sold_so_far(own.lake, LiveDay("S01", DATE))
    assert found is not None
    learned = taught(pricing_on(own.lake, own.catalog, DATE).policy, found.rows, own.catalog, 12)
    assert isinstance(learned, LearningStorefront)
    assert learned.lesson is not None
    assert learned.lesson.ticks == 12
    curves = repriced(own.lake, "S01", DATE)
    assert curves is not None
    assert learned.curves is not None
    assert curves[1].p_sale == pytest.approx(learned.curves.p_sale, abs=1e-9)
    assert (book.of().prices != pricing_book(own).of().prices[:, :, :36]).any()


def pricing_book(shop: Shop) -> PriceBook:
    found = book_in_force(shop.lake, DATE)
    assert found is not None
    return found.book


def test_the_newest_remade_book_counts_and_another_book_in_force_makes_it_anew(shop: Callable[..., Shop]) -> None:
    own = shop()
    for ticks in (4, 9):
        own.sell(ticks)
        assert [one.ticks for one in reprice(own.workspace)] == [ticks]
    assert own.remade().n_ticks == 39
    before = own.hourly()
    own.publish(50.0)
    reprice(own.workspace)
    assert own.hourly().keys() == before.keys()
    assert own.hourly() != before


def test_every_store_that_is_being_sold_is_remade_from_its_own_sales(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell(6, "S01")
    own.sell(8, "S02")
    assert [(one.store, one.ticks) for one in reprice(own.workspace)] == [("S01", 6), ("S02", 8)]
    first, second = (repriced(own.lake, store, DATE) for store in ("S01", "S02"))
    assert first is not None
    assert second is not None
    assert not np.array_equal(first[1].p_sale, second[1].p_sale)
    assert repriced(own.lake, "S03", DATE) is None


def test_a_day_that_is_sold_to_its_end_has_no_prices_to_remake(shop: Callable[..., Shop]) -> None:
    own = shop()
    player = own.sell(48)
    assert [one.ticks for one in reprice(own.workspace)] == [48]
    assert own.hourly() == {}
    player.close()
    with pytest.raises(Declined, match="expected a day that is being sold, found none"):
        reprice(own.workspace)


def test_it_is_refused_without_a_live_day_and_for_a_store_that_is_not_sold(shop: Callable[..., Shop]) -> None:
    own = shop()
    with pytest.raises(Declined, match=r"found none: nothing was remade; start one with `shelfprice live --store S02`"):
        reprice(own.workspace, "S02")
    own.sell(5)
    with pytest.raises(Declined, match="expected a day of S02"):
        reprice(own.workspace, "S02")
    assert own.hourly() == {}


def test_it_is_refused_under_the_kill_switch(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell(5)
    own.turn_kill_switch_on()
    with pytest.raises(Declined, match="kill_switch is on"):
        reprice(own.workspace, "S01")
    assert own.hourly() == {}


@pytest.mark.parametrize("book", ["none", "without belief"])
def test_it_is_refused_where_no_book_with_a_belief_is_in_force(shop: Callable[..., Shop], book: str) -> None:
    own = shop(book)
    own.sell(5)
    with pytest.raises(Declined, match="expected a price book with a belief for S01"):
        reprice(own.workspace, "S01")


def test_a_quote_for_a_store_that_is_being_sold_answers_as_its_shelf_has_learned_and_other_stores_differ(
    shop: Callable[..., Shop],
) -> None:
    own = shop()
    own.sell(16)
    terminal = Terminal(own.home)
    ask = ("quote", "--sku", "MILK", "--stock", "40", "--json")
    whole = terminal(*ask, "--ticks-left", "20")
    assert whole.returncode == 1
    assert "in S01; " in whole.stderr
    assert "in S02, S03" in whole.stderr
    reprice(own.workspace, "S01")
    answers = []
    for more in (("--store", "S01", "--ticks-left", "20"), ("--store", "S02", "--ticks-left", "20")):
        answer = terminal(*ask, *more)
        assert answer.returncode == 0, answer.stderr
        answers.append(json.loads(answer.stdout))
    book, curves = repriced(own.lake, "S01", DATE) or (None, None)
    assert book is not None
    assert curves is not None
    assert answers[0]["price"] == pytest.approx(book.of().prices[0, 40, 19])
    assert [one["p_sale"] for one in answers[0]["candidates"]] == pytest.approx(curves.p_sale[0].tolist())
    assert answers[0]["candidates"] != answers[1]["candidates"]
    beyond = terminal(*ask, "--store", "S01", "--ticks-left", "40")
    assert beyond.returncode == 1
    assert "expected 1 to 32 ticks left" in beyond.stderr


def test_over_http_a_stores_prices_follow_its_own_sales_and_another_tick_gives_another_tag(
    shop: Callable[..., Shop],
) -> None:
    own, ask = shop(), "/v1/quotes?sku=MILK&stock=40&ticks_left=20&store=S01"
    own.sell(8)
    command = ("quote", "--sku", "MILK", "--stock", "40", "--ticks-left", "20", "--store", "S01", "--json")
    with AsgiClient(application(own.settings, look_every=0)) as client:
        early = client.get(ask.replace("&store=S01", ""))
        assert (early.status_code, early.json()["type"]) == (409, "/openapi.json#conflict")
        assert "name one, such as S01" in early.json()["detail"]
        answers = []
        for ticks in (8, 16):
            own.sell(ticks)
            answers.append(client.get(ask))
            assert answers[-1].text == Terminal(own.home)(*command).stdout
        assert answers[0].headers["etag"] != answers[1].headers["etag"]
        assert client.get(ask, headers={"If-None-Match": answers[1].headers["etag"]}).status_code == 304
        assert client.get(ask.replace("S01", "X9")).status_code == 404
