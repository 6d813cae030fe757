"""A belief after days of one demand, for tests that need one and no log."""

from dataclasses import replace

from catalog.load import Catalog
from serving.belief.belief import USUAL_SHAPE, Belief, Shape, State, believed_before_anybody_came, shelf_prior
from serving.belief.gaussian import Counts, Knots


def believed_after(catalog: Catalog, counts: Counts, shape: Shape = USUAL_SHAPE) -> Belief:
    """Return what is believed after some sales at the knots, no hour or day unlike another."""
    known = shelf_prior(Knots.of(catalog), catalog.store.belief, shape).updated(counts).belief
    nobody = believed_before_anybody_came(catalog)
    return replace(nobody, states=(State(1.0, known),), shape=shape, sold=counts)
