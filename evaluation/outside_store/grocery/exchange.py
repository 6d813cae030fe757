"""Asks the outside store to play: requests and answers are files in a folder that the driver, in its own Python, reads.

The driver and this project share no package, so neither can see more of the other than is written here.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from catalog.errors import DataError
from evaluation.outside_store.grocery.question import ExaminationQuestion

DRIVER = Path(__file__).with_name("driver.py")
_LONGEST = 1800  # seconds of one request


@dataclass(frozen=True)
class PricesFrom:
    """Prices that hold from the morning of a day, EUR by sku; a product that is not named keeps its price."""

    day: int
    prices: Mapping[str, float]


@dataclass(frozen=True)
class StorePlay:
    """One way of pricing after the learning period: the owner's, or prices that stand until they are changed."""

    name: str
    owner_prices: bool = False
    changes: Sequence[PricesFrom] = ()


@dataclass(frozen=True)
class StoreOutcome:
    """What the days that count earned and lost.

    Attributes
    ----------
    revenue_eur, margin_eur
        Money at the till with VAT, returns taken off; and the same less what the units sold would have cost that day.
    spoiled_eur, spoiled_units
        Cost and units of what was thrown away.
    units
        Units sold, returns taken off.
    shelves_empty
        Share of product days that ended with an empty shelf.
    """

    revenue_eur: float
    margin_eur: float
    spoiled_eur: float
    units: float
    spoiled_units: float
    shelves_empty: float

    @property
    def kept_eur(self) -> float:
        """Margin less spoilage, EUR."""
        return self.margin_eur - self.spoiled_eur


@dataclass(frozen=True)
class StoreAnswer:
    """The version of the package, the outcome of each play by name, and where the driver wrote its files."""

    version: str
    outcomes: dict[str, StoreOutcome]
    folder: Path

    @property
    def receipts(self) -> Path:
        """The export of the last play, a CSV of till lines."""
        return self.folder / "receipts.csv"

    def elasticities(self) -> dict[str, float]:
        """Return the true price elasticity of each product, which only the examiner may see."""
        key = pd.read_csv(self.folder / "answer_key.csv")
        return dict(zip(key["sku"].astype(str), key["elasticity"].astype(float), strict=True))


@dataclass(frozen=True)
class OutsideStore:
    """The store that a question names, with a folder where requests and answers are written."""

    question: ExaminationQuestion
    folder: Path

    def play(self, plays: Sequence[StorePlay], export_through: int = 0) -> StoreAnswer:
        """StorePlay a year under each way of pricing, and export the last one up to a day where one is named.

        Raises
        ------
        DataError
            When the driver cannot run there, or does not answer.
        """
        folder = Path(tempfile.mkdtemp(prefix="request-", dir=self.folder))
        asked = self.question
        request = {
            "seed": asked.seed,
            "learn_days": asked.learn_days,
            "variation": asked.variation,
            "counted": [asked.learn_days + 1, asked.learn_days + asked.play_days],
            "export_through": export_through,
            "plays": [asdict(play) for play in plays],
        }
        file = folder / "request.json"
        file.write_text(json.dumps(request), encoding="utf-8")
        run_driver(asked.python, file)
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        outcomes = {name: StoreOutcome(**outcome) for name, outcome in answer["plays"].items()}
        return StoreAnswer(answer["version"], outcomes, folder)


def run_driver(python: Path, request: Path) -> None:
    """Run the driver in its own Python, isolated from this one's paths and variables.

    Raises
    ------
    DataError
        When that Python cannot be started or lacks the package, and when the driver fails; the last line says why.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the Python that the user names, and our own file
            [str(python), "-I", str(DRIVER), str(request)],
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(
            f"--python {python}: expected a Python that answers within {_LONGEST} s, found: {error}; nothing was "
            "reported: name the python of an environment that has grocery-sim, such as DIR/bin/python"
        ) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"the driver ended with {done.returncode} and said nothing"]
        raise DataError(f"--python {python}: {lines[-1]}")
