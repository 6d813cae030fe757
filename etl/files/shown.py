"""How a value of a file is shown in a message: in quotes, and a long one by its beginning and its end."""

_FIRST, _LAST = 40, 20


def shown(value: object) -> str:
    """Return a value in quotes; of a long one the first 40 and the last 20 characters.

    >>> shown("1.99 EUR")
    "'1.99 EUR'"
    >>> shown("x" * 50 + "the last characters!")
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' ... 'the last characters!'"
    """
    text = str(value)
    if len(text) < _FIRST + _LAST:
        return repr(text)
    return f"{text[:_FIRST]!r} ... {text[-_LAST:]!r}"
