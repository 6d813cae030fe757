"""What somebody meant who typed a name that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.6
"""How alike two words are, from 0 to 1, before one is offered for the other."""
_LONGEST = 100
"""Characters of a word that is compared; nobody types more by mistake."""


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return a question about the nearest known word, to end a sentence with; empty when none is near."""
    by_lower_case = {word.lower(): word for word in known}
    near = get_close_matches(typed[:_LONGEST].lower(), by_lower_case, n=1, cutoff=_ALIKE)
    return f". Did you mean {by_lower_case[near[0]]}?" if near else ""
