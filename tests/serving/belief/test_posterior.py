"""What purchases say of shared directions is multiplied in the order of `einsum`, on which last bits depend."""

import numpy as np
import pytest

from serving.belief.posterior import _seen_through


@pytest.mark.parametrize("n_directions", [1, 2, 24])
@pytest.mark.parametrize("n_products", [1, 3, 6, 20, 250])
def test_shared_directions_are_seen_through_products_to_the_bits_of_einsum(n_products: int, n_directions: int) -> None:
    draw = np.random.default_rng(n_products)
    for n_knots in (2, 6, 20):
        shared, middle = draw.normal(size=(n_products, n_knots, n_directions)), draw.normal(size=(n_knots, n_knots))
        middles = middle + draw.normal(size=(n_products, n_knots, n_knots))
        expected = np.einsum("pki,pkl,plj->ij", shared, middles, shared, optimize=True)
        np.testing.assert_array_equal(_seen_through(shared, middles), expected)
