"""One training: fit the candidates, judge them on later days, register the best, and let the gate decide about it."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pandas as pd

from catalog.arrays import Floats
from catalog.currency import Currency
from catalog.spread import HERE, Progress, Spread, silent
from features.cells import feature_workbench
from serving.champion import Champion
from training.candidates import FittedModel
from training.champion_change import catch_up
from training.champion_history import Judged, settle
from training.context_findings import ContextFindings, findings_of
from training.dataset import Dataset, holdout_budget_groups
from training.fit_candidates import FittedCandidate, FittingJob, fit_candidates
from training.gain import Challenger
from training.gate import GateInput, pass_gate
from training.judge import choose_threshold, judge
from training.learning_days import learning_days
from training.registry import LoggedModel, ModelRegistry, TrainingLog
from training.report.breakdown import curve_points
from training.result import Rival, TrainingResult, champion_chances, gate_input, model_version_row
from training.same_shoppers import true_chances
from warehouse.lake import CODE_VERSION
from warehouse.partition import between
from warehouse.workspace import Workspace

_AS_GOOD = 0.001  # nats per decision: within this two models are as good
LEARNING = "learning"
"""Name of the lock that is held while a model is trained: there is one training of a lake at a time."""


@dataclass(frozen=True)
class JudgedCandidate:
    """A candidate with its chances of sale, shape (n_cells,), and its scores on the held-out days."""

    fitted: FittedModel
    p_sale: Floats
    scores: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the candidate."""
        return self.fitted.candidate.name


@dataclass(frozen=True)
class _Days:
    """The days of a training, the twin's chance of sale of each held-out cell if known, the seed and the currency."""

    dataset: Dataset
    truth: Floats | None
    seed: int
    money: Currency
    by_context: "_Days | None" = None

    def seen_by(self, *features: Sequence[str]) -> "_Days":
        """Return the days as `Dataset.seen_by` does."""
        is_plain = self.by_context is None or self.dataset.seen_by(*features) is self.dataset
        return self if is_plain or self.by_context is None else self.by_context


def _days_of(workspace: Workspace, dataset: Dataset, seed: int) -> _Days:
    own = dataset.by_context
    by_context = None if own is None else _days_of(workspace, own, seed)
    return _Days(dataset, true_chances(workspace, dataset), seed, workspace.catalog.store.money, by_context)


def train(
    workspace: Workspace,
    registry: ModelRegistry,
    through: dt.date,
    seed: int,
    since: dt.date | None = None,
    progress: Progress = silent,
    spread: Spread = HERE,
) -> TrainingResult:
    """Train every candidate on the demand cells up to a date, and promote the best if the gate lets it pass.

    The registry is told first what was found; then the version's row and, if it is promoted, the change of champion are
    committed, which makes it so. After a kill before that, a training from the same inputs takes its version again.

    Parameters
    ----------
    since
        First business date to learn from, by default as far back as `learning.window_days` lets it. Where a change in
        demand was detected later, the days before it lend the shape of their curve alone.
    spread
        Where candidates are fitted.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    Declined
        When the champion was changed meanwhile; the version is registered and not promoted.
    """
    lesson = FittingJob(learning_days(workspace, through, since), through, since, seed)
    return train_on(workspace, registry, lesson, progress, spread)


def train_on(
    workspace: Workspace,
    registry: ModelRegistry,
    lesson: FittingJob,
    progress: Progress = silent,
    spread: Spread = HERE,
) -> TrainingResult:
    """Train as `train` does, on days that were read."""
    dataset, seed = lesson.dataset, lesson.seed
    days = _days_of(workspace, dataset, seed)
    catch_up(workspace, registry, dataset.judged_through + dt.timedelta(days=1))
    champion, inputs = registry.load(), inputs_of(workspace, dataset, seed)
    with registry.training(dataset) as log:
        fitted = fit_candidates(workspace, lesson, spread, progress)
        judged = [_judged(own, days) for own in fitted]
        best = _best_of(judged)
        context = _context_of(judged, days)
        logged = _log(log, judged, days, context)
        judged_before = {part.group.removeprefix("v") for part in workspace.lake.partitions("model_versions")}
        version = registry.register(logged, best.fitted, best.scores, inputs, judged_before)
        challenger = Challenger(version, best.fitted, dataset.learned_from, dataset.trained_through)
        seen = days.seen_by(best.fitted.features, champion.features if champion else ())
        with ThreadPoolExecutor(max_workers=1) as beside:  # another process loads it while its prices are judged
            load_check = beside.submit(log.check_load, logged, best.fitted, best.p_sale)
            found = gate_input(workspace, seen.dataset, challenger, champion, load_check.result)
        result = replace(_result(workspace, seen, judged, champion, found, version, log.run_id), context=context)
        registry.note_verdict(version, result.verdict)
        from training.report.page import conclusion, training_report

        registry.conclude(logged, conclusion(result), lambda: training_report(result))
    row = model_version_row(result, logged, registry.sha256_of(version))
    against = champion.version if champion else None
    settle(workspace, registry, Judged(version, result.verdict, against, dataset.judged_through, row, inputs))
    return result


