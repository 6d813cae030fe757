"""Fit the candidates, judge them on later days, register the best and let the gate decide."""

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from prefect import flow, task

from catalog.arrays import Floats
from features.cells import feature_workbench
from features.price_response import PriceResponse
from features.shifts import demand_shifts
from flows.artifacts import show_models
from flows.edge import COMPUTES, DEFAULT_SEED, Surroundings, newest_date, tag_run
from flows.progress import tell
from serving.champion import Champion, load_champion
from training.candidates import CANDIDATES, Candidate, FittedModel, fit
from training.dataset import Dataset, holdout_budget_groups, load_dataset
from training.gain import Challenger
from training.gate import Verdict
from training.judge import base_rates, choose_threshold, judge, log_loss
from training.judgement import champion_chances, judge_challenger, true_chances
from training.load_check.process import fresh_process
from training.mlflow import notes
from training.mlflow.registry import describe_version, model_version_row, register_challenger
from training.mlflow.tracking import LoggedModel, conclude, folder_of, log_candidate, log_figures, training_run
from training.off_policy import OffPolicyEstimate
from training.promotion.change import catch_up
from training.promotion.history import settle
from training.report import figures
from training.report.breakdown import curve_points
from training.report.page import ReportInput, Rival, training_report
from warehouse.lake import Partition


@dataclass(frozen=True)
class Judged:
    """A candidate with its chances of sale, shape (n_cells,), and its scores on the held-out days."""

    fitted: FittedModel
    logged: LoggedModel
    p_sale: Floats
    scores: dict[str, float]


@dataclass(frozen=True)
class Training:
    """The outcome of one training: scores of every candidate, the challenger's version and the gate's verdict.

    `champion` is the version it was judged against, and `money` the estimated gain over that, or over the base prices.
    `responses` say how exported decisions answer to prices, where there are such, and `base_rate_log_loss` is that of
    each product's share of purchases, nats. `report` is the page that was logged as an artifact of the parent run
    `run_id`.
    """

    scores: dict[str, dict[str, float]]
    best: str
    version: str
    champion: str | None
    verdict: Verdict
    money: OffPolicyEstimate | None
    trained_through: dt.date
    judged_through: dt.date
    run_id: str
    report: str
    trained_since: dt.date | None = None
    responses: tuple[PriceResponse, ...] = ()
    base_rate_log_loss: float = np.nan


@flow(name="train", flow_run_name="train-{through}")
def train(
    through: dt.date | None = None,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
    since: dt.date | None = None,
) -> Training:
    """Train every candidate on the demand cells up to a date, and promote the best if the gate lets it pass.

    Parameters
    ----------
    since
        First business date to learn from, by default as far back as `learning.window_days` lets it. Where a change in
        demand was detected later, the days before it lend the shape of their curve alone.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    """
    around = Surroundings(catalog_dir)
    dataset = learning_days(around, through or newest_date(around.lake), since)
    with feature_workbench(around.settings) as connection:
        budget_groups = holdout_budget_groups(connection, dataset)
    truth = true_chances(around, dataset)
    catch_up(around, dataset.judged_through + dt.timedelta(days=1))
    champion = load_champion(around.settings)
    judged = []
    tag_run("training")
    with fresh_process() as fresh:
        with training_run(around.settings, dataset) as run_id:
            for done, candidate in enumerate(CANDIDATES, start=1):
                judged.append(train_candidate(candidate, dataset, truth, seed))
                tell("training candidates", done, len(CANDIDATES))
            log_figures({"demand_curves": figures.demand_curves(curves_of(judged, dataset), dataset.holdout)})
            best = min(judged, key=lambda item: item.scores["log_loss"])
            inputs = f"{dataset.fingerprint}:{seed}"
            version = register_challenger(best.logged, best.fitted, best.scores, inputs)
        challenger = Challenger(version, best.fitted, dataset.learned_from)
        verdict, money, responses = judge_challenger(
            around, dataset, challenger, champion, folder_of(best.logged), fresh
        )
    settle(around.settings, version, verdict, champion.version if champion else None, dataset.judged_through)
    scores = {item.fitted.candidate.name: item.scores for item in judged}
    row = model_version_row(
        version, best.logged, best.fitted, dataset=dataset, scores=scores, verdict=verdict, money=money
    )
    around.lake.publish(Partition("model_versions", None, f"v{version}"), row, inputs=dataset.fingerprint)
    name = best.fitted.candidate.name
    show_models(scores, name, verdict)
    found = gather_report(
        around,
        dataset,
        best,
        champion,
        version=version,
        scores=scores,
        verdict=verdict,
        money=money,
        truth=truth,
        budget_groups=budget_groups,
        responses=responses,
        seed=seed,
    )
    report = training_report(found)
    against = champion.version if champion else None
    conclude(
        around.settings,
        notes.conclusion(version, name, dataset, scores, verdict, money, against),
        best.logged,
        report,
    )
    describe_version(around.settings, version, notes.version_note(name, dataset, verdict, money))
    return Training(
        scores=scores,
        best=name,
        version=version,
        champion=champion.version if champion else None,
        verdict=verdict,
        money=money,
        responses=responses,
        base_rate_log_loss=log_loss(base_rates(dataset.training, dataset.holdout), dataset.holdout),
        trained_through=dataset.trained_through,
        judged_through=dataset.judged_through,
        run_id=run_id,
        report=report,
        trained_since=dataset.trained_since,
    )


