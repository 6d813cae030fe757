"""What all reports are made of: means with their intervals, tables, Markdown and values for JSON."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.metrics import half_width

Rows = tuple[list[str], list[list[Any]]]
"""Columns and rows of a table that people read."""


@dataclass(frozen=True)
class MeanInterval:
    """A mean over seeds with its 95 % interval (Student's t); without a second seed there is no interval."""

    mean: float
    low: float
    high: float

    def percent(self, form: str = ".2f") -> str:
        """Return mean and half width in per cent; one value has no interval."""
        mean = format(100 * self.mean, form)
        return mean if math.isnan(self.low) else f"{mean} ± {100 * (self.high - self.mean):.2f}"

    def finite(self) -> dict[str, float | None]:
        """Return the values as JSON can hold them: None where there is no interval."""
        return {name: value if math.isfinite(value) else None for name, value in vars(self).items()}


def interval(values: Sequence[float]) -> MeanInterval:
    """Return the mean of independent values and its 95 % interval."""
    sample = np.asarray(values, dtype=float)
    mean, spread = float(sample.mean()), float(sample.std(ddof=1)) if len(sample) > 1 else 0.0
    half = float(half_width(np.array([spread]), np.array([float(len(sample))]))[0])
    return MeanInterval(mean, mean - half, mean + half)


def mean_where_it_came(values: Sequence[int | None]) -> str:
    """Return the mean of the seeds where something came, and on how many it did when not on all."""
    came = [value for value in values if value is not None]
    if not came:
        return "never"
    mean = float(np.mean(came))
    text = f"{mean:,.0f}" if mean >= 100 or mean == int(mean) else f"{mean:.1f}"  # noqa: PLR2004 - no digit worth it
    return text if len(came) == len(values) else f"{text} on {len(came)} of {len(values)}"


def table_of(records: Sequence[Mapping[str, Any]]) -> Rows:
    """Return columns and rows of records that have the same names."""
    return list(records[0]) if records else [], [list(record.values()) for record in records]


def records(table: Rows) -> list[dict[str, Any]]:
    """Return the rows of a table by column."""
    columns, rows = table
    return [dict(zip(columns, row, strict=True)) for row in rows]


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield "| " + " | ".join(columns) + " |"
    yield "| " + " | ".join("---" for _ in columns) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
