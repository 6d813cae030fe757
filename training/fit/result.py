"""What a training found: the judged challenger, the record of it all, and the row of `model_versions` that stays.

The registry and the command line read the record.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import duckdb
import pyarrow as pa

from catalog.arrays import Floats
from catalog.currency import EUR, Currency
from catalog.errors import ModelError
from catalog.metrics import METRICS
from catalog.tables.contracts import TABLES
from etl.calendar import ONE_DAY
from features.cells import feature_workbench
from features.footfall import demand_shifts
from serving.book.make import dates_known_from, first_date_known_from, holds_exported, read_for
from serving.champion import Champion
from training.champion import newest
from training.fit.dataset import Dataset
from training.judge.conditions import Condition
from training.judge.gain import Challenger, gain_over
from training.judge.gate import GateInput, Incumbent, Verdict
from training.judge.off_policy import OffPolicyEstimate
from training.judge.same_shoppers import is_known
from training.judge.scores import base_rates, log_loss
from training.registry import Conclusion, LoggedModel
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake
from warehouse.workspace import Workspace


def gate_input(
    workspace: Workspace,
    dataset: Dataset,
    challenger: Challenger,
    champion: Champion | None,
    load_check: Callable[[], Condition],
) -> GateInput:
    """Estimate what the challenger's prices gain, and gather what the gate judges by; `load_check` is asked last.

    Exported prices were not randomised, so no gain is estimated from them.
    """
    catalog, days = workspace.catalog, (dataset.trained_through, dataset.judged_through)
    prove(workspace.lake, _read_to_judge(workspace.lake, dataset, (challenger, champion)))
    known_from = dates_known_from(workspace.lake, (challenger, champion), dataset.judged_through)
    with feature_workbench(workspace.settings, within=known_from) as connection:
        is_exported, gain = holds_exported(connection, catalog, *days), None
        if not is_exported:
            known = is_known(workspace)
            gain = gain_over(connection, catalog, dataset, challenger, champion, is_known=known)
        incumbent = None if champion is None else incumbent_of(connection, champion, dataset)
    last_change = newest(workspace.lake)
    return GateInput(
        challenger.fitted,
        dataset,
        catalog.skus,
        load_check=load_check(),
        gain=gain,
        incumbent=incumbent,
        stale_after_days=catalog.store.gate.stale_after_days,
        rolled_back_on=last_change.prices_from if last_change and last_change.action == "rolled_back" else None,
        is_exported=is_exported,
        belief_prices=catalog.store.policies.before_champion == "belief",
        money=catalog.store.money,
    )


def _read_to_judge(lake: Lake, dataset: Dataset, models: tuple[Challenger, Champion | None]) -> Iterator[Span]:
    """Yield what the gate's findings are read from: the held-out visits, the checks, and what prices are made from."""
    yield Span("interactions", dataset.trained_through + ONE_DAY, dataset.judged_through)
    yield Span("drift_checks", first_date_known_from(models, dataset.judged_through), dataset.judged_through)
    for model in models:
        yield from read_for(lake, model, dataset.judged_through + ONE_DAY)


def incumbent_of(connection: duckdb.DuckDBPyConnection, champion: Champion, dataset: Dataset) -> Incumbent:
    """Return the champion as the gate sees it: its chances, its age, and whether its demand still holds."""
    against = demand_shifts(connection, dataset.judged_through, champion.version)
    drifted_since = against[-1] if against else None
    return Incumbent(champion_chances(champion, dataset), champion.trained_through, drifted_since)


def champion_chances(champion: Champion, dataset: Dataset) -> Floats | None:
    """Return the champion's chance of sale on the held-out cells, or None when it does not know this shelf."""
    try:
        return champion.p_sale(dataset.holdout)
    except ModelError:
        return None  # a champion of another shelf cannot be compared


@dataclass(frozen=True)
class TrainingResult:
    """What a training found.

    Attributes
    ----------
    dataset
        The days it was fitted on and judged on.
    best, version
        Name of the best candidate, and its registered version.
    scores
        Metrics of every candidate by name, as `judge` gives them.
    run_id
        The training's run in the registry.
    champion
        Version of the champion that it was judged against; None where there is none.
    gain
        Over the champion's prices, or over base prices; None where it was not estimated.
    belief_prices
        Whether a belief prices the store where there is no champion.
    money
        The currency of the shelf.
    """

    dataset: Dataset
    best: str
    version: str
    scores: Mapping[str, Mapping[str, float]]
    verdict: Verdict
    run_id: str
    champion: str | None
    gain: OffPolicyEstimate | None = None
    belief_prices: bool = False
    money: Currency = EUR

    @property
    def rival(self) -> str:
        """Whose prices it is judged against."""
        without = "the belief without a champion" if self.belief_prices else "base prices"
        return f"champion {self.champion}" if self.champion else without

    @property
    def said(self) -> str:
        """What the challenger is expected to earn, how sure that is, and what happens next, in a sentence."""
        return promoted_because(self) if self.verdict.promoted else stays_because(self)

    @property
    def base_rate_log_loss(self) -> float:
        """Log loss of each product's own share of purchases, nats per decision."""
        holdout = self.dataset.holdout
        return log_loss(base_rates(self.dataset.training, holdout), holdout)


