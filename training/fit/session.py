"""One training: fit the candidates, judge them on later days, register the best, and let the gate decide about it."""

import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.arrays import Floats
from catalog.currency import Currency
from training.champion import Judged, catch_up, settle
from training.evening import Evening
from training.fit.dataset import Dataset, learning_days
from training.fit.fit_candidates import FittedCandidate, FittingJob, fit_candidates
from training.fit.result import TrainingResult, conclusion, gate_input, model_version_row
from training.judge.gain import Challenger
from training.judge.gate import pass_gate
from training.judge.same_shoppers import true_chances
from training.judge.scores import choose_threshold, judge
from training.registry import LoggedModel, TrainingLog
from warehouse.commits.locks import waited_for
from warehouse.lake import CODE_VERSION
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEARNING = "learning"
"""Name of the lock that is held while a model is trained: there is one training of a lake at a time."""


def train(evening: Evening, since: dt.date | None = None) -> TrainingResult:
    """Train every candidate on the demand cells up to a date, and promote the best if the gate lets it pass.

    The registry is told first what was found; then the version's row and, if it is promoted, the change of champion are
    committed, which makes it so. After a kill before that, a training from the same inputs takes its version again.

    Parameters
    ----------
    since
        First business date to learn from, by default as far back as `learning.window_days` lets it. Where a change in
        demand was detected later, the days before it lend the shape of their curve alone.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    Declined
        When the champion was changed meanwhile; the version is registered and not promoted.
    """
    return _train_on(
        evening, FittingJob(learning_days(evening.workspace, evening.date, since), evening.date, since, evening.seed)
    )


def _job(evening: Evening, since: dt.date | None) -> FittingJob:
    return FittingJob(learning_days(evening.workspace, evening.date, since), evening.date, since, evening.seed)


def _train_on(evening: Evening, job: FittingJob) -> TrainingResult:
    workspace, registry, means = evening.workspace, evening.registry, evening.means
    dataset, seed, money = job.dataset, job.seed, workspace.catalog.store.money
    catch_up(workspace, registry, dataset.judged_through + dt.timedelta(days=1))
    evening.refresh_champion()
    champion, inputs = evening.champion, inputs_of_training(workspace, dataset, seed)
    with registry.training(dataset) as log:
        fitted, truth = fit_candidates(workspace, job, means.spread, means.progress), true_chances(workspace, dataset)
        judged = [_judged(own, dataset, truth) for own in fitted]
        best = min(judged, key=lambda own: own.scores["log_loss"])
        logged = _log(log, judged, best, dataset, seed, money)
        judged_before = {part.group.removeprefix("v") for part in workspace.lake.partitions("model_versions")}
        version = registry.register(logged, best.fitted, best.scores, inputs, judged_before)
        challenger = Challenger(version, best.fitted, dataset.learned_from, dataset.trained_through)
        with ThreadPoolExecutor(max_workers=1) as beside:  # another process loads it while its prices are judged
            load_check = beside.submit(log.check_load, logged, best.fitted, best.p_sale)
            found = gate_input(workspace, dataset, challenger, champion, load_check.result)
        result = TrainingResult(
            dataset,
            best.name,
            version,
            scores={own.name: own.scores for own in judged},
            verdict=pass_gate(found),
            run_id=log.run_id,
            champion=champion.version if champion else None,
            gain=found.gain,
            belief_prices=found.belief_prices,
            money=money,
        )
        registry.note_verdict(version, result.verdict)
        registry.conclude(logged, conclusion(result))
    row = model_version_row(result, logged, registry.sha256_of(version))
    settle(workspace, registry, Judged(version, result.verdict, result.champion, dataset.judged_through, row, inputs))
    return result


def inputs_of_training(workspace: Workspace, dataset: Dataset, seed: int) -> str:
    """Fingerprint of what decides a training: its days, the catalog, the seed and the version of the project."""
    facts = (dataset.fingerprint, workspace.catalog.fingerprint, seed, CODE_VERSION)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _judged(own: FittedCandidate, dataset: Dataset, truth: Floats | None) -> FittedCandidate:
    threshold = choose_threshold(own.p_training, dataset.training)
    return replace(own, scores=judge(own.p_sale, dataset.holdout, truth, threshold))


def _log(
    log: TrainingLog, judged: list[FittedCandidate], best: FittedCandidate, dataset: Dataset, seed: int, money: Currency
) -> LoggedModel:
    """Log every candidate's scores, and of the best one its model and figures: no other will price or be looked at."""
    from training.mlflow import figures

    for other in judged:
        if other is not best:
            log.log_candidate(other.fitted, other.scores, {"seed": seed})
    logged = log.log_best(
        best.fitted,
        best.scores,
        {"seed": seed},
        lambda: {
            "reliability": figures.reliability(best.name, best.p_sale, dataset.holdout),
            "precision_recall": figures.precision_recall(best.name, best.p_sale, dataset.holdout),
            "importance": figures.importance(best.fitted),
        },
    )

    def demand_curves() -> "Figure":
        points = figures.curve_points(dataset)
        curves = points[["sku", "price_offered"]].assign(**{own.name: own.fitted.p_sale(points) for own in judged})
        return figures.demand_curves(curves, dataset.holdout, money)

    log.log_pictures(lambda: {"demand_curves": demand_curves()})
    return logged


@dataclass(frozen=True)
class KnownVersion:
    """A judged version, as its row of `model_versions` tells of it; JSON is read.

    Attributes
    ----------
    refusals
        Conditions of the gate that are not met, with what was found.
    said
        What came of its training, in a sentence; None where nobody wrote that down.
    """

    version: str
    candidate: str
    training_run_id: str
    judged_through: dt.date
    promoted: bool
    refusals: tuple[str, ...]
    scores: dict[str, Any]
    money: dict[str, Any] | None
    said: str | None


def train_once(evening: Evening, since: dt.date | None = None, *, again: bool = False) -> TrainingResult | KnownVersion:
    """Train as `train` does, alone in its lake, unless the same days, catalog and seed were learned from.

    Then the version stands, and the registry follows if a kill kept it from that. `again` trains all the same.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    Declined
        When the champion was changed meanwhile; the version is registered and not promoted.
    """
    workspace = evening.workspace
    with waited_for(workspace.settings.locks, LEARNING):
        job = _job(evening, since)
        version = None if again else trained_before(workspace, job.dataset, evening.seed)
        if version is None:
            return _train_on(evening, job)
        catch_up(workspace, evening.registry, version.judged_through + dt.timedelta(days=1))
        return version


def trained_before(workspace: Workspace, dataset: Dataset, seed: int) -> KnownVersion | None:
    """Return the newest version that was trained from exactly these days, catalog and seed; None without one."""
    inputs, lake = inputs_of_training(workspace, dataset, seed), workspace.lake
    parts = [part for part in lake.partitions("model_versions") if lake.is_current(part, inputs)]
    if not parts:
        return None
    row = max((lake.read(part).to_pylist()[0] for part in parts), key=lambda row: int(row["version"]))
    unmet = [reason for reason in json.loads(row["reasons"]) if not reason["met"]]
    return KnownVersion(
        version=row["version"],
        candidate=row["candidate"],
        training_run_id=row["training_run_id"],
        judged_through=row["judged_through"],
        promoted=row["promoted"],
        refusals=tuple(f"{reason['condition']}: {reason['found']}" for reason in unmet),
        scores=json.loads(row["candidates"]),
        money=json.loads(row["money"]) if row["money"] else None,
        said=row["said"],
    )
