"""The chain's catalog: any size loads, and equal sizes are equal files."""

from pathlib import Path

import pytest

from catalog.load import load
from plugins.evaluation.bench.chain import write_chain


@pytest.mark.parametrize(("n_products", "n_stores"), [(1, 1), (200, 30), (600, 3)])
def test_a_chain_of_any_size_is_a_catalog_with_names_that_differ(
    tmp_path: Path, n_products: int, n_stores: int
) -> None:
    write_chain(tmp_path, n_products, n_stores)
    catalog = load(tmp_path)
    assert (len(catalog.products), len(catalog.store.stores)) == (n_products, n_stores)
    assert len({product.name for product in catalog.products}) == n_products


def test_the_belief_of_a_chain_expects_the_visits_that_come(tmp_path: Path) -> None:
    write_chain(tmp_path, 20, 2, visits=40.0)
    store = load(tmp_path).store
    assert store.visits_per_day == pytest.approx(40)
    assert store.belief.visits_per_unit * load(tmp_path).par_stock.sum() == pytest.approx(40)
