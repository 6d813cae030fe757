"""A policy that asks for any prices at all, and the classic shelf under some guardrails."""

import numpy as np
from free_prices import freely

from catalog.decisions.pricing import Shelf
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from serving.optimise.policies import Asked, StaticPolicy, asked_without_model

SHELF = freely(load(CLASSIC))


def shelf_with(**rails: object) -> Catalog:
    return Catalog(SHELF.products, SHELF.store.model_copy(update={"guardrails": Guardrails.model_validate(rails)}))


class Wild(StaticPolicy):
    """A policy that asks for whatever it was given, store by store."""

    def ask(self, shelf: Shelf) -> Asked:
        assert self.base_prices.shape == shelf.stock.shape
        return asked_without_model(self.base_prices, np.zeros(self.base_prices.shape, dtype=np.int64))
