"""Compare policies on the same shoppers, and with what a clairvoyant would earn.

The question is cut into parts, one for each size of log and seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog.arrays import Floats
from evaluation.contestants import CLAIRVOYANT, TRUE_DEMAND, clairvoyant, learn, policy_of, with_true_demand
from evaluation.first_days import DayResult
from evaluation.reporting import MeanInterval, interval
from evaluation.scores import Tally, expected_gain, play_all
from evaluation.worlds import DECISIONS, PLAYED_ON, StoreWorld
from features.cells import feature_workbench
from flows.progress import tell
from serving.pricing_policy import PricingPolicy
from warehouse.workspace import Whereabouts


@dataclass(frozen=True)
class ComparisonQuestion:
    """What is to be compared.

    Attributes
    ----------
    policies, scenarios
        Names of policies, and the worlds they are played in.
    decisions
        Sizes of the logs to learn from; the matches are played after the largest.
    seeds
        Logs and worlds, each with another seed; the intervals are over these.
    store_days
        Store days in a match.
    first_days
        Days of a store that starts to learn, to see what learning costs; 0 leaves that out.
    """

    policies: tuple[str, ...]
    scenarios: tuple[StoreWorld, ...]
    decisions: tuple[int, ...] = DECISIONS
    seeds: int = 10
    store_days: int = 60
    first_days: int = 0

    @property
    def parts(self) -> list[tuple[int, int]]:
        """Size of the log and seed of each part, those that take longest first."""
        return [(size, seed) for size in sorted(self.decisions, reverse=True) for seed in range(1, self.seeds + 1)]


@dataclass(frozen=True)
class ClairvoyantGain:
    """The clairvoyant of a scenario, and what it gains on average on a store day, EUR, shape (n_products,)."""

    policy: PricingPolicy
    gain: Floats


@dataclass(frozen=True)
class Score:
    """One policy's share of the clairvoyant in one scenario after learning from one log, exact under true demand."""

    scenario: str
    policy: str
    decisions: int
    seed: int
    share_of_clairvoyant: float


@dataclass(frozen=True)
class Match:
    """What one policy did on one seed's shoppers, beside the clairvoyant on the same ones."""

    scenario: str
    policy: str
    decisions: int
    seed: int
    store_days: int
    tally: Tally
    share_of_clairvoyant: float


ScoresAndMatches = tuple[list[Score], list[Match]]
"""What one part found: exact scores after learning, and matches on the same shoppers, if any were played."""


@dataclass(frozen=True)
class PolicyComparison:
    """The outcome: exact scores after learning, matches played on the same shoppers, and the MLflow run."""

    scenarios: tuple[StoreWorld, ...]
    scores: tuple[Score, ...]
    matches: tuple[Match, ...]
    first_days: tuple[DayResult, ...]
    run_id: str = ""


@dataclass(frozen=True)
class LogToLearnFrom:
    """Policies learn from a log of some decisions drawn with a seed, and are played after it. A part of a comparison.

    `limits` has the clairvoyant of each scenario by name.
    """

    where: Whereabouts
    question: ComparisonQuestion
    limits: Mapping[str, ClairvoyantGain] = field(repr=False)
    decisions: int
    seed: int

    @property
    def name(self) -> str:
        """Size of the log and seed."""
        return f"a log of {self.decisions} decisions, seed {self.seed}"

    def play(self) -> ScoresAndMatches:
        """Learn from one log for each kind of demand and score every learner exactly; after the largest, play all."""
        question, decisions, seed = self.question, self.decisions, self.seed
        with feature_workbench(self.where.opened().settings) as connection:
            catalogs = {world.demand: world.catalog for world in question.scenarios}
            learned = {demand: learn(connection, catalog, decisions, seed) for demand, catalog in catalogs.items()}
        scores, matches, steps = list[Score](), list[Match](), len(question.scenarios)
        for done, world in enumerate(question.scenarios):
            tell(self.name, done, steps)
            limit, key = self.limits[world.name], (decisions, seed)
            policies = {name: policy_of(name, world.catalog, learned[world.demand]) for name in question.policies}
            for name in question.policies:
                if name not in {"static", "rule"}:
                    share = float((expected_gain(policies[name], world.catalog, PLAYED_ON) / limit.gain).mean())
                    scores.append(Score(world.name, name, *key, share))
            if question.store_days and decisions == max(question.decisions):
                policies[CLAIRVOYANT] = limit.policy
                tallies = play_all(policies, world.catalog, question.store_days, seed)
                most = tallies[CLAIRVOYANT].gain_eur
                matches.extend(
                    Match(world.name, name, *key, question.store_days, tally, tally.gain_eur / most)
                    for name, tally in tallies.items()
                )
        tell(self.name, steps, steps)
        return scores, matches


def limits_of(worlds: Sequence[StoreWorld]) -> dict[str, ClairvoyantGain]:
    """Return the clairvoyant of each world by the world's name."""
    policies = {world.name: clairvoyant(world.catalog, PLAYED_ON) for world in worlds}
    return {
        world.name: ClairvoyantGain(policies[world.name], expected_gain(policies[world.name], world.catalog, PLAYED_ON))
        for world in worlds
    }


def gathered(
    question: ComparisonQuestion,
    limits: Mapping[str, ClairvoyantGain],
    played: Sequence[ScoresAndMatches],
    lived: Sequence[Sequence[DayResult]],
) -> PolicyComparison:
    """Put the parts together, with the best that each world's own ladder allows; `lived` has one part per seed."""
    best = [_best_possible(world, limits[world.name]) for world in question.scenarios]
    scores = [*best, *(score for part in played for score in part[0])]
    matches = [match for part in played for match in part[1]]
    scores.sort(key=lambda row: (-row.decisions, row.seed))
    matches.sort(key=lambda row: row.seed)
    days = sorted((row for part in lived for row in part), key=lambda row: (row.policy, row.seed, row.day))
    return PolicyComparison(question.scenarios, tuple(scores), tuple(matches), tuple(days))


def shares(rows: Sequence[Score | Match]) -> dict[tuple[str, int, str], MeanInterval]:
    """Return the interval of the share for each (policy, decisions, scenario), in the order of the rows."""
    seeds: dict[tuple[str, int, str], list[float]] = {}
    for row in rows:
        seeds.setdefault((row.policy, row.decisions, row.scenario), []).append(row.share_of_clairvoyant)
    return {key: interval(values) for key, values in seeds.items()}


def _best_possible(world: StoreWorld, limit: ClairvoyantGain) -> Score:
    gain = expected_gain(with_true_demand(world.catalog, PLAYED_ON), world.catalog, PLAYED_ON)
    return Score(world.name, TRUE_DEMAND, 0, 0, float((gain / limit.gain).mean()))
