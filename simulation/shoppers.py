"""The pool of shoppers: numbers with invented names. Behaviour never depends on them."""

from faker import Faker


def shopper_names(pool: int, seed: int) -> list[str]:
    """Return invented names, shape (pool,); equal seeds give equal names."""
    invent = Faker("en_GB")
    invent.seed_instance(seed)
    firsts = [invent.first_name() for _ in range(min(pool, 500))]
    lasts = [invent.last_name() for _ in range(min(pool, 499))]
    return [f"{firsts[number % len(firsts)]} {lasts[number % len(lasts)]}" for number in range(pool)]
