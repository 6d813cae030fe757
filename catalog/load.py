"""Read a shelf and a store from YAML into one frozen `Catalog`.

YAML is read strictly: a value is read as it is written, or the file is refused. Plain YAML keeps the last of two equal
keys, reads `12:30` as 750, `0123` as 83 and `NO` as false, expands aliases without limit and builds Python objects from
tags. Each of these is an error here.
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import yaml
from pydantic import BaseModel, ValidationError

from catalog.arrays import Flags, Floats, Ints
from catalog.bounds import PriceBounds, conflicts, link_conflicts, price_bounds
from catalog.currency import EUR, Currency, currency_of
from catalog.errors import CatalogError, did_you_mean
from catalog.records.product import Product, substitute_conflicts, substitutes_among
from catalog.records.refusals import refused, schema_of
from catalog.records.store import NO_SHOPPERS, SECTIONS, Store
from catalog.stock_rules import StockRules, delivery_conflicts

_MAX_BYTES = 4 * 1024 * 1024
_AS_NUMBER = "write a plain decimal number, or quote the text"
_TRAPS = {
    "tag:yaml.org,2002:bool": (re.compile(r"(?i:yes|no|on|off|y|n)"), "write true or false, or quote the text"),
    "tag:yaml.org,2002:int": (re.compile(r"[-+]?(0[0-9_]+|0[xob].*|[0-9_]*:.*|.*_.*)"), _AS_NUMBER),
    "tag:yaml.org,2002:float": (re.compile(r"[-+]?[0-9_]+:.*|.*_.*"), _AS_NUMBER),
}


def _refuse(problem: str, mark: Any) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases, duplicate keys, tags, and scalars that YAML would reinterpret."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            _refuse("aliases are not allowed: write the value out", event.start_mark)
        if getattr(event, "tag", None) is not None:
            _refuse(f"the tag {event.tag} is not allowed: write a plain value", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _refuse("a key must be a single word", key.start_mark)
            if key.tag == "tag:yaml.org,2002:merge":
                _refuse("<< is not allowed: write the fields out", key.start_mark)
            if key.value in seen:
                _refuse(f"the key {key.value!r} is given twice: keep one", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_plain(self, node: yaml.ScalarNode) -> Any:
        trap = _TRAPS.get(node.tag)
        if trap and trap[0].fullmatch(node.value):
            _refuse(f"{node.value!r} does not mean what it looks like: {trap[1]}", node.start_mark)
        value = yaml.SafeLoader.yaml_constructors[node.tag](self, node)
        if isinstance(value, float) and not math.isfinite(value):
            _refuse(f"{node.value!r} is not a finite number", node.start_mark)
        return value


for _tag in _TRAPS:
    _StrictLoader.add_constructor(_tag, _StrictLoader.construct_plain)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read one YAML file whose top level is a mapping.

    Raises
    ------
    CatalogError
        When the file is missing, empty, too large, not UTF-8, or ambiguous; the message names the file, the line and
        the value.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror}); give a folder with --catalog DIR") from error
    if len(raw) > _MAX_BYTES:
        raise CatalogError(f"{path}: {len(raw)} bytes, at most {_MAX_BYTES} are allowed")
    try:
        loaded = yaml.load(raw.decode("utf-8-sig"), Loader=_StrictLoader)  # noqa: S506 - stricter than SafeLoader
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        where = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CatalogError(f"{path}:{where}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CatalogError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(loaded, dict):
        kind = "nothing" if loaded is None else type(loaded).__name__
        raise CatalogError(f"{path}: expected fields at the top level, found {kind}")
    return loaded


DEFAULT_DIR = Path(__file__).parent
_SHIPPED = DEFAULT_DIR / "worlds"
CLASSIC = _SHIPPED / "classic"
"""The shelf that is simply full each morning: nothing is kept, nothing spoils."""
_MAX_SHOWN = 80
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Catalog:
    """A shelf and the stores that carry it; products are in the order of their file everywhere."""

    products: tuple[Product, ...]
    store: Store

    @cached_property
    def skus(self) -> tuple[str, ...]:
        """The products' stock-keeping units, shape (n_products,)."""
        return tuple(product.sku for product in self.products)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each sku."""
        return {sku: position for position, sku in enumerate(self.skus)}

    @cached_property
    def base_prices(self) -> Floats:
        """Base prices, EUR, shape (n_products,)."""
        return np.array([product.base_price for product in self.products])

    @cached_property
    def unit_costs(self) -> Floats:
        """Cost of a unit, EUR, shape (n_products,)."""
        return np.array([product.unit_cost for product in self.products])

    @cached_property
    def par_stock(self) -> Ints:
        """Units on the shelf after restocking, shape (n_products,)."""
        return np.array([product.par_stock for product in self.products], dtype=np.int64)

    @cached_property
    def units_a_day(self) -> Floats:
        """Units that a day's orders bring a store, shape (n_products,)."""
        closed = self.store.closed_days
        return np.array([product.units_a_day(closed) for product in self.products])

    @cached_property
    def most_stock(self) -> Ints:
        """Most units of each product that are ever on the shelf, shape (n_products,)."""
        return np.array([product.most_stock for product in self.products], dtype=np.int64)

    @cached_property
    def whole_bounds(self) -> PriceBounds:
        """Bounds of each product's price in whole smallest units, whatever their ending."""
        rails = self.store.guardrails.model_copy(update={"price_ending": None})
        return price_bounds(self.products, rails, self.store.money)

    @cached_property
    def stock_rules(self) -> StockRules | None:
        """How stock lives from day to day; None where the whole shelf is full at each opening."""
        if not any(product.lives_on for product in self.products):
            return None
        return StockRules(self.products, self.store.closed_days)

    @cached_property
    def substitutes(self) -> Flags:
        """Which products a shopper may take instead of which, both ways, shape (n_products, n_products)."""
        return substitutes_among(self.products)

    @property
    def names_substitutes(self) -> bool:
        """Whether a shopper may take any product instead of another; no array of all pairs is made to tell."""
        return any(product.substitutes_with for product in self.products)

    @property
    def counts_evenings(self) -> bool:
        """Whether prices weigh what is left at closing: stock lives over days, and profit is what they maximise."""
        return self.stock_rules is not None and self.store.policies.objective == "profit"

    @property
    def uses_stickers(self) -> bool:
        """Whether units on their last day may carry a sticker: not where a zone or other tills set a price.

        Nor where all take the oldest unit: then one price for all units does what two would.
        """
        store = self.store
        is_ours = store.sales == "twin" and store.guardrails.one_price is None
        return self.counts_evenings and store.policies.stickers and is_ours and store.freshest_share > 0

    @cached_property
    def popularity(self) -> Floats:
        """Share of visits that go to each product, sums to 1, shape (n_products,)."""
        weights = np.array([self.store.popularity.get(sku, 1.0) for sku in self.skus])
        return weights / weights.sum()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every value that decides what is sold and at which prices: all but words and who is alerted."""
        return fingerprint_of(*self.as_json)

    @property
    def as_json(self) -> tuple[str, str]:
        """The products, one JSON object a line, and the store, from which `restored` rebuilds the catalog.

        Names of stores are left out, and so are sections that decide no price: a webhook that is added makes no night
        anew.
        """
        left_out = {"names", *(section.name for section in SECTIONS if not section.decides_prices)}
        store = self.store.model_dump_json(exclude=left_out)
        return "\n".join(product.model_dump_json() for product in self.products), store

    def with_limits_of(self, now: "Catalog") -> "Catalog":
        """Return this shelf with the limits of another catalog: costs, bounds, guardrails, approval and sections.

        A day that is being sold keeps the products that it opened with; what limits prices now binds them all the same.
        """
        of_product = ("floor_price", "ceiling_price", "unit_cost")
        bounds = {product.sku: {name: getattr(product, name) for name in of_product} for product in now.products}
        products = tuple(product.model_copy(update=bounds.get(product.sku, {})) for product in self.products)
        of_store = ("guardrails", "approval", *(section.name for section in SECTIONS))
        limits = {name: getattr(now.store, name) for name in of_store}
        return Catalog(products, self.store.model_copy(update=limits))

    @cached_property
    def _by_sku(self) -> dict[str, Product]:
        return {product.sku: product for product in self.products}

    def product(self, sku: str) -> Product:
        """Return the product with this sku.

        Raises
        ------
        CatalogError
            When no product has it; the message lists those that exist.
        """
        if (product := self._by_sku.get(sku)) is not None:
            return product
        first = ", ".join(self.skus[:20]) + (" ..." if len(self.skus) > 20 else "")  # noqa: PLR2004
        meant = did_you_mean(sku, self.skus)
        raise CatalogError(f"no product has the sku {_shown(sku)}; the shelf has {first}{meant}")


def folder_of(directory: Path | None) -> Path:
    """Return the folder of a catalog: the default one, another that ships, by its name, or any folder."""
    if directory is None:
        return DEFAULT_DIR
    is_shipped = not directory.is_dir() and directory.name == str(directory) and (_SHIPPED / directory).is_dir()
    return _SHIPPED / directory if is_shipped else directory


def load(directory: Path | None = None) -> Catalog:
    """Read `products.yaml` and `store.yaml` from a folder, by default the shelf and store that ship with the project.

    A folder that ships, such as `classic`, may be given by its name.

    Raises
    ------
    CatalogError
        When either file cannot be used; the message names file, field and value, and nothing is loaded.
    """
    folder = folder_of(directory)
    shelf, file = read_mapping(folder / "products.yaml"), folder / "store.yaml"
    given = read_mapping(file)
    try:
        money = currency_of(str(given.get("currency", EUR.code)))
    except ValueError:
        money = EUR  # the store is refused for it below
    products = _read_products(shelf, folder / "products.yaml", money)
    if given.get("sales") == "outside":  # where tills say who bought, nobody has to describe a twin's shoppers
        given = NO_SHOPPERS | given
    store = _build(Store, given, file, "", money)
    if money.digits != EUR.digits:  # floors and ceilings by default are no prices of the currency
        bounds = [product.limits_in(money) for product in products]
        products = tuple(
            product.model_copy(update={"floor_price": floor, "ceiling_price": ceiling})
            for product, (floor, ceiling) in zip(products, bounds, strict=True)
        )
    catalog = Catalog(products, store)
    for file, conflict in _conflicts(catalog, folder):
        raise CatalogError(f"{file}: {conflict}")
    return catalog


def _conflicts(catalog: Catalog, folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what the parts of a catalog say against each other, with the file to change."""
    products, store, shelf, chain = catalog.products, catalog.store, folder / "products.yaml", folder / "store.yaml"
    yield from ((shelf, conflict) for conflict in substitute_conflicts(products))
    skus = set(catalog.skus)
    if store.popularity and store.popularity.keys() != skus:
        odd = sorted(store.popularity.keys() ^ skus)[0]
        problem = "is not on the shelf" if odd in store.popularity else "has no weight; give every product one"
        yield chain, f"popularity: {_shown(odd)} {problem}"
    drawn = store.drawn_prices
    named = [("shocks: sku", shock.sku) for shock in store.shocks if shock.sku is not None]
    named += [("demand_effects: skus", sku) for effect in store.demand_effects for sku in effect.skus]
    named += [("belief: visits_per_day", sku) for sku in store.belief.visits_per_day]
    named += [("drawn_prices", sku) for sku in (() if isinstance(drawn.products, str) else drawn.products)]
    named += [("drawn_prices", sku) for family in drawn.families for sku in family]
    yield from ((chain, f"{field}: {_shown(sku)} is not on the shelf") for field, sku in named if sku not in skus)
    yield from ((shelf, conflict) for conflict in delivery_conflicts(products, store.closed_days))
    for conflict in (*conflicts(products, store), *link_conflicts(products, store)):
        yield chain, f"guardrails: {conflict}"
    for section in SECTIONS:
        if section.conflicts is not None:
            for conflict in section.conflicts(store.section(section.model), products, store):
                yield chain, f"{section.name}: {conflict}"