def learning_days(around: Surroundings, through: dt.date, since: dt.date | None) -> Dataset:
    """Read the days to learn from: those of the window, split where demand was seen to change."""
    window = around.catalog.store.learning.window_days
    first = through - dt.timedelta(days=window - 1) if since is None and window is not None else since
    with feature_workbench(around.settings) as connection:
        return load_dataset(connection, around.lake, through, first, demand_shifts(connection, through))


@task(**COMPUTES, task_run_name="train-{candidate.name}")
def train_candidate(candidate: Candidate, dataset: Dataset, truth: Floats | None, seed: int) -> Judged:
    """Fit, judge and log one candidate."""
    fitted = fit(candidate, dataset, seed)
    chance = fitted.p_sale(dataset.holdout)
    threshold = choose_threshold(fitted.p_sale(dataset.training), dataset.training)
    scores = judge(chance, dataset.holdout, truth, threshold)
    pictures = {
        "reliability": figures.reliability(candidate.name, chance, dataset.holdout),
        "precision_recall": figures.precision_recall(candidate.name, chance, dataset.holdout),
        "importance": figures.importance(fitted),
    }
    logged = log_candidate(fitted, dataset, scores, pictures, {"seed": seed})
    return Judged(fitted, logged, chance, scores)


def curves_of(judged: list[Judged], dataset: Dataset) -> pd.DataFrame:
    """Return each candidate's chance of sale at every price that was offered, a column for each."""
    points = curve_points(dataset)
    curves = {item.fitted.candidate.name: item.fitted.p_sale(points) for item in judged}
    return points[["sku", "price_offered"]].assign(**curves)


def gather_report(
    around: Surroundings,
    dataset: Dataset,
    best: Judged,
    champion: Champion | None,
    *,
    version: str,
    scores: dict[str, dict[str, float]],
    verdict: Verdict,
    money: OffPolicyEstimate | None,
    truth: Floats | None,
    budget_groups: pd.DataFrame,
    responses: tuple[PriceResponse, ...],
    seed: int,
) -> ReportInput:
    """Gather what the training report tells, with the champion, the truth and the budgets where they are known."""
    points = curve_points(dataset)
    at_points = replace(dataset, holdout=points)
    curves = {
        "predicted": best.fitted.p_sale(points),
        "champion": champion_chances(champion, at_points) if champion else None,
        "truth": true_chances(around, at_points),
    }
    return ReportInput(
        dataset,
        best.fitted,
        version,
        p_sale=best.p_sale,
        curves=points.assign(**{name: p_sale for name, p_sale in curves.items() if p_sale is not None}),
        scores=scores,
        verdict=verdict,
        names={product.sku: product.name for product in around.catalog.products},
        run_id=best.logged.training_run_id,
        seed=seed,
        champion=Rival(champion.version, champion_chances(champion, dataset)) if champion else None,
        truth=truth,
        budget_groups=budget_groups,
        money=money,
        responses=responses,
    )
