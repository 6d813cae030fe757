"""The training report: valid, self-contained, and true to what was judged, whatever a product is called."""

import dataclasses
import datetime as dt
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.metrics import METRICS
from catalog.names import EARNS_MORE
from features.product_columns import input_of
from features.smoothing import Kernel, Smoothing
from training.candidates import CANDIDATES, FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.judge import judge, log_loss
from training.model_conditions import Condition
from training.off_policy import Interval, OffPolicyEstimate
from training.report.breakdown import curve_points, prices_by_product, scores_by_budget_group, scores_by_product
from training.report.page import training_report
from training.result import Rival, TrainingResult

HOSTILE = {
    "MILK": "<script>alert(1)</script>",
    "'); drop table x; --": '"><img src="http://example.org/x" onerror="alert(1)">',
    r"$\frac{": "مرحبا 🥨 {{ 7 * 7 }}",
    "<b>&amp;": "long " * 2_000,
}
MET = Condition("every price varied", met=True, found="at least 5 prices per product")
UNMET = Condition("not worse than the champion", met=False, found="log loss 0.7 against 0.6")
KERNELS = (Kernel(1, 0.0675, weight=0.75), Kernel(2, 0.09, pooled=True, weight=0.25))
VOID = {"meta", "br", "hr", "img", "input", "link"}
CELLS = {"th", "td", "dt", "dd"}
DRAWN_WITH = {"path", "use", "rect", "circle"}


def cells(skus: list[str], seed: int, day: dt.date) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    ratio = np.tile(np.linspace(0.7, 1.6, 7), len(skus))
    offered = draw.integers(5, 40, len(ratio))
    frame = pd.DataFrame(
        {
            "business_date": pd.Timestamp(day),
            "sku": np.repeat(np.array(skus, dtype=object), 7),
            "price_offered": 2 * ratio,
            "price_ratio": ratio,
            "inventory_level": 50.0,
            "n_offered": offered,
            "n_purchased": draw.binomial(offered, np.clip(1.6 - ratio, 0.05, 0.95)),
        }
    )
    for sku in skus:
        frame[f"sku_{sku}"] = (frame["sku"] == sku).astype(float)
    return frame


def fall(rows: pd.DataFrame) -> np.ndarray:
    return np.clip(1.6 - rows["price_ratio"].to_numpy(), 0.02, 0.98)


class Double:
    classes_ = np.array([0, 1])

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.column_stack([1 - fall(X), fall(X)])


def groups_of(holdout: pd.DataFrame) -> pd.DataFrame:
    """The frugal buy nothing; the wealthy buy all that was bought."""
    bought = holdout.assign(budget_group="wealthy", n_offered=holdout["n_purchased"])
    refused = holdout.assign(
        budget_group="frugal", n_offered=holdout["n_offered"] - holdout["n_purchased"], n_purchased=0
    )
    return pd.concat([bought, refused], ignore_index=True)


def found(skus: list[str] | None = None, **changes: Any) -> TrainingResult:
    """What a training found on a small shelf, with everything that can be known."""
    skus = skus or list(HOSTILE)
    holdout = cells(skus, 2, dt.date(2026, 3, 9))
    one_hot = tuple(f"sku_{sku}" for sku in skus)
    training = cells(skus, 1, dt.date(2026, 3, 8))
    data = Dataset(training, holdout, one_hot, dt.date(2026, 3, 8), dt.date(2026, 3, 9), "f" * 64)
    chance = fall(holdout)
    points = curve_points(data)
    curves = points.assign(predicted=fall(points), champion=fall(points) * 0.9, truth=fall(points))
    scores = {candidate.name: judge(chance * share, holdout, chance, 0.4) for candidate, share in CANDIDATES_SHARES}
    known = TrainingResult(
        data,
        FittedModel(CANDIDATES[2], ["price_ratio", *one_hot], Double(), Smoothing(0.7, 1.6, KERNELS)),
        "7",
        chance,
        curves,
        scores,
        Verdict((MET, UNMET)),
        names=HOSTILE,
        run_id="abc123",
        seed=11,
        champion=Rival("6", chance * 0.9),
        truth=chance,
        budget_groups=groups_of(holdout),
    )
    return dataclasses.replace(known, **changes)


CANDIDATES_SHARES = list(zip(CANDIDATES, (0.8, 0.9, 1.0), strict=True))