def promoted_because(trained: TrainingResult) -> str:
    """Say which version prices from now on, and what it is expected to earn."""
    return f"version {trained.version} prices from now on: {trained.verdict.conditions[-1].found}"


def stays_because(trained: TrainingResult) -> str:
    """Say who prices instead of a version that was not promoted, and why; that it waits is no alarm."""
    without = "the belief prices on" if trained.belief_prices else "base prices stay"
    stays = without if trained.champion is None else f"champion {trained.champion} stays"
    if trained.verdict.waits:
        found = "; ".join(condition.found for condition in trained.verdict.unmet)
        return f"{stays}; version {trained.version} is sound, but not shown to earn more: {found}"
    return f"{stays}; version {trained.version} was refused: {'; '.join(trained.verdict.refusals)}"


def model_version_row(result: TrainingResult, logged: LoggedModel, model_sha256: str | None) -> pa.Table:
    """Return the row of a judged version, which was logged as `logged` and registered with files of a fingerprint."""
    dataset, verdict = result.dataset, result.verdict
    return pa.table(
        {
            "version": [result.version],
            "candidate": [result.best],
            "run_id": [logged.run_id],
            "training_run_id": [logged.training_run_id],
            "trained_since": [dataset.trained_since],
            "trained_through": [dataset.trained_through],
            "judged_through": [dataset.judged_through],
            "metrics": [json.dumps(result.scores[result.best])],
            "candidates": [json.dumps(result.scores)],
            "promoted": [verdict.promoted],
            "reasons": [json.dumps([condition.as_record() for condition in verdict.conditions])],
            "money": [None if result.gain is None else json.dumps(result.gain.as_record())],
            "model_sha256": [model_sha256],
            "said": [result.said],
            "decided_at": [dt.datetime.combine(dataset.judged_through + dt.timedelta(days=1), dt.time(), dt.UTC)],
        },
        schema=TABLES["model_versions"].schema,
    )


_COMPARED = ("log_loss", "excess_log_loss", "brier", "calibration_error", "roc_auc", "recall_at_threshold")


def conclusion(result: TrainingResult) -> Conclusion:
    """Say what came of a training."""
    ends = vars(result.gain.judged_by) if result.gain else {}
    gains = {f"gain_eur/{name}": value for name, value in ends.items() if isfinite(value)}
    note = version_note(result)
    return Conclusion(
        version=result.version,
        judged_through=result.dataset.judged_through,
        note=f"Version {result.version}: {note}\n\n{_scores_table(result)}\n",
        version_note=note,
        tags={
            "best": result.best,
            "registered_version": result.version,
            "gate": result.verdict.outcome,
            "judged_against": result.rival,
        },
        metrics={**result.scores[result.best], **gains, "promoted": float(result.verdict.promoted)},
        scores=result.scores,
    )


def version_note(result: TrainingResult) -> str:
    """Describe a version: what it is, what it learned from, and the gate's verdict with every condition."""
    dataset, verdict, gain = result.dataset, result.verdict, ""
    if result.gain is not None:
        gain = f"\n\nIts prices would earn {result.gain.judged_by.told(result.money)}. {result.gain.note}."
    conditions = "\n".join(f"- {'met' if c.met else '**not met**'}: {c.name} ({c.found})" for c in verdict.conditions)
    since = f"from {dataset.trained_since} " if dataset.trained_since else ""
    return (
        f"{result.best}, fitted on days {since}through {dataset.trained_through}, judged on those through "
        f"{dataset.judged_through}, {'promoted' if verdict.promoted else 'not promoted'}.{gain}\n\n{conditions}"
    )


def _scores_table(result: TrainingResult) -> str:
    rows = [
        ["metric", *result.scores, "what it says"],
        ["---"] * (len(result.scores) + 2),
        *(
            [metric.label, *(_in_words(own.get(metric.name)) for own in result.scores.values()), metric.says]
            for metric in METRICS
            if metric.name in _COMPARED
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _in_words(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.4f}"
