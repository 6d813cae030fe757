"""Even draws are those of SciPy, without the import of its statistics."""

import subprocess
import sys

import pytest
from scipy.stats import qmc

from serving.belief.even_draws import even_draws

OPENS = """
import sys
from catalog.load import CLASSIC, load
from serving.storefront import storefront_before_champion
print(storefront_before_champion(load(CLASSIC)).curves.p_sale.min() > 0, 'scipy.stats' in sys.modules)
"""


@pytest.mark.parametrize("n_dimensions", range(1, 25))
def test_draws_are_those_of_scipy_to_the_bit(n_dimensions: int) -> None:
    for n_draws, seed in ((1, 0), (256, 20260105), (512, 3)):
        theirs = qmc.Sobol(n_dimensions, rng=seed).random(n_draws)
        assert even_draws(n_dimensions, n_draws, seed).tobytes() == theirs.tobytes()


def test_a_store_opens_without_the_statistics_of_scipy() -> None:
    said = subprocess.run([sys.executable, "-c", OPENS], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "False"]