class Page(HTMLParser):
    """Reads a page as a browser does, and knows what was opened, named, linked and said."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in DRAWN_WITH, f"<{tag}/> closes itself only within a drawing"
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag
        self.said += " " if tag in CELLS else ""

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.said += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def page() -> str:
    return training_report(found())


def words(text: str) -> str:
    return " ".join(Page(text).said.split())


def test_every_tag_is_closed_every_id_is_one_and_every_link_leads_somewhere(page: str) -> None:
    read = Page(page)
    assert read.open == []
    ids = read.values("id")
    assert len(ids) == len(set(ids))
    links = read.values("href") + read.values("xlink:href")
    links += re.findall(r"url\((#[^)]*)\)", page)
    assert len(links) > 10
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert read.tags.count("h1") == 1


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    read = Page(page)
    assert not {"script", "link", "img", "iframe", "object", "image"} & set(read.tags)
    assert read.values("src") == []
    assert [name for _, name, _ in read.attributes if name.startswith("on")] == []
    assert all(value.startswith("#") for value in read.values("href") + read.values("xlink:href"))
    outside_of_text = page.replace("http://example.org/x", "")
    assert not re.search(r"https?:|//\w|@import|url\((?!#)", outside_of_text)
    assert read.tags.count("style") == 1


def test_names_are_shown_literally_and_cut_short_by_the_stylesheet_alone(page: str) -> None:
    said = Page(page).said
    for sku, name in HOSTILE.items():
        assert said.count(name) >= 4
        assert sku in said
    assert re.search(r"\.name \{[^}]*text-overflow: ellipsis", page)


def test_a_refused_model_says_by_what_and_every_condition_is_listed(page: str) -> None:
    said = words(page)
    assert "Refused. not worse than the champion: log loss 0.7 against 0.6. Champion version 6 stays." in said
    assert "every price varied ✓ yes at least 5 prices per product" in said
    assert "not worse than the champion ✗ no log loss 0.7 against 0.6" in said


def test_a_promoted_model_says_so() -> None:
    assert "Promoted. Every condition" in words(training_report(found(verdict=Verdict((MET,)))))


def test_a_page_says_where_it_came_from(page: str) -> None:
    said = words(page)
    for fact in ("2026-03-08", "f" * 64, "abc123", "shelfprice train --through 2026-03-09 --seed 11", "n_estimators"):
        assert fact in said
    assert "Smoothing, 75.0% local polynomial of degree 1, bandwidth 0.0675 of the base price, a curve for each" in said
    assert (
        "Smoothing, 25.0% local polynomial of degree 2, bandwidth 0.0900 of the base price, one curve for all" in said
    )
    forest = training_report(found(fitted=dataclasses.replace(found().fitted, smoothing=None)))
    assert "Smoothing" not in words(forest)


def test_every_metric_that_is_judged_is_explained_and_shown_for_every_candidate(page: str) -> None:
    scores = found().scores
    assert {metric.name for metric in METRICS} == set(scores["demand_forest"])
    for metric in METRICS:
        row = " ".join(f"{own[metric.name]:.4f}" for own in scores.values())
        assert f"{metric.label} {row} {metric.better or '–'} {metric.says}" in words(page)


def test_the_best_candidate_of_each_row_is_marked(page: str) -> None:
    best = min(own["log_loss"] for own in found().scores.values())
    assert f"<mark>{best:.4f}</mark>" in page


def test_the_champion_is_compared_product_by_product(page: str) -> None:
    known = found()
    assert known.champion is not None
    assert known.champion.p_sale is not None
    own = (known.dataset.holdout["sku"] == "MILK").to_numpy()
    ours = log_loss(known.p_sale[own], known.dataset.holdout[own])
    theirs = log_loss(known.champion.p_sale[own], known.dataset.holdout[own])
    change = f"{ours - theirs:+.4f}".replace("-", "−")
    assert f"MILK {ours:.4f} {theirs:.4f} {change}" in words(page)


def test_what_is_not_known_is_said_and_not_shown_as_a_number() -> None:
    known = found()
    bare = dataclasses.replace(
        known,
        champion=None,
        truth=None,
        curves=known.curves.drop(columns=["champion", "truth"]),
        budget_groups=known.budget_groups.iloc[:0],
        scores={name: judge(known.p_sale, known.dataset.holdout) for name in known.scores},
    )
    said = words(training_report(bare))
    assert "There is no champion." in said
    assert "There was no champion to compare with" in said
    assert "No held-out decision carries a budget multiplier" in said
    assert "truth of the twin" not in said
    assert not re.search(r"\b(nan|None)\b", said)


def test_a_metric_that_has_no_value_is_a_dash_and_never_the_best() -> None:
    scores = {name: {**own, "roc_auc": float("nan")} for name, own in found().scores.items()}
    page = training_report(found(scores=scores))
    assert "ROC AUC – – – higher" in words(page)
    assert "<mark>–" not in page


def test_a_champion_of_another_shelf_is_named_and_not_compared() -> None:
    said = words(training_report(found(champion=Rival("6", None))))
    assert "Champion version 6 does not know this shelf" in said
    assert "Champion’s log loss" not in said


def test_an_estimate_in_money_has_its_place(page: str) -> None:
    assert 'id="money"' not in page
    dr, unsure = Interval(2.5, 1.25, 3.75), Interval(1234.5, float("-inf"), float("inf"))
    money = OffPolicyEstimate(unsure, unsure, dr, 2.0, 4_000, 300, 55.0, 1.0)
    said = words(training_report(found(gain=money)))
    assert money.note in said
    assert "self-normalised 1,234.50 – –" in said
    assert "doubly robust 2.50 1.25 3.75" in said
    assert "the truth, which only the twin knows 2.00 – –" in said


def test_a_sound_model_that_is_not_shown_to_earn_more_waits() -> None:
    said = words(training_report(found(verdict=Verdict((MET, Condition(EARNS_MORE, met=False, found="gain 0"))))))
    assert "Waits. Nothing is wrong with it" in said
    assert "Refused" not in said


def test_a_long_shelf_draws_twelve_curves_and_lists_every_product() -> None:
    skus = [f"P{number:02d}" for number in range(15)]
    page = training_report(found(skus))
    assert "Shown are the 12 of 15 products" in words(page)
    assert page.count("<figure>") == 12 + 2
    assert all(words(page).count(sku) >= 6 for sku in skus)


def test_equal_trainings_give_equal_pages(page: str) -> None:
    assert training_report(found()) == page


def test_decisions_are_counted_over_both_parts_and_at_the_base_price() -> None:
    data = found(["A", "B"]).dataset
    data.holdout.loc[0, "price_ratio"] = 1.0
    offered = prices_by_product(data).set_index("sku")
    both = pd.concat([data.training, data.holdout])
    assert offered["decisions"].sum() == both["n_offered"].sum()
    assert offered.loc["A", "prices"] == 7
    assert offered.loc["A", "lowest_eur"] == pytest.approx(1.4)
    assert offered.loc["A", "highest_eur"] == pytest.approx(3.2)
    a = both[(both["sku"] == "A") & np.isclose(both["price_ratio"], 1.0)]
    assert offered.loc["A", "base_share"] == pytest.approx(a["n_offered"].sum() / offered.loc["A", "decisions"])
    assert 0 < offered.loc["A", "base_share"] < 1


def test_curves_are_drawn_at_every_price_ever_offered_once() -> None:
    data = found(["A", "B"]).dataset
    extra = data.holdout.iloc[[0]].assign(price_offered=9.99)
    points = curve_points(dataclasses.replace(data, holdout=pd.concat([data.holdout, extra])))
    assert len(points) == 2 * 7 + 1
    assert points.groupby("sku")["price_offered"].is_monotonic_increasing.all()
    assert input_of(points, data.one_hot).sum(axis=1).eq(1).all()


SHARES = st.lists(st.floats(0.0, 1.0), min_size=28, max_size=28)


@settings(deadline=None, max_examples=50)
@given(SHARES)
def test_products_weighed_by_their_decisions_add_up_to_the_whole(chances: list[float]) -> None:
    holdout, chance = cells(list(HOSTILE), 2, dt.date(2026, 3, 9)), np.array(chances)
    rows = scores_by_product(holdout, chance)
    assert rows["decisions"].sum() == holdout["n_offered"].sum()
    assert np.average(rows["log_loss"], weights=rows["decisions"]) == pytest.approx(log_loss(chance, holdout))


@settings(deadline=None, max_examples=50)
@given(SHARES)
def test_a_model_wrong_for_each_group_is_as_right_on_average_as_for_everyone(chances: list[float]) -> None:
    holdout, chance = cells(list(HOSTILE), 2, dt.date(2026, 3, 9)), np.array(chances)
    rows = scores_by_budget_group(groups_of(holdout), holdout, chance).set_index("budget_group")
    assert list(rows.index) == ["frugal", "wealthy", "all"]
    assert list(rows["observed"]) == [
        0.0,
        1.0,
        pytest.approx(holdout["n_purchased"].sum() / holdout["n_offered"].sum()),
    ]
    parts = rows.drop(index="all")
    assert parts["decisions"].sum() == rows.loc["all", "decisions"] == holdout["n_offered"].sum()
    assert np.average(parts["predicted"], weights=parts["decisions"]) == pytest.approx(rows.loc["all", "predicted"])
    assert rows.loc["all", "predicted"] == pytest.approx(np.average(chance, weights=holdout["n_offered"]))


def test_a_page_of_a_long_shelf_has_rows_for_the_products_with_most_decisions_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = found(["A", "B", "C"], names={name: f"Product {name}" for name in "ABC"})
    cells = pd.concat([result.dataset.training, result.dataset.holdout])
    most = set(cells.groupby("sku")["n_offered"].sum().nlargest(2).index)
    monkeypatch.setattr("training.report.page._PRODUCTS", 2)
    text = training_report(result)
    assert "show the 2 of 3 with most decisions" in words(text)
    by_product = text.split('<section id="products">', 1)[1].split("</section>", 1)[0]
    assert {name for name in "ABC" if f"Product {name}" in by_product} == most
