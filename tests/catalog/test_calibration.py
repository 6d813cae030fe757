import math

import numpy as np
import pandas as pd
import pytest

from catalog.metrics import bins_of, calibration_error, calibration_table, heard_in_words


def cells(offered: list[int], purchased: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"n_offered": offered, "n_purchased": purchased})


def test_a_bin_holds_the_chances_of_one_tenth_and_the_last_one_also_certainty() -> None:
    assert bins_of(np.array([0.0, 0.05, 0.3, 0.999, 1.0])).tolist() == [0, 0, 3, 9, 9]


def test_cells_count_by_their_decisions_within_a_bin_and_empty_bins_are_left_out() -> None:
    table = calibration_table(np.array([0.51, 0.55, 0.9]), cells([30, 10, 10], [15, 5, 9]))
    assert table["predicted"].tolist() == pytest.approx([0.52, 0.9])
    assert table["observed"].tolist() == pytest.approx([0.5, 0.9])
    assert table["decisions"].tolist() == [40, 10]
    assert table["bought"].tolist() == [20, 9]


def test_the_error_is_the_mean_distance_by_decisions_and_unknown_without_any() -> None:
    assert calibration_error(np.array([0.52, 0.9]), cells([40, 10], [20, 9])) == pytest.approx(0.02 * 40 / 50)
    assert math.isnan(calibration_error(np.array([]), cells([], [])))


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ({"log_loss": 0.4}, ""),
        ({"product_share": 0.0, "day_share": 0.0}, ""),
        ({"product_share": 1.5, "day_share": 0.0}, "Before a sale, 150% holds of what it says of products."),
        (
            {"day_share": 0.5, "store_share": 1.0},
            "Before a sale, 50% holds of what it says of days and 100% holds of what it says of stores.",
        ),
    ],
)
def test_it_is_said_how_much_holds_of_what_a_model_says_before_a_sale(metrics: dict[str, float], sentence: str) -> None:
    assert heard_in_words(metrics) == sentence
