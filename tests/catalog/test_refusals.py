"""Whatever a record is given, its refusal is in our words: field, expectation with an example, and value."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from catalog.errors import CatalogError, SettingError
from catalog.load import DEFAULT_DIR, load
from catalog.records.fields import Record
from catalog.records.product import Product
from catalog.records.refusals import refused, schema_of
from catalog.records.store import Store
from catalog.settings import Settings, read_settings
from plugins.connect.api.price_changes import DecisionBody, PriceChangeBody, Selection
from plugins.connect.api.quotes import QuoteQuestion
from plugins.connect.intake.rival_prices import RivalPrice
from plugins.connect.intake.sale_lines import LineReference, SaleLine
from plugins.connect.intake.stock_and_visitors import ProductVisits, StockEvent, VisitorCount
from plugins.connect.labels.acknowledge import AckMessage
from plugins.own_store.history.columns import Reading

PYDANTICS = re.compile(
    r"Input should|[Ff]ield required|Extra inputs|should (be|match|have)|valid (number|integer|string|boolean|"
    r"dict|list|tuple|date)|unable to (parse|interpret)|Value error|Assertion|validation error|another value|\^\["
)
BAD: tuple[Any, ...] = ("", "x y\n", -1e99, 1e99, 1.5, True, None, [], ["", 7], {}, {"x y\n": "z"}, {"MILK": "z"}, 7)
OTHERS = (
    *(AckMessage, SaleLine, LineReference, StockEvent, VisitorCount, ProductVisits, RivalPrice),
    *(PriceChangeBody, DecisionBody, Selection, QuoteQuestion, Reading),
)


def records(kind: type[BaseModel] = Record) -> list[type[BaseModel]]:
    """Return every record of the catalog."""
    own = [] if kind is Record else [kind]
    return [*own, *(found for inner in kind.__subclasses__() for found in records(inner))]


def refusals(model: type[BaseModel], given: dict[str, Any]) -> Iterator[str]:
    """Yield the refusal of each error apart, in a sentence."""
    try:
        model.model_validate(given)
    except ValidationError as error:
        for own in error.errors():
            refusal = refused([own], schema_of(model))
            assert own["loc"] == () or refusal.field.split(".")[0] == str(own["loc"][0])
            yield refusal.sentence()


@pytest.mark.parametrize("model", [*records(), *OTHERS], ids=lambda model: model.__name__)
def test_no_record_is_refused_in_the_words_of_a_library(model: type[BaseModel]) -> None:
    said = [*refusals(model, {}), *refusals(model, {"x y": 1})]
    for field in model.model_fields:
        for bad in BAD:
            said += refusals(model, {field: bad})
            said += refusals(model, {f"{field}x": bad})
    assert said
    assert [sentence for sentence in said if PYDANTICS.search(sentence)] == []
    assert [own for own in said if not re.search(r"expected|no field|found|must|\bis\b", own)] == []


def test_every_pattern_of_a_text_has_words() -> None:
    for model in (Product, Store, Settings, *OTHERS):
        for pattern in re.findall(r"'pattern': '(.+?)'[,}]", str(schema_of(model))):
            refusal = refused(
                [{"type": "string_pattern_mismatch", "loc": ("a",), "input": "?", "msg": ""}],
                {"properties": {"a": {"type": "string", "pattern": pattern.replace("\\\\", "\\")}}},
            )
            assert len(refusal.words) > len("expected text"), pattern


def edited(folder: Path, name: str, path: list[str | int], value: Any) -> str:
    """Write the default catalog with a value at a place of a file, and return the refusal of it."""
    for file in ("products.yaml", "store.yaml"):
        (folder / file).write_bytes((DEFAULT_DIR / file).read_bytes())
    content = whole = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    for part in path[:-1]:
        content = content[part] if isinstance(part, int) else content.setdefault(part, {})
    content[path[-1]] = value
    (folder / name).write_text(yaml.safe_dump(whole), encoding="utf-8")
    with pytest.raises(CatalogError) as refusal:
        load(folder)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        (
            "products.yaml",
            ["products", 0, "base_prise"],
            "products[0].base_prise: no field of the product, found 'a:b'. Did",
        ),
        ("store.yaml", ["guardrail"], "guardrail: no field of the store, found 'a:b'. Did you mean guardrails?"),
        (
            "store.yaml",
            ["guardrails", "larges_step"],
            "larges_step: no field of guardrails, found 'a:b'. Did you mean ",
        ),
        (
            "store.yaml",
            ["opening", "xyz"],
            "opening.xyz: no field of opening, found 'a:b'; expected one of opens, closes,",
        ),
        (
            "products.yaml",
            ["products", 1, "base_price"],
            "products[1].base_price: expected a number above 0 to 1,000,000, ",
        ),
        (
            "products.yaml",
            ["products", 1, "par_stock"],
            "expected a whole number from 1 to 30,000, such as 100, found 'a:b'",
        ),
        ("store.yaml", ["policies", "stickers"], "policies.stickers: expected true or false, found 'a:b'"),
        ("store.yaml", ["stores"], "stores: expected a list of at least 1 text, such as [\"S01\"], found 'a:b'"),
        (
            "store.yaml",
            ["guardrails", "frozen"],
            'expected a number above 0 to 1,000,000, by sku, such as {"MILK": 1}, found',
        ),
    ],
    ids=str,
)
def test_a_refusal_names_file_field_value_what_is_expected_and_an_example(
    tmp_path: Path, name: str, path: list[str | int], said: str
) -> None:
    found = edited(tmp_path, name, path, "a:b")
    assert found.startswith(str(tmp_path / name))
    assert said in found


def test_a_typo_of_a_required_field_is_named_and_not_the_field_that_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "store.yaml").write_bytes((DEFAULT_DIR / "store.yaml").read_bytes())
    product = {"sku": "MILK", "name": "Milk", "category": "dairy", "base_prise": 1.2, "unit_cost": 0.5}
    (tmp_path / "products.yaml").write_text(yaml.safe_dump({"products": [product]}), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"products\[0\]\.base_prise: no field .*Did you mean base_price\?$"):
        load(tmp_path)


@pytest.mark.parametrize(
    "field", [field for field in Settings.model_fields.values() if field.annotation in {int, float}], ids=str
)
def test_no_variable_of_the_environment_is_refused_in_the_words_of_a_library(field: Any) -> None:
    for bad in ("few", "-1", "1e99"):
        with pytest.raises(SettingError) as refusal:
            read_settings({str(field.validation_alias): bad})
        assert not PYDANTICS.search(str(refusal.value))
        assert str(refusal.value).endswith(f"found {bad!r}")
