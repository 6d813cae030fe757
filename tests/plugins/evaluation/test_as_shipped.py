"""The product as it ships beside its peers: what is counted, from days that were made up, and days really lived."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.settings import read_settings
from flows.environment import ready
from plugins.evaluation import flows as flow_module
from plugins.evaluation.as_shipped import shipped_report as report
from plugins.evaluation.as_shipped.learner_regret import (
    Period,
    against_best_peer,
    gate_record,
    lost_until_champion,
    nights_until,
    regret,
    worst_week,
)
from plugins.evaluation.as_shipped.lived_days import (
    BELIEF_ALONE,
    LEARNERS,
    OWNERS_PRICE,
    PRODUCT,
    TITLES,
    AsShipped,
    AsShippedQuestion,
    LivedDay,
    WorldToLive,
)
from plugins.evaluation.flows import compare
from plugins.evaluation.peers.peer import NAMES, peers_of
from plugins.evaluation.reporting import mean_where_it_came
from plugins.evaluation.worlds import StoreWorld, asked_worlds
from warehouse.lake import Lake
from warehouse.query.connection import workbench_with_marts

(DEFAULT,) = asked_worlds(["classic"])
THREE_DAYS = Period(1, 3)
MADE_UP = (PRODUCT, BELIEF_ALONE, *NAMES, OWNERS_PRICE)


def lives(
    gains: list[float], learner: str = PRODUCT, seed: int = 1, *, champion_from: int | None = None, stores: int = 1
) -> list[LivedDay]:
    """Return days of one learner in a world where the clairvoyant earns 100 EUR; the product's first is at base."""
    days = [LivedDay("classic", learner, seed, stores, day, eur, 100.0) for day, eur in enumerate(gains, start=1)]
    if learner != PRODUCT:
        return days
    sources = ["base" if day.day == 1 else "belief" for day in days]
    return [
        replace(day, priced_by="champion" if champion_from and day.day >= champion_from else source)
        for day, source in zip(days, sources, strict=True)
    ]


def test_regret_is_the_share_of_all_days_and_its_interval_is_students_over_seeds() -> None:
    days = lives([80.0, 100.0, 0.0]) + lives([90.0, 110.0, 0.0], seed=2)
    found = regret(days, "classic", PRODUCT, Period(1, 2))
    assert found.mean == pytest.approx(0.05)
    assert found.high - found.mean == pytest.approx(12.7062 * 0.05, rel=1e-4)  # t of one degree of freedom


def test_the_worst_week_is_the_one_in_which_base_prices_were_most_ahead() -> None:
    days = lives([95.0] * 7 + [70.0] * 7 + [0.0] * 3) + lives([80.0] * 17, OWNERS_PRICE)
    assert worst_week(days, "classic", PRODUCT) == pytest.approx(0.10)
    assert worst_week(lives([95.0] * 9) + lives([80.0] * 9, OWNERS_PRICE), "classic", PRODUCT) == pytest.approx(-0.15)
    assert worst_week(lives([70.0] * 3) + lives([80.0] * 3, OWNERS_PRICE), "classic", PRODUCT) == pytest.approx(0.10)


def test_the_best_peer_is_the_one_that_lost_least_and_the_difference_is_paired_by_seed() -> None:
    days = lives([90.0, 90.0]) + lives([80.0, 80.0], seed=2)
    for name, lead in zip(NAMES, (0.0, 2.0, -3.0), strict=True):
        days += lives([91.0 + lead] * 2, name) + lives([81.0 + lead] * 2, name, seed=2)
    best, less = against_best_peer(days, "classic", Period(1, 2))
    assert best == NAMES[1]
    assert less.mean == pytest.approx(0.03)
    assert less.high - less.mean == pytest.approx(0, abs=1e-9)  # 3 points on either seed


def test_nights_count_until_the_first_day_that_was_priced_and_losses_until_the_first_champion() -> None:
    days = lives([60.0, 90.0, 95.0, 99.0], champion_from=3) + lives([60.0] * 4, seed=2)
    assert nights_until(days, "classic", "belief", "champion") == (1, 1)
    assert nights_until(days, "classic", "champion") == (2, None)
    assert lost_until_champion(days, "classic").mean == pytest.approx(((40 + 10) + 4 * 40) / 2)


