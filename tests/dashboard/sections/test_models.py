import datetime as dt
import math
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pandas as pd
import pytest

from catalog.settings import read_settings
from dashboard.data.calibration import calibration_error, promised
from dashboard.data.registry import registry_pages
from dashboard.data.versions import Version, champion_of, versions_of
from dashboard.figures import models as figures
from dashboard.monitor import Monitor
from dashboard.pages import models as page
from dashboard.sections import evidence
from dashboard.sections import models as sections

FIRST = dt.date(2026, 1, 12)
MONEY = {
    "dr": {"estimate": 4.0, "lower": 1.0, "upper": 7.0},
    "snips": {"estimate": 3.0, "lower": -1.0, "upper": 7.0},
    "ips": {"estimate": 2.0, "lower": None, "upper": None},
    "truth": 3.5,
    "warning": "poor overlap with the log",
}


def versions(monitor: Monitor) -> tuple[Version, ...]:
    return versions_of(monitor.reader.ask("judged_versions", ("model_versions",)))


@pytest.fixture
def three(add_version: Callable[..., None], monitor: Monitor) -> tuple[Version, ...]:
    """Version 1 was champion, 2 is champion, 10 was not promoted: text order would put 10 before 2."""
    add_version(1)
    add_version(2)
    add_version(10, promoted=False)
    return versions(monitor)


def test_versions_come_newest_first_and_the_champion_is_the_one_promoted_last(three: tuple[Version, ...]) -> None:
    assert [version.number for version in three] == ["10", "2", "1"]
    assert [version.verdict for version in three] == ["not promoted", "champion", "was champion"]


def test_without_a_promotion_there_is_no_champion_and_the_page_says_that_base_prices_stand(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1, promoted=False)
    assert champion_of(versions(monitor)) is None
    said = words(page._body(monitor, "light"))
    assert "No champion" in said
    assert "base prices stand" in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_tells_champion_verdict_metrics_and_curves(
    three: tuple[Version, ...],
    add_priced_day: Callable[..., None],
    monitor: Monitor,
    words: Callable[[Any], str],
    scheme: Any,
) -> None:
    add_priced_day(FIRST, "2")
    said = words(page._body(monitor, scheme))
    assert "Version 2" in said
    assert "version 10: 1 of 2 conditions met" in said
    assert "0.0 points off on its days" in said
    assert "Own metric" in said
    assert "Milk" in said


def test_the_gate_names_what_was_not_met_first_and_shows_what_was_found_literally(
    three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    said = words(sections.gate(three[0], "light"))
    assert said.index("not met:") < said.index("Every price varied")
    assert "<script>alert(1)</script>'); drop table x; --" in said


def test_the_best_of_a_row_is_marked_by_the_metrics_direction_and_a_tie_or_an_unknown_direction_by_nothing(
    three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    said = words(sections.side_by_side(three, None))
    assert "0.5000  ★" in said
    assert said.count("★") == 1


def test_links_lead_to_the_version_the_run_and_the_trainings_report_where_the_registry_has_pages(
    three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    linked = str(sections.side_by_side(three, "http://127.0.0.1:5000"))
    report = "experiments/0/runs/training2/artifacts/training_report.html"
    for path in ("models/shelfprice-demand/versions/2", "runs/run2", report):
        assert f"http://127.0.0.1:5000/#/{path}" in linked
    assert "run run2" in words(sections.side_by_side(three, None))


def test_the_registrys_pages_are_where_something_listens_and_nowhere_else() -> None:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        at = f"127.0.0.1:{listening.getsockname()[1]}"
        as_a_file = read_settings({"SHELFPRICE_MLFLOW_ADDRESS": at})
        as_a_server = read_settings({"MLFLOW_TRACKING_URI": f"http://{at}/"})
        assert registry_pages(as_a_file) == registry_pages(as_a_server) == f"http://{at}"
    assert registry_pages(as_a_file) is None
    assert registry_pages(as_a_server) is None


def test_an_estimate_of_money_is_drawn_with_its_truth_and_its_warning(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    figure = figures.money(MONEY, "light")
    assert {trace.y[0] for trace in figure.data} == {"doubly robust", "self-normalised", "inverse propensity"}
    assert figure.layout.annotations[0].text == "truth"
    add_version(1)
    version = versions(monitor)[0]
    told = sections.gate(Version(**{**vars(version), "money": MONEY}), "dark")
    assert "Mind: poor overlap with the log." in words(told)
    beside = words(sections.side_by_side([Version(**{**vars(version), "money": MONEY})], None))
    assert "€4.00 €1.00 to €7.00" in beside


def test_the_timeline_marks_each_version_by_where_it_stands_and_the_champion_stays_in_force_until_now(
    three: tuple[Version, ...],
) -> None:
    figure = figures.history(three, "light")
    drawn = {trace.name: list(trace.x) for trace in figure.data}
    assert drawn == {"in force": [0, 1, 2], "champion": [1], "was champion": [0], "not promoted": [2]}
    assert list(figure.layout.xaxis.ticktext) == ["v10<br>21 Jan", "v2<br>13 Jan", "v1<br>12 Jan"]
    assert figure.layout.yaxis.title.text == "log loss, nats a decision"


def test_a_version_trained_again_on_earlier_days_is_the_newest_all_the_same(
    add_version: Callable[..., None], monitor: Monitor
) -> None:
    add_version(9)
    add_version(10, judged=FIRST)
    assert [(version.number, version.verdict) for version in versions(monitor)] == [
        ("10", "champion"),
        ("9", "was champion"),
    ]


def test_promises_are_held_against_the_day_they_were_made_for_and_kept_ones_have_no_error(
    three: tuple[Version, ...], add_priced_day: Callable[..., None], monitor: Monitor
) -> None:
    add_priced_day(FIRST, "1")
    add_priced_day(FIRST + dt.timedelta(days=1), "2")
    curves, observed = page._curves_and_observed(monitor)
    seen = promised(curves, observed)
    assert seen["n_offered"].sum() == 1_200
    assert set(seen["model_version"]) == {"1", "2"}
    assert calibration_error(seen) == pytest.approx(0)
    assert calibration_error(seen.assign(p_sale=seen["p_sale"] - 0.1)) == pytest.approx(0.1)


def test_prices_outside_the_curve_and_days_without_one_are_left_out() -> None:
    curve = pd.DataFrame(
        {
            "business_date": [1, 1],
            "sku": ["A", "A"],
            "price": [1.0, 2.0],
            "p_sale": [0.8, 0.2],
            "model_version": ["1"] * 2,
        }
    )
    observed = pd.DataFrame(
        {
            "business_date": [1, 1, 1, 2],
            "sku": ["A"] * 4,
            "price_offered": [0.5, 1.5, 2.5, 1.5],
            "n_offered": [1] * 4,
            "n_purchased": [0] * 4,
        }
    )
    seen = promised(curve, observed)
    assert list(seen["p_sale"]) == pytest.approx([0.5])
    nothing = promised(curve, observed[observed["business_date"] == 2])
    assert nothing.empty
    assert math.isnan(calibration_error(nothing))
    assert "No day that a champion priced is over yet." in str(evidence.promises(nothing, "light"))


def test_an_empty_home_and_a_lake_without_models_name_the_command_that_helps(
    monitor: Monitor, words: Callable[[Any], str], request: pytest.FixtureRequest
) -> None:
    assert "shelfprice demo" in words(page._body(monitor, "light"))
    request.getfixturevalue("lake")
    assert "shelfprice train" in words(page._body(monitor, "light"))
