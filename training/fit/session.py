"""One training: fit the candidates, judge them on later days, register the best, and let the gate decide about it.

Each candidate is a job that runs wherever there is room. What must hold: whoever fits reads the days from the lake, and
fits only if they are those that were meant. A model travels as data and never as a pickle.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow as pa

from catalog.errors import Declined, ModelError
from catalog.hooks import TRUTH, VETOES
from catalog.spread import HERE
from catalog.tables.contracts import TABLES
from etl.calendar import ONE_DAY
from features.cells import feature_workbench
from features.footfall import demand_shifts
from serving.belief.log import LogEvidence, read_log_evidence
from serving.book.make import DatedModel, dates_known_from, first_date_known_from, holds_exported, read_for
from training.champion import Judged, catch_up, newest, settle
from training.evening import Evening
from training.fit.candidates import CANDIDATES, FittedCandidate, FittedModel, candidates_for, fit, left_out
from training.fit.dataset import Dataset, learning_days
from training.fit.prior import fit_prior
from training.judge.believed_gain import borne_out, gain_of_rivals, rival_books
from training.judge.conditions import Condition
from training.judge.gate import GateInput, Incumbent, Verdict, pass_gate
from training.judge.scores import choose_threshold, judge, log_loss
from training.registry import JudgedVersion, LoggedModel, Scores
from warehouse.checks.proof import Span, prove
from warehouse.commits.locks import waited_for
from warehouse.lake import CODE_VERSION, Lake
from warehouse.workspace import Whereabouts, Workspace, whereabouts

BELIEF_ALONE = "the belief without a champion"
LEARNING = "learning"
"""Name of the lock that is held while a model is trained: there is one training of a lake at a time."""


def train(evening: Evening, since: dt.date | None = None) -> JudgedVersion:
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
    return _train_on(evening, learning_days(evening.workspace, evening.date, since), since)


def train_once(evening: Evening, since: dt.date | None = None, *, again: bool = False) -> JudgedVersion:
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
        dataset = learning_days(workspace, evening.date, since)
        version = None if again else trained_before(workspace, dataset, evening.seed)
        if version is None:
            return _train_on(evening, dataset, since)
        catch_up(workspace, evening.registry, version.judged_through + ONE_DAY)
        return replace(version, trained_before=True)


def trained_before(workspace: Workspace, dataset: Dataset, seed: int) -> JudgedVersion | None:
    """Return the newest version that was trained from exactly these days, catalog and seed; None without one."""
    inputs, lake = inputs_of_training(workspace, dataset, seed), workspace.lake
    parts = [part for part in lake.partitions("model_versions") if lake.is_current(part, inputs)]
    rows = [lake.read(part).to_pylist()[0] for part in parts]
    return JudgedVersion.of(max(rows, key=lambda row: int(row["version"]))) if rows else None


def inputs_of_training(workspace: Workspace, dataset: Dataset, seed: int) -> str:
    """Fingerprint of what decides a training: its days, the catalog, the seed and the version of the project."""
    facts = (dataset.fingerprint, workspace.catalog.fingerprint, seed, CODE_VERSION)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _train_on(evening: Evening, dataset: Dataset, since: dt.date | None) -> JudgedVersion:
    workspace, registry, seed = evening.workspace, evening.registry, evening.seed
    catch_up(workspace, registry, dataset.judged_through + ONE_DAY)
    evening.refresh_champion()
    champion, inputs = evening.champion, inputs_of_training(workspace, dataset, seed)
    with registry.training(dataset, seed) as log:
        fitted, true_chances = fit_candidates(evening, dataset, since), TRUTH.only()
        truth = None if true_chances is None else true_chances(workspace, dataset)
        scores = {each.name: judge(each.p_sale, dataset.holdout, truth, each.threshold) for each in fitted}
        scores |= {
            each.name: scores[each.name] | {"log_loss_of_new_products": each.loss_of_new}
            for each in fitted
            if each.loss_of_new is not None
        }
        best = min(fitted, key=lambda each: scores[each.name]["log_loss"])
        shown = read_log(evening, dataset)
        prior = fit_prior(workspace.catalog, shown, best.fitted.prior.attributes)
        best = best._replace(fitted=replace(best.fitted, prior=prior))
        logged = log.log(fitted, best, scores, workspace.catalog.store.money)
        judged_before = {part.group.removeprefix("v") for part in workspace.lake.partitions("model_versions")}
        version = registry.register(logged, best.fitted, scores[best.name], inputs, judged_before)
        challenger = replace(best.fitted, version=version)
        with ThreadPoolExecutor(max_workers=1) as beside:  # another process loads it while its prices are judged
            load_check = beside.submit(log.check_load, logged, best)
            evidence = gate_input(evening, dataset, challenger, shown, load_check.result)
        verdict, against = pass_gate(evidence), champion.version if champion else None
        row = _row(evidence, verdict, logged, scores, version, against) | {"model_sha256": registry.sha256_of(version)}
        judged = JudgedVersion.of(row)
        registry.conclude(logged, judged, _rival(evidence, against))
    table = pa.Table.from_pylist([row], schema=TABLES["model_versions"].schema)
    settle(workspace, registry, Judged(version, verdict, against, dataset.judged_through, table, inputs))
    return judged


def _row(
    evidence: GateInput, verdict: Verdict, logged: LoggedModel, scores: Scores, version: str, champion: str | None
) -> dict[str, Any]:
    """Return the row of a judged version in `model_versions`, without the fingerprint of its files."""
    dataset, best = evidence.dataset, evidence.challenger.candidate.name
    scored, money = {**scores, best: {**scores[best], **evidence.shares}}, None
    if evidence.gain is not None:
        opinions = {opinion.name: {**opinion.figures, "note": opinion.note} for opinion in evidence.opinions}
        money = json.dumps({"believed": asdict(evidence.gain)} | opinions)
    return {
        "version": version,
        "candidate": best,
        "run_id": logged.run_id,
        "training_run_id": logged.training_run_id,
        "trained_since": dataset.trained_since,
        "trained_through": dataset.trained_through,
        "judged_through": dataset.judged_through,
        "metrics": json.dumps(scored[best]),
        "candidates": json.dumps(scored),
        "promoted": verdict.promoted,
        "reasons": json.dumps([condition.as_record() for condition in verdict.conditions]),
        "money": money,
        "said": what_comes_of(verdict, version, _rival(evidence, champion)),
        "decided_at": dt.datetime.combine(dataset.judged_through + ONE_DAY, dt.time(), dt.UTC),
    }


def _rival(evidence: GateInput, champion: str | None) -> str:
    """Return whose prices a challenger is judged against."""
    by_belief = evidence.catalog.store.policies.before_champion == "belief"
    return f"champion {champion}" if champion else BELIEF_ALONE if by_belief else "base prices"


def what_comes_of(verdict: Verdict, version: str, rival: str) -> str:
    """Return which version prices from now on and why, in a sentence; that a version waits is no alarm."""
    if verdict.promoted:
        return f"version {version} prices from now on: {verdict.conditions[-1].found}"
    stays = {BELIEF_ALONE: "the belief prices on", "base prices": "base prices stay"}.get(rival, f"{rival} stays")
    if verdict.waits:
        findings = "; ".join(condition.found for condition in verdict.unmet)
        return f"{stays}; version {version} is sound, but not shown to earn more: {findings}"
    return f"{stays}; version {version} was refused: {'; '.join(verdict.refusals)}"


@dataclass(frozen=True)
class CandidateToFit:
    """A candidate, by its name, and the days to fit it on as `learning_days` takes them.

    `fingerprint` is that of the days that are meant; `at_hand` are the days for those who fit in this process.
    """

    where: Whereabouts
    candidate: str
    through: dt.date
    since: dt.date | None
    seed: int
    fingerprint: str
    at_hand: Dataset | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the candidate, and the last of its days."""
        return f"{self.candidate} through {self.through}"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "at_hand": None}