def test_promotions_are_false_where_prices_truly_earn_one_per_cent_less_and_unknown_truth_accuses_nobody() -> None:
    verdicts = [("promoted", -1.2), ("promoted", -0.5), ("waits", 3.5), ("promoted", 3.5), ("refused", None)]
    days = [
        replace(day, judged_version="1", verdict=verdict, true_gain_eur=true)
        for day, (verdict, true) in zip(lives([200.0] * 5, stores=2), verdicts, strict=True)  # 100 EUR a store
    ]
    found = gate_record([*days, *lives([90.0], seed=2)], "classic")
    assert (found.judged, found.promoted, found.false_promotions) == (5, 3, 1)
    assert (found.clearly_better, found.better_promoted) == (2, 1)


def test_an_interval_counts_where_the_true_gain_is_known_and_holds_it_between_its_ends() -> None:
    gains = [(1.0, 0.0, 2.0), (2.5, 0.0, 2.0), (-0.1, 0.0, 2.0), (None, 0.0, 2.0), (1.0, None, None)]
    days = [
        replace(day, judged_version="1", verdict="waits", true_gain_eur=true, gain_lower_eur=low, gain_upper_eur=high)
        for day, (true, low, high) in zip(lives([200.0] * 5), gains, strict=True)
    ]
    found = gate_record(days, "classic")
    assert (found.held, found.intervals) == (1, 3)


def test_under_the_kill_switch_every_learner_earns_what_base_prices_do_on_the_same_shoppers() -> None:
    rails = DEFAULT.catalog.store.guardrails.model_copy(update={"kill_switch": True})
    store = DEFAULT.catalog.store.model_copy(update={"guardrails": rails})
    world = StoreWorld("frozen", "base prices stand", Catalog(DEFAULT.catalog.products, store))
    days = WorldToLive(world, 5, 2, 2).play()
    played = {PRODUCT, BELIEF_ALONE, OWNERS_PRICE, *peers_of(world.catalog, 5)}
    assert {(day.learner, day.day) for day in days} == {(name, day) for name in played for day in (1, 2)}
    for number in (1, 2):
        gains = [day.gain_eur for day in days if day.day == number]
        assert gains == pytest.approx([gains[0]] * len(gains))
    assert {day.priced_by for day in days if day.learner == PRODUCT} == {"base"}


@pytest.fixture(scope="module")
def lived() -> list[LivedDay]:
    """Live three days of the default shelf as shipped."""
    return WorldToLive(DEFAULT, 1, 3, 1).play()


def test_the_product_is_lived_through_its_own_nights_and_judged_by_its_gate(lived: list[LivedDay]) -> None:
    own = [day for day in lived if day.learner == PRODUCT]
    assert own[1].verdict in {"promoted", "waits", "refused"}
    assert own[1].judged_version is not None
    assert all(day.priced_by in {"base", "belief", "champion"} for day in own)
    assert all(np.isfinite(day.true_gain_eur) for day in own if day.true_gain_eur is not None)
    assert gate_record(lived, "classic").judged >= 1
    assert gate_record(lived, "classic").intervals >= 1


def test_the_belief_alone_is_the_product_without_a_model_and_prices_from_its_first_night(lived: list[LivedDay]) -> None:
    own, product = ([day.gain_eur for day in lived if day.learner == learner] for learner in (BELIEF_ALONE, PRODUCT))
    assert own[0] == product[0]
    assert regret(lived, "classic", BELIEF_ALONE, THREE_DAYS).mean < 0.06
    assert {day.priced_by for day in lived if day.learner == BELIEF_ALONE} == {None}


def test_the_peer_that_estimates_each_hour_is_near_the_clairvoyant_within_three_days(lived: list[LivedDay]) -> None:
    assert regret(lived, "classic", "certainty_equivalence", THREE_DAYS).mean < 0.04
    assert regret(lived, "classic", "thompson_logit", THREE_DAYS).mean < 0.08
    assert 0.1 < regret(lived, "classic", OWNERS_PRICE, THREE_DAYS).mean < 0.3
    assert worst_week(lived, "classic", "certainty_equivalence") < -0.1


