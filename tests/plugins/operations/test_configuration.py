"""The configuration reference says what the code takes: every variable, every field, and what each is by default."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from catalog.records.product import Product
from catalog.records.store import Store
from catalog.settings import Settings, read_settings
from plugins.operations.configuration import configuration, documented

REFERENCE = Path(__file__).parents[3] / "docs" / "configuration.md"


class Asked(Mapping[str, str]):
    """An environment that is empty and remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_published_reference_is_the_one_the_records_give() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == configuration()


def test_every_variable_that_is_read_is_in_the_reference_and_no_other() -> None:
    asked = Asked()
    read_settings(asked)
    assert {field.validation_alias for field in Settings.model_fields.values()} == asked.names


def test_every_field_has_a_description() -> None:
    settings, product, store = (documented(model) for model in (Settings, Product, Store))
    records = [settings, product, store, *store["$defs"].values()]
    assert [
        f"{record['title']}.{name}"
        for record in records
        for name, field in record["properties"].items()
        if not field.get("description")
    ] == []
