"""Products as columns: made when a model is asked, right in every row, and of the shelf alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.product_columns import columns_of, input_of, missing_in

SHELF = ("BREAD", "EGGS", "MILK", "TEA")


def shelf_of(skus: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"sku": pd.Categorical(skus, SHELF), "price_ratio": np.linspace(0.7, 1.6, len(skus))})


@given(st.lists(st.sampled_from(SHELF), min_size=1), st.lists(st.sampled_from(SHELF), unique=True))
def test_each_row_tells_its_own_product_or_none_that_has_a_column(skus: list[str], known: list[str]) -> None:
    X = input_of(shelf_of(skus), ["price_ratio", *columns_of(known)])
    for name in known:
        assert X[f"sku_{name}"].tolist() == [float(own == name) for own in skus]
    assert X["price_ratio"].tolist() == np.linspace(0.7, 1.6, len(skus)).tolist()


def test_a_product_of_another_shelf_is_missing_and_one_that_nobody_visited_is_not() -> None:
    assert missing_in(shelf_of(["MILK"]), ["price_ratio", "sku_TEA", "sku_SALT", "hour"]) == ["sku_SALT", "hour"]


def test_a_feature_that_rows_do_not_tell_is_not_made_up() -> None:
    with pytest.raises(KeyError, match="hour"):
        input_of(shelf_of(["MILK"]), ["hour"])