def test_the_product_prices_from_the_first_day_and_is_near_the_best_peer_within_three(lived: list[LivedDay]) -> None:
    assert nights_until(lived, "classic", "belief", "champion") == (0,)
    lost = regret(lived, "classic", PRODUCT, THREE_DAYS).mean
    assert lost < 0.06
    assert lost < regret(lived, "classic", OWNERS_PRICE, THREE_DAYS).mean - 0.1
    assert against_best_peer(lived, "classic", THREE_DAYS)[1].mean < 0.03
    assert gate_record(lived, "classic").false_promotions == 0


def test_where_models_bring_nothing_the_report_says_so() -> None:
    worlds = asked_worlds(["classic", "hot days"])
    days = [
        *(lives([99.0] * 14, learner) for learner in (PRODUCT, BELIEF_ALONE)),
        *(lives([gain] * 14, name) for name, gain in ((PRODUCT, 99.0), (BELIEF_ALONE, 98.0))),
    ]
    named = [replace(day, world=worlds[at // 2].name) for at, lived in enumerate(days) for day in lived]
    found = AsShipped(AsShippedQuestion(worlds, 14, 1, 1), tuple(named))
    assert report.models_in_words(found) == (
        "beyond the belief alone, models brought on days 8 to 14, as shares of the attainable: +1.00 % in hot days; "
        "nothing in classic"
    )


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let worlds be lived at once, with the product first at base and then by a champion."""

    def live(part: WorldToLive) -> list[LivedDay]:
        days, seed, stores = part.days, part.seed, part.stores
        base = lives([80.0] * days, OWNERS_PRICE, seed, stores=stores)
        product = lives([70.0] + [99.0] * (days - 1), PRODUCT, seed, champion_from=2, stores=stores)
        peers = [day for name in (BELIEF_ALONE, *NAMES) for day in lives([95.0] * days, name, seed, stores=stores)]
        return [replace(day, world=part.world.name) for day in (*product, *peers, *base)]

    return lambda: monkeypatch.setattr(flow_module, "live", live)


def test_what_was_lived_is_told_kept_and_logged_alike(made_up: Callable[[], None], empty_home: Path) -> None:
    made_up()
    with ready():
        found = compare(("classic", "400 visits"), 9, 2, 3)
    columns, rows = report.regret_rows(found)
    assert columns == ["world", "learner", "days 1 to 7", "days 1 to 9", "worst week against the owner's price"]
    assert [row[:2] for row in rows] == [
        [world, TITLES.get(learner, learner)] for world in ("classic", "400 visits") for learner in MADE_UP
    ]
    assert rows[0][2:] == ["5.14 ± 0.00", "4.22 ± 0.00", "-14.86"]
    assert report.peer_rows(found)[1][0] == [
        "classic",
        "+0.14 ± 0.00, certainty_equivalence",
        "-0.78 ± 0.00, certainty_equivalence",
    ]
    assert [row[:4] for row in report.gate_rows(found)[1]] == [
        [name, "1", "1", "30"] for name in ("classic", "400 visits")
    ]
    assert report.models_in_words(found) == (
        "beyond the belief alone, models brought on days 1 to 9, as shares of the attainable: "
        "+0.78 ± 0.00 % in classic, +0.78 ± 0.00 % in 400 visits"
    )
    record = json.loads(json.dumps(report.as_json(found)))
    assert record["worlds"][1]["models_brought"][1]["mean"] == pytest.approx(0.05 - 0.38 / 9)
    assert [world["nights_until_champion"] for world in record["worlds"]] == [[1, 1], [1, 1]]
    assert record["worlds"][0]["lost_until_champion_eur"]["mean"] == pytest.approx(30.0)
    settings = read_settings()
    with workbench_with_marts(settings) as connection:
        kept = connection.execute(
            "select 1 - sum(gain_eur) / sum(clairvoyant_eur), count(*), min(count_stores) from regret_by_day "
            "where world = '400 visits' and learner = 'as_shipped' and day <= 7"
        ).fetchone()
    assert kept == (pytest.approx(0.36 / 7), 14, 3)
    run = MlflowClient(settings.tracking_uri).get_run(found.run_id)
    assert run.data.metrics["regret/400 visits/as_shipped/7"] == pytest.approx(0.36 / 7)


def test_amounts_are_in_the_currency_of_their_world() -> None:
    store = DEFAULT.catalog.store.model_copy(update={"currency": "JPY"})
    yen = replace(DEFAULT, name="yen", catalog=Catalog(DEFAULT.catalog.products, store))
    days = lives([70.0, 99.0], champion_from=2)
    days += [replace(day, world="yen") for day in days]
    for worlds, column, lost in (
        ((DEFAULT,), "lost until then, EUR", ["30"]),
        ((yen,), "lost until then, JPY", ["30"]),
        ((DEFAULT, yen), "lost until then", ["30 EUR", "30 JPY"]),
    ):
        columns, rows = report.gate_rows(AsShipped(AsShippedQuestion(worlds, 2, 1, 1), tuple(days)))
        assert columns[3] == column
        assert [row[3] for row in rows] == lost


def test_one_seed_has_no_interval_and_says_so_in_json_by_null() -> None:
    question = AsShippedQuestion((DEFAULT,), 2, 1, 1)
    days = [day for name in LEARNERS for day in lives([90.0, 95.0], name)]
    found = AsShipped(question, tuple(days))
    assert report.regret_rows(found)[1][0][2] == "7.50"
    told = json.loads(json.dumps(report.as_json(found), allow_nan=False))
    first = told["worlds"][0]["learners"][0]["regret"]
    assert first == [{"first": 1, "last": 2, "mean": pytest.approx(0.075), "low": None, "high": None}]
    assert told["worlds"][0]["nights_until_champion"] == [None]


def test_the_same_question_asked_again_replaces_its_answer(made_up: Callable[[], None], empty_home: Path) -> None:
    made_up()
    with ready():
        for seeds in (2, 2, 1):
            compare(("classic",), 9, seeds, 3)
    kept = Lake(read_settings()).partitions("regret_by_day_history")
    assert len(list(kept)) == 2, "of two questions"


def test_reports_say_what_never_came_and_on_how_many_seeds_it_did() -> None:
    assert mean_where_it_came([None, None]) == "never"
    assert mean_where_it_came([1, 2, None]) == "1.5 on 2 of 3"
    assert mean_where_it_came([1_000, 1_001]) == "1,000"


def test_an_unknown_world_is_refused_with_those_there_are(empty_home: Path) -> None:
    with ready(), pytest.raises(DataError, match=r"expected a world out of classic; .*found 'moon'"):
        compare(("moon",), 1, 1, 1)


def test_where_stock_lives_on_it_says_what_was_earned_and_thrown_away() -> None:
    (fresh,) = asked_worlds(["fresh"])
    named = [replace(day, world="fresh") for day in lives([100.0, 120.0]) + lives([90.0, 95.0], OWNERS_PRICE)]
    wasted = [
        replace(day, units=90, spoiled=10, waste_eur=4.0) if day.learner == OWNERS_PRICE else replace(day, units=95)
        for day in named
    ]
    found = AsShipped(AsShippedQuestion((fresh,), 2, 1, 1), tuple(wasted))
    columns, rows = report.waste_rows(found)
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    assert [row["profit a day"] for row in told[:3]] == ["110.00 EUR", "92.50 EUR", "100.00 EUR"]
    assert [row["learner"] for row in told[2:]] == ["clairvoyant"]
    assert [row["units thrown away"] for row in told] == ["0.0%", "10.0%", ""]
    assert told[0]["more than the owner's price in"] == "1 of 1 seeds"
    assert told[1]["waste a day"] == "4.00 EUR"
    plain = AsShipped(AsShippedQuestion((DEFAULT,), 2, 1, 1), tuple(lives([100.0, 120.0])))
    assert report.waste_rows(plain) == ([], [])