def inputs_of(workspace: Workspace, dataset: Dataset, seed: int) -> str:
    """Fingerprint of what decides a training: its days, the catalog, the seed and the version of the project."""
    facts = (dataset.fingerprint, workspace.catalog.fingerprint, seed, CODE_VERSION)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _judged(own: FittedCandidate, days: _Days) -> JudgedCandidate:
    days = days.seen_by(own.fitted.features)
    threshold = choose_threshold(own.p_training, days.dataset.training)
    return JudgedCandidate(own.fitted, own.p_sale, judge(own.p_sale, days.dataset.holdout, days.truth, threshold))


def _best_of(judged: list[JudgedCandidate]) -> JudgedCandidate:
    """Return the candidate with the least log loss; one whose context matters goes first unless it is worse.

    Few days are held out, and they may all be alike: what the context tells is shown on all the days.
    """
    best = min((own for own in judged if own.fitted.may_price), key=lambda item: item.scores["log_loss"])
    knowing = [own for own in judged if own.fitted.context is not None and own.fitted.may_price]
    near = [own for own in knowing if own.scores["log_loss"] <= best.scores["log_loss"] + _AS_GOOD]
    return near[0] if near else best


def _context_of(judged: list[JudgedCandidate], days: _Days) -> ContextFindings | None:
    """Return what was found about the context; None where no candidate looked at one."""
    gain, best = next((own.fitted.context for own in judged if own.fitted.context), None), _best_of(judged).fitted
    return None if gain is None else findings_of(gain, best, days.seen_by(best.features).dataset, days.seed)


def _log(log: TrainingLog, judged: list[JudgedCandidate], days: _Days, context: ContextFindings | None) -> LoggedModel:
    """Log every candidate's scores, and of the best one its model and figures: no other will price or be looked at."""
    from training.report import figures

    best, parameters = _best_of(judged), {"seed": days.seed}
    dataset = days.seen_by(best.fitted.features).dataset
    for other in judged:
        if other is not best:
            log.log_candidate(other.fitted, other.scores, parameters)
    logged = log.log_best(
        best.fitted,
        best.scores,
        parameters,
        lambda: {
            "reliability": figures.reliability(best.name, best.p_sale, dataset.holdout),
            "precision_recall": figures.precision_recall(best.name, best.p_sale, dataset.holdout),
            "importance": figures.importance(best.fitted, context),
            **({} if context is None else figures.context_pictures(context)),
        },
    )
    log.log_pictures(
        lambda: {"demand_curves": figures.demand_curves(_curves_of(judged, days), dataset.holdout, days.money)}
    )
    return logged


def _curves_of(judged: list[JudgedCandidate], days: _Days) -> pd.DataFrame:
    """Return each candidate's chance of sale at every price that was offered, a column for each."""
    points = curve_points((days.by_context or days).dataset)
    curves = {item.name: item.fitted.p_sale(points) for item in judged}
    return points[["sku", "price_offered"]].assign(**curves)


def _result(
    workspace: Workspace,
    days: _Days,
    judged: list[JudgedCandidate],
    champion: Champion | None,
    found: GateInput,
    version: str,
    run_id: str,
) -> TrainingResult:
    """Gather what was found, with the champion, the truth and the budgets where they are known."""
    dataset = days.dataset
    best = _best_of(judged)
    points = curve_points(dataset)
    at_points = replace(dataset, holdout=points)
    curves = {
        "predicted": best.fitted.p_sale(points),
        "champion": champion_chances(champion, at_points) if champion else None,
        "truth": true_chances(workspace, at_points),
    }
    held_out = between(dataset.trained_through + dt.timedelta(days=1), dataset.judged_through)
    with feature_workbench(workspace.settings, within=held_out) as connection:
        budget_groups = holdout_budget_groups(connection, dataset)
    if dataset.context:
        budget_groups = budget_groups.iloc[:0]  # its cells are told apart by hour and store, which budgets are not
    return TrainingResult(
        dataset,
        best.fitted,
        version,
        p_sale=best.fitted.p_sale(dataset.holdout),
        curves=points.assign(**{name: p_sale for name, p_sale in curves.items() if p_sale is not None}),
        scores={item.name: item.scores for item in judged},
        verdict=pass_gate(found),
        names={product.sku: product.name for product in workspace.catalog.products},
        run_id=run_id,
        seed=days.seed,
        champion=Rival(champion.version, champion_chances(champion, dataset)) if champion else None,
        truth=days.truth,
        budget_groups=budget_groups,
        gain=found.gain,
        belief_prices=found.belief_prices,
        money=days.money,
    )
