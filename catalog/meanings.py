"""What each field of the YAML files means, for the configuration reference; types and bounds are the records' own.

A field of `catalog.records` without a meaning here fails a test, and so does a meaning without a field.
"""

PRODUCT = {
    "sku": "stock-keeping unit, unique on the shelf",
    "name": "name for people",
    "category": "group of products",
    "icon": "one character that stands for it in the monitor",
    "base_price": "usual price, EUR, whole cents",
    "unit_cost": "cost of one unit, EUR; the floor may not be below it",
    "floor_price": "lowest price that may be shown, EUR; null is 0.7 x `base_price`",
    "ceiling_price": "highest price that may be shown, EUR; null is 1.6 x `base_price`",
    "par_stock": "units on the shelf after restocking, before each opening",
}

MEANINGS: dict[str, dict[str, str]] = {
    "Store": {
        "currency": "currency of every price",
        "stores": "names of the stores; all sell the same shelf",
        "opening": "opening hours, below",
        "visits_per_day": "shoppers who stop at a product, per store and day, on average",
        "hourly_profile": "weights that spread the visits over the opening hours, in equal parts",
        "popularity": "weight of each product among the visits, by sku; one for every product, or none at all",
        "shopper_pool": "number of shoppers with a name; behaviour never depends on it",
        "personas": "segments of shoppers, below; their shares add up to 1",
        "ladder_prices": "candidate prices of each product, evenly from floor to ceiling",
        "policies": "who prices, below",
        "exploration": "how often prices are tried, below",
        "gate": "when a champion is replaced, below",
        "learning": "how often and from what the store learns, below",
        "guardrails": "limits on every price, below",
        "shocks": "what happens to the world on a date, below",
    },
    "Opening": {
        "opens": "time of day at which the stores open, UTC, in quotes",
        "closes": "time of day at which they close, UTC, on the same date",
        "tick_minutes": "minutes for which a price stands; opening hours are a whole number of them",
    },
    "Persona": {
        "name": "name for people",
        "share": "share of the shoppers",
        "mean": "mean of the budget multiplier: what a shopper would pay over the base price",
        "standard_deviation": "its standard deviation",
    },
    "Policies": {
        "before_champion": "policy of a store that has no price book yet",
        "with_champion": "policy a price book is made from; `greedy` ignores what a unit kept is worth",
        "objective": "what prices are to earn: revenue, or margin (price less unit cost)",
        "rule": "knobs of the policy `rule`, below",
    },
    "RuleSettings": {
        "low_stock": "units below which the price is raised",
        "raise_by": "share by which it is raised",
    },
    "Exploration": {
        "before_champion": "share of the time a ladder price is tried before a champion, or where a price never varied",
        "budget": "share of expected revenue that trying may cost with a champion",
        "hold_ticks": "ticks for which a tried price stands",
    },
    "Gate": {
        "stale_after_days": "days without new learning after which a challenger that is not worse takes over",
    },
    "Learning": {
        "train_every_days": "days from one training to the next; drift makes it at once",
        "window_days": "most days that go into a training; null is all of them",
    },
    "Guardrails": {
        "minimum_margin": "the lowest price is unit cost x (1 + this), or the floor if that is higher",
        "largest_step": "largest change at once, as a share of the price shown; null is no limit",
        "largest_daily_move": "largest distance from the opening price, as a share of it; null is no limit",
        "moving_share": "share of the products that may change price in one tick; those that gain most go first",
        "price_ending": "last digit of the cents; it gives way where no such price is near enough; null is any",
        "frozen": "prices that are held, EUR by sku",
        "kill_switch": "true: base prices at once, nothing is tried, and no price book is written",
    },
    "Shock": {
        "business_date": "first date on which it is felt",
        "through": "last date; null is the first alone",
        "sku": "the product; null is all of them",
        "starts": "time of day from which `demand_factor` holds, UTC; null is all day",
        "demand_factor": "visits times this",
        "budget_shift": "added to every budget multiplier",
        "delivered_share": "share of the par stock that is on the shelf at opening",
    },
}