def fit_candidates(evening: Evening, dataset: Dataset, since: dt.date | None = None) -> list[FittedCandidate]:
    """Fit every candidate, on other machines or in this process alone: a forest uses several cores of one machine.

    Raises
    ------
    DataError
        When the days hold one outcome only.
    Declined
        When the days in the lake are others by now.
    """
    means = evening.means
    spread = means.spread if means.spread.is_elsewhere else HERE
    where, days = whereabouts(evening.workspace, spread), (evening.date, since, evening.seed, dataset.fingerprint)
    jobs = [CandidateToFit(where, candidate.name, *days, at_hand=dataset) for candidate in candidates_for(dataset)]
    return spread(fit_one, jobs, partial(means.progress, "training candidates"))


def fit_one(job: CandidateToFit) -> FittedCandidate:
    """Fit one candidate.

    Raises
    ------
    Declined
        When the days in the lake are not those that were meant.
    """
    dataset = job.at_hand or learning_days(job.where.opened(), job.through, job.since)
    if dataset.fingerprint != job.fingerprint:
        raise Declined(
            f"{job.name}: the days to learn from changed while candidates were sent out; nothing was trained: run the "
            "same command again"
        )
    candidate = next(candidate for candidate in CANDIDATES if candidate.name == job.candidate)
    fitted = fit(candidate, dataset, job.seed)
    threshold = choose_threshold(fitted.p_sale(dataset.training), dataset.training)
    loss_of_new = log_loss(*left_out(candidate, dataset, job.seed)) if candidate.by_attributes else None
    return FittedCandidate(fitted, fitted.p_sale(dataset.holdout), threshold, loss_of_new)


