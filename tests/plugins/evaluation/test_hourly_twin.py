"""The twin as an outside store that says who came: it loses hardly more than the embedded one on the same shoppers."""

import numpy as np
import pytest
from hourly_store import short_catalog

from plugins.evaluation.outside_store.hourly_twin import hourly_loss, trained_every


@pytest.mark.slow
def test_the_twin_behind_the_intake_loses_hardly_more_than_the_embedded_one() -> None:
    found = hourly_loss(trained_every(short_catalog(), 30), 1, 3)
    assert found.more < 0.03, "noise of three short days"
    assert found.outside.sum() > 0.9 * found.most.sum()
    assert len(np.unique(found.prices)) > found.prices.shape[-1], "prices move"
