"""Catalogs whose prices move freely, for tests of what calm prices would hide."""

from pathlib import Path

import yaml

from catalog.load import Catalog


def freely(catalog: Catalog) -> Catalog:
    """Return a catalog whose prices change wherever that earns more."""
    policies = catalog.store.policies.model_copy(update={"calm": 0.0})
    return Catalog(catalog.products, catalog.store.model_copy(update={"policies": policies}))


def freely_in(folder: Path) -> None:
    """Let the prices of the catalog in a folder change wherever that earns more."""
    path = folder / "store.yaml"
    store = yaml.safe_load(path.read_text(encoding="utf-8"))
    store["policies"] = {**store.get("policies", {}), "calm": 0.0}
    path.write_text(yaml.safe_dump(store), encoding="utf-8")