def read_log(evening: Evening, dataset: Dataset) -> LogEvidence | None:
    """Read what the log shows through the days that a training is judged on; None where somebody else set their prices.

    Exported prices were not randomised, so nothing is learned from them beside the forests.
    """
    workspace, last = evening.workspace, dataset.judged_through
    lake, catalog = workspace.lake, workspace.catalog
    prove(lake, (Span("interactions", dataset.trained_through + ONE_DAY, last), *read_for(lake, None, last + ONE_DAY)))
    with feature_workbench(workspace.settings, within=dates_known_from(lake, (), last)) as connection:
        if holds_exported(connection, catalog, dataset.trained_through, last):
            return None
        log = evening.logs[last + ONE_DAY] = read_log_evidence(connection, catalog, last)
        return log


def gate_input(
    evening: Evening,
    dataset: Dataset,
    challenger: FittedModel,
    log: LogEvidence | None,
    load_check: Callable[[], Condition],
) -> GateInput:
    """Estimate what the challenger's prices gain, and gather what the gate judges by; `load_check` is asked last.

    `log` is as from `read_log`; without it no gain is estimated.
    """
    workspace, champion = evening.workspace, evening.champion
    lake, catalog, last = workspace.lake, workspace.catalog, dataset.judged_through
    models, gain, opinions, incumbent = (challenger, champion), None, [], None
    likelier, shares = 0.0, dict[str, float]()
    prove(lake, _read_to_judge(lake, dataset, models))
    with feature_workbench(workspace.settings, within=dates_known_from(lake, models, last)) as connection:
        if log is not None:
            rivals = rival_books(connection, catalog, models, last + ONE_DAY, log)
            if rivals is not None:
                gain, likelier = gain_of_rivals(catalog, rivals, log), borne_out(catalog, rivals, log)
                shares = log.shares(challenger.version)
                opinions = [veto(connection, workspace, dataset, rivals) for veto in VETOES.all()]
        if champion is not None:
            drifted_since = (demand_shifts(connection, last, champion.version) or [None])[-1]
            chances = None
            with suppress(ModelError):  # a champion of another shelf cannot be compared
                chances = champion.p_sale(dataset.holdout)
            incumbent = Incumbent(chances, champion.trained_through, drifted_since)
    change = newest(lake)
    return GateInput(
        challenger,
        dataset,
        catalog,
        load_check=load_check(),
        gain=gain,
        incumbent=incumbent,
        opinions=tuple(opinion for opinion in opinions if opinion is not None),
        rolled_back_on=change.prices_from if change and change.action == "rolled_back" else None,
        is_exported=log is None,
        borne_out=likelier,
        shares=shares,
    )


def _read_to_judge(lake: Lake, dataset: Dataset, models: tuple[DatedModel, DatedModel | None]) -> Iterator[Span]:
    """Yield what the gate's findings are read from: the held-out visits, the checks, and what prices are made from."""
    yield Span("interactions", dataset.trained_through + ONE_DAY, dataset.judged_through)
    yield Span("drift_checks", first_date_known_from(models, dataset.judged_through), dataset.judged_through)
    for model in models:
        yield from read_for(lake, model, dataset.judged_through + ONE_DAY)
