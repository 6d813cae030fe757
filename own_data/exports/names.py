"""Ids of stores and products from the names that an export has for them."""

import hashlib
import re

_STORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_SKU = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


def store_id_of(word: str) -> str:
    """Return a store's id: its name where that is a valid id, else the valid part of it with a hash."""
    return word if _STORE_ID.fullmatch(word) else _shortened(re.sub(r"[^A-Za-z0-9_.-]", "-", word), word, 23)


def sku_of(word: str) -> str:
    """Return a product's sku: its number or name where that is valid, else the valid part of it with a hash."""
    return word if _SKU.fullmatch(word) else _shortened(re.sub(r"[\x00-\x1f\x7f]", "-", word), word, 55)


def _shortened(kept: str, word: str, most: int) -> str:
    digest = hashlib.sha256(word.encode()).hexdigest()[:8]
    return f"{kept[:most].lstrip('_.-') or 'x'}-{digest}"