def fingerprint_of(products: str, store: str) -> str:
    """Return the fingerprint of a catalog from its JSON."""
    return hashlib.sha256(f"{products}\n{store}".encode()).hexdigest()


def restored(products: str, store: str) -> Catalog:
    """Return a catalog from its JSON.

    Raises
    ------
    CatalogError
        When it has a field or a value that is no longer allowed.
    """
    try:
        context = {"currency": currency_of(str(json.loads(store)["currency"]))}
        shelf = tuple(Product.model_validate_json(line, context=context) for line in products.splitlines())
        return Catalog(shelf, Store.model_validate_json(store, context=context))
    except ValidationError as error:
        refusal = refused(error, schema_of(Product if error.title == Product.__name__ else Store))
        raise CatalogError(f"a stored catalog can no longer be read: {refusal.sentence(_shown)}") from error


def _read_products(mapping: dict[str, Any], path: Path, money: Currency) -> tuple[Product, ...]:
    unknown = sorted(mapping.keys() - {"products"})
    if unknown:
        raise CatalogError(f"{path}: {unknown[0]}: unknown field; expected products")
    rows = mapping.get("products")
    if not isinstance(rows, list) or not rows:
        raise CatalogError(f"{path}: products: expected a list with at least one product, found {_shown(rows)}")
    products = []
    for position, row in enumerate(rows):
        if not isinstance(row, dict):
            raise CatalogError(f"{path}: products[{position}]: expected fields, found {_shown(row)}")
        products.append(_build(Product, row, path, f"products[{position}].", money))
    twice = next((sku for sku, times in Counter(product.sku for product in products).items() if times > 1), None)
    if twice is not None:
        raise CatalogError(f"{path}: products: sku: {_shown(twice)} is given twice")
    return tuple(products)


def _build(model: type[_Model], values: dict[str, Any], path: Path, prefix: str, money: Currency) -> _Model:
    try:
        return model.model_validate(values, context={"currency": money})
    except ValidationError as error:
        refusal = refused(error, schema_of(model))
        field = f"{prefix}{refusal.field}".removesuffix(".") or "file"
        raise CatalogError(f"{path}: {refusal._replace(field=field).sentence(_shown)}") from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


class WatchedCatalog:
    """The newest usable catalog of a folder; files that cannot be used change nothing.

    Attributes
    ----------
    problem
        Why the newest files cannot be used; None while they can.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Read the folder, by default the one that ships.

        Raises
        ------
        CatalogError
            When it cannot be used, since there is no earlier catalog.
        """
        self._folder = folder_of(folder)
        self._stamp = self._changed_at()
        self._catalog = load(self._folder)
        self.problem: str | None = None

    def current(self) -> Catalog:
        """Return the newest catalog that could be used."""
        stamp = self._changed_at()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._catalog, self.problem = load(self._folder), None
            except CatalogError as error:
                self.problem = str(error)
        return self._catalog

    def _changed_at(self) -> tuple[int, ...]:
        files = (self._folder / "products.yaml", self._folder / "store.yaml")
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)
