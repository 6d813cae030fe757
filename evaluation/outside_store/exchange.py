"""Asks the outside store to play: requests and answers are files in a folder that the driver, in its own Python, reads.

The driver and this project share no package, so neither can see more of the other than is written here.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.errors import DataError

DRIVER = Path(__file__).with_name("driver.py")
_LONGEST = 1800  # seconds of one request


@dataclass(frozen=True)
class Change:
    """Prices that hold from the morning of a day, EUR by sku; a product that is not named keeps its price."""

    day: int
    prices: Mapping[str, float]


@dataclass(frozen=True)
class Play:
    """One way of pricing after the learning period: the owner's, or prices that stand until they are changed."""

    name: str
    owner_prices: bool = False
    changes: Sequence[Change] = ()


@dataclass(frozen=True)
class Outcome:
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
class Answer:
    """The version of the package, the outcome of each play by name, and where the driver wrote its files."""

    version: str
    outcomes: dict[str, Outcome]
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
    """One store of the package.

    Attributes
    ----------
    python
        The Python that has the package.
    folder
        Where requests and answers are written.
    seed
        Decides the neighbourhood, its shoppers and the year.
    learn_days, play_days
        Days of the learning period, and days that count after it.
    variation
        How far prices are tried in the learning period, as a share of the opening price, one drawn a week and product;
        0 leaves them to the owner.
    """

    python: Path
    folder: Path
    seed: int
    learn_days: int
    play_days: int
    variation: float

    def play(self, plays: Sequence[Play], export_through: int = 0) -> Answer:
        """Play a year under each way of pricing, and export the last one up to a day where one is named.

        Raises
        ------
        DataError
            When the driver cannot run there, or does not answer.
        """
        folder = Path(tempfile.mkdtemp(prefix="request-", dir=self.folder))
        request = {
            "seed": self.seed,
            "learn_days": self.learn_days,
            "variation": self.variation,
            "counted": [self.learn_days + 1, self.learn_days + self.play_days],
            "export_through": export_through,
            "plays": [_as_record(play) for play in plays],
        }
        file = folder / "request.json"
        file.write_text(json.dumps(request), encoding="utf-8")
        run_driver(self.python, file)
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        outcomes = {name: Outcome(**outcome) for name, outcome in answer["plays"].items()}
        return Answer(answer["version"], outcomes, folder)


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


def _as_record(play: Play) -> dict[str, Any]:
    changes = [{"day": change.day, "prices": dict(change.prices)} for change in play.changes]
    return {"name": play.name, "owner_prices": play.owner_prices, "changes": changes}
