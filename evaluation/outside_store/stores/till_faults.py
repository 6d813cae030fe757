"""What goes wrong on the way from a till to the service that takes its sales in. What was truly sold stays the same.

Summed over events that are counted once each, with what is voided taken back and returns taken off, the posts of a
store with every fault hold the same units and the same money as those of a store with none.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evaluation.outside_store.stores.till_lines import TillLine

FAULTS = ("late", "out-of-order", "duplicates", "voids", "returns")
_LATE, _LONGEST = 0.05, 3  # share of the lines, and days
_TWICE = 0.05
_VOIDED = 0.02
_RETURNED = 0.01
_FREE = 1_000  # numbers of lines from here on are in use nowhere else
_FAULTS = 3_000  # the random stream of faults, which no world has


@dataclass
class FaultyPost:
    """The way from the till: takes a day's lines, and hands over what is posted that day."""

    faults: Collection[str]
    seed: int
    _day: int = 0
    _waiting: dict[int, list[TillLine]] = field(default_factory=dict)

    def of_day(self, lines: Sequence[TillLine]) -> list[TillLine]:
        """Return what is posted on the day when these lines were sold."""
        dice = np.random.default_rng(np.random.SeedSequence((self.seed, _FAULTS, self._day)))
        written = [*lines]
        if "voids" in self.faults:
            for line in _some(lines, _VOIDED, dice):
                slip = f"{line.event_id}-wrong"
                wrong = replace(line, event_id=slip, line=_FREE + 2 * line.line, units=line.units + 1)
                written += [wrong, wrong.voided()]
        back = list[tuple[int, TillLine]]()
        if "returns" in self.faults:
            for line in _some(lines, _RETURNED, dice):
                sold = replace(line, event_id=f"{line.event_id}-more", receipt=f"{line.event_id}-more", line=1, units=1)
                written.append(sold)
                days = int(dice.integers(1, _LONGEST + 1))
                back.append((days, sold.returned(days)))
        posted = self._waiting.pop(self._day, [])
        for line in written:
            is_late = "late" in self.faults and dice.random() < _LATE
            self._post(line, int(dice.integers(1, _LONGEST + 1)) if is_late else 0, posted)
            if "duplicates" in self.faults and dice.random() < _TWICE:
                self._post(line, int(dice.integers(0, 2)), posted)
        for days, line in back:
            self._post(line, days, posted)
        if "out-of-order" in self.faults:
            posted = [posted[place] for place in dice.permutation(len(posted))]
        self._day += 1
        return posted

    def left(self) -> list[TillLine]:
        """Return what is still on its way after the last day."""
        return [line for _, lines in sorted(self._waiting.items()) for line in lines]

    def _post(self, line: TillLine, days: int, today: list[TillLine]) -> None:
        (self._waiting.setdefault(self._day + days, []) if days else today).append(line)


def _some(lines: Sequence[TillLine], share: float, dice: np.random.Generator) -> list[TillLine]:
    return [line for line, drawn in zip(lines, dice.random(len(lines)), strict=True) if drawn < share]


def counted_once(posted: Sequence[TillLine]) -> list[TillLine]:
    """Return what was truly sold: every event once, without the lines that were voided and those that void them."""
    events = {line.event_id: line for line in posted}
    voided = {line.voids for line in events.values() if line.voids}
    return [line for line in events.values() if line.voids is None and line.event_id not in voided]
