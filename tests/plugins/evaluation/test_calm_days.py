"""The pictures of calm and free days, and the table beside them."""

from pathlib import Path

import numpy as np
import pytest

from plugins.evaluation.calm_days import LivedPrices, main


def test_changes_and_rises_are_counted_within_days_alone() -> None:
    steps = np.array([[1.0, 1.0, 1.05, 1.12, 1.12, 0.9], [1.5, 1.5, 1.5, 1.5, 1.5, 1.5]])
    lived = LivedPrices(steps[:, :, None, None], 10.0, hour=4)
    assert lived.changes_a_day == 1.5
    assert lived.days_with_a_rise == 0.5
    assert LivedPrices(lived.prices, 10.0, hour=1).days_with_a_rise == 0.0


@pytest.mark.slow
def test_two_pictures_of_a_day_are_written_and_calm_prices_change_less(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--days", "2", "--share", "0.01"], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"day-calm.png", "day-free.png"}
    free, calm = (line.split("|") for line in capsys.readouterr().out.splitlines()[2:])
    assert float(calm[2]) < 0.6 * float(free[2])
    assert calm[3].strip() == "0%"
    assert free[4].strip() == "0.00 %"
