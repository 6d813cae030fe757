"""What is asked of one planted log, and what the real path made of it."""

from dataclasses import dataclass

from evaluation.planted.scenarios import Kind, Scenario
from evaluation.planted.world import Size
from own_data.exports.columns import Grain


@dataclass(frozen=True)
class Job:
    """A scenario in a grain, drawn with a seed.

    Attributes
    ----------
    response_only
        Whether to stop at the response to the price: no model is trained and no price made.
    """

    scenario: Scenario
    grain: Grain
    seed: int
    size: Size
    response_only: bool = False


@dataclass(frozen=True)
class ProductFound:
    """What was said of one product's response to the price, and the truth.

    Slopes are changes of the log odds of a purchase, or of the log rate of sale, per unit of log price. `naive` is that
    of a regression on the price alone, None where it has none. The interval is None where there is no estimate. `gain`
    is what the price made earns more than the base price under the planted demand, as a share; None where no price was
    asked for.
    """

    sku: str
    truth: float
    naive: float | None
    verdict: str
    why: str
    estimate: float | None
    lower: float | None
    upper: float | None
    gain: float | None = None

    @property
    def is_told(self) -> bool:
        """Whether prices may be set by it."""
        return self.verdict == "told"

    @property
    def holds_truth(self) -> bool:
        """Whether the interval holds the truth."""
        return self.lower is not None and self.upper is not None and self.lower <= self.truth <= self.upper


@dataclass(frozen=True)
class Played:
    """What the real path made of one planted log.

    Attributes
    ----------
    products
        Empty where the log was refused or nothing could be learned.
    gate
        The gate's answer in a word; None where it was not asked.
    gain
        What the prices made would earn more than base prices under the planted demand, as a share, all products
        together; 0 where base prices stand, None where no price was asked for.
    attainable
        What the best prices between floor and ceiling would earn more; None as above.
    why_not
        The error that ended it early, None without one.
    is_broken
        Whether that error was none that the product raises on purpose.
    """

    scenario: str
    kind: Kind
    grain: Grain
    seed: int
    products: tuple[ProductFound, ...]
    gate: str | None
    gain: float | None
    attainable: float | None
    why_not: str | None
    is_broken: bool
    seconds: float
