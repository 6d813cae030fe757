"""The algebra behind `serving.belief.effects`: one Newton step, and what it leaves of every variance.

Latent numbers are standard normal beforehand, of four kinds: each product's own coefficients, its own effect of each
day, what the shelf shares, and the shelf's effect of each day. A product's days do not depend on each other once its
coefficients are known, and products not once the shelf is. So days are eliminated first, then products, and what is
left is one small system (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2.7 and
3.4). Time grows with products and days, never with the square of either together.
"""

from collections.abc import Callable

import numpy as np

from serving.belief.gaussian import FEW, blocks_of
from serving.belief.learned_block import LearnedBlock
from serving.belief.likelihood import Likelihood
from serving.belief.long_block import LongBlock
from serving.belief.normals import Normals, Roots


class Newton:
    """A point, and the step from there towards the mode.

    Blocks of products are worked out one after another. A short shelf has one, which is kept. Those of a longer
    shelf are worked out a second time after the shared part is known, so that only one is in memory.

    Attributes
    ----------
    products
        Which are of each block.
    log
        Log likelihood of all sales.
    half_log_volume
        Half the log determinant of the whole curvature.
    promised
        Log density that the step gains by the curvature; infinite on a short shelf.
    shared_factor
        Lower Cholesky factor of the curvature of what is shared, shape (n_shared + n_days, n_shared + n_days).
    """

    def __init__(self, at: Normals, curved: Callable[[slice, Normals], tuple[Roots, Likelihood]]) -> None:
        """Look at a point; `curved` says what the sales of some products say there."""
        self.at, self._curved, self._kept = at, curved, dict[int, LearnedBlock | LongBlock]()
        self.products = blocks_of(len(at.own))
        self.log, half, own = 0.0, 0.0, 0.0
        self._slope = -np.concatenate([at.shared, at.shared_days])
        curvature = np.eye(len(self._slope))
        for block in map(self.block, self.products):
            block.add_to(curvature, self._slope)
            self.log, half, own = self.log + block.log, half + block.half_log_volume, own + block.promised
        self.shared_factor = np.asarray(np.linalg.cholesky(curvature), dtype=float)
        self.half_log_volume = float(half + np.log(np.diagonal(self.shared_factor)).sum())
        self.promised = own + 0.5 * float((np.linalg.solve(self.shared_factor, self._slope) ** 2).sum())

    def block(self, products: slice) -> LearnedBlock | LongBlock:
        """Return some of `products` at this point."""
        if (block := self._kept.get(products.start)) is None:
            at = self.at.of(products)
            block = (LearnedBlock if len(self.at.own) <= FEW else LongBlock)(*self._curved(products, at), at)
            if len(self.products) == 1:
                self._kept[products.start] = block
        return block

    @property
    def step(self) -> Normals:
        """Towards the mode."""
        shared = np.linalg.solve(self.shared_factor.T, np.linalg.solve(self.shared_factor, self._slope))
        own, own_days = zip(*(self.block(some).step(shared) for some in self.products), strict=True)
        n_shared = len(self.at.shared)
        return Normals(np.concatenate(own), np.concatenate(own_days), shared[:n_shared], shared[n_shared:])
