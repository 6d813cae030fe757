"""What the commands of drawn prices print: plans and their power, what coins told, and what prices earned."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flows.cli.console import emit, remark, say, show_table

if TYPE_CHECKING:
    from plugins.own_store.draws.experiments import Experiment
    from plugins.own_store.earned import EarnedByDraws
    from plugins.own_store.earned_waste import WasteByDraws
    from plugins.own_store.experiment import ExperimentOutcome, ProductPower
    from plugins.own_store.learning.earned_profit import EarnedProfit

_EARNED = ["profit earned", "from", "to", "share", "share from", "share to", "held", "drawn"]


def show_experiments(found: "Sequence[Experiment]", *, as_json: bool) -> None:
    """Print what was planned."""
    if as_json:
        emit({"experiments": [asdict(one) for one in found]})
    elif not found:
        remark("No experiment was planned yet: --step plans one.")
    else:
        columns = ["number", "starts", "through", "step", "products", "reason", "asked by", "withdrawn"]
        rows = [
            [
                own.number,
                own.starts,
                own.through,
                f"+-{own.step:.1%}",
                ", ".join(own.products),
                own.reason,
                own.asked_by,
                ""
                if own.withdrawn_from is None
                else f"from {own.withdrawn_from} by {own.withdrawn_by}: {own.withdrawn_reason}",
            ]
            for own in found
        ]
        show_table("Experiments", columns, rows)


def show_plan(new: "Experiment", power: "Sequence[ProductPower]", *, is_planned: bool, as_json: bool) -> None:
    """Print an experiment that was just planned, or might be, and what it can tell."""
    if as_json:
        emit({"experiment": asdict(new), "planned": is_planned, "power": [asdict(own) for own in power]})
        return
    columns = [
        "product",
        "units a store week",
        "real step",
        *(f"tells {slope:g}" for slope in power[0].chances),
        "weeks to tell -2",
    ]
    rows = [
        [
            own.sku,
            round(own.units, 1),
            f"+-{own.step:.1%}",
            *(f"{chance:.0%}" for chance in own.chances.values()),
            own.weeks_wanted or "years",
        ]
        for own in power
    ]
    show_table(
        f"Experiment {new.number}: +-{new.step:.1%} by a fair coin, {new.starts} to {new.through}",
        columns,
        rows,
        caption="chance that the price response is told when sales change by so many percent for a percent of price",
    )
    if is_planned:
        remark(f"The next nights draw its prices. `shelfprice experiment --outcome {new.number}` says what it told.")
    else:
        remark("Nothing was planned: the same command without --dry-run plans it.")


def show_withdrawn(ended: "Experiment", *, as_json: bool) -> None:
    """Print what becomes of an experiment that was withdrawn."""
    if as_json:
        emit({"experiment": asdict(ended)})
    elif ended.draws_through < ended.starts:
        remark(f"Experiment {ended.number} will not begin. It stays on record with your reason.")
    else:
        remark(
            f"Experiment {ended.number} draws no price from {ended.withdrawn_from} on: the night before brings its "
            "products back to their own prices. What it told until then stays on record with your reason."
        )


def show_coin(outcome: "ExperimentOutcome", *, as_json: bool) -> None:
    """Print what a coin has told, and whether the price before matters where it does."""
    found, carried = outcome.slopes, outcome.carried
    if as_json:
        products = [
            {"sku": sku, **_plain(asdict(own)), "told": own.is_told}
            | {"carry": _plain(asdict(outcome.carries[sku])) if sku in outcome.carries else None}
            for sku, own in found.items()
        ]
        emit({"through": outcome.through, "products": products})
        return
    columns = ["product", "response", "from", "to", "told", "p, corrected", "store weeks"]
    rows = [
        [
            sku,
            *(_number(value) for value in (own.slope, own.low, own.high)),
            "yes" if own.is_told else "not yet",
            own.adjusted,
            own.n_blocks,
        ]
        for sku, own in found.items()
    ]
    show_table("Percent by which sales change for a percent of price, with 95 % intervals", columns, rows)
    for sku, own in carried.items():
        said = "people stock up while it is low" if own.slope > 0 else "people come back after a low price"
        remark(
            f"Sales of {sku} answer to the price of the week before as well, by {own.slope:+.1f} ({own.low:+.1f} to "
            f"{own.high:+.1f}): {said}, so a lasting change brings {found[sku].slope + own.slope:+.1f}."
        )


def show_earned(found: "EarnedByDraws | None", effects: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print what drawn prices brought, None without any, and what came of prices that people set or approved."""
    if as_json:
        emit(({} if found is None else found.as_json()) | {"price_effects": effects})
        return
    if found is not None:
        _show_drawn(found)
    if effects:
        _show_effects(effects)


def _show_drawn(found: "EarnedByDraws") -> None:
    _show(f"Profit against your own prices, {found.first} to {found.through}", "", {"all stores": found.chain})
    if found.lately is not None:
        lately = found.lately
        _show("Lately, as few weeks as a usable interval needs", "from", {str(lately.first): lately.earned})
    _show("Week by week", "from", {str(first): own for first, own in found.weeks.items()})
    _show("Category by category", "category", found.categories)
    _show("Store by store", "store", found.stores)
    if found.waste is not None:
        _show_waste(found.waste)
    if found.unknown_costs:
        remark(
            f"What a unit costs is not known of {', '.join(found.unknown_costs)}: profit counts their revenue, and "
            "waste their disposal alone. Say `unit_cost` in products.yaml."
        )
    if found.chain.n_held == 0:
        remark("No product week was held yet, so nothing can be compared: the draw holds some of the next ones.")


def _show_effects(effects: Sequence[Mapping[str, Any]]) -> None:
    """Print what came of prices that people set or approved; a difference from a forecast is no proof."""
    columns = [
        "price change",
        "product",
        "store",
        "price",
        "instead of",
        "visits",
        "units",
        "predicted",
        "waste",
        "instead",
        "profit",
        "instead",
    ]
    amounts = ("expected_units", "waste_eur", "otherwise_waste_eur", "profit_eur", "otherwise_profit_eur")
    rows = [
        [
            own["change"],
            own["sku"],
            own["store_id"] or "every store",
            *(_number(own[name]) for name in ("price_eur", "otherwise_price_eur")),
            *("not counted" if own[name] is None else own[name] for name in ("count_visits", "count_units")),
            *(_number(own[name]) for name in amounts),
        ]
        for own in effects
    ]
    title = "Prices that people set or approved, and experiments"
    show_table(title, columns, rows)
    if (own := effects[0])["prices_in_all"]:
        brought, instead = (_number(own[f"{side}profit_in_all"]) for side in ("", "otherwise_"))
        promised = _number(own["promised_in_all"])
        say(f"In all ({own['prices_in_all']}): profit {brought}, {instead} instead; {promised} more was promised.")
    remark("What they would have brought instead is a forecast, for as many visits: a difference from it is no proof.")


def _show_waste(waste: "WasteByDraws") -> None:
    columns = ["a product week threw away", "units", "at cost"]
    sides = {"at drawn prices": waste.drawn, "held at your own prices": waste.held}
    rows = [[name, *(_number(value) for value in asdict(own).values())] for name, own in sides.items()]
    show_table("Units that were thrown away", columns, rows)
    _show("Waste, and profit less waste and nights", "", {"waste": waste.change, "profit less waste": waste.less_waste})
    if waste.n_unknown:
        remark(
            f"{waste.n_unknown} product weeks are left out of waste: their stock was not told for every day. "
            "Send deliveries, counts and what is thrown away to /v1/stock."
        )


def _show(title: str, name: str, found: "Mapping[str, EarnedProfit]") -> None:
    rows = [
        [
            key,
            *(_number(value) for value in (own.euros, own.euros_low, own.euros_high)),
            *(_percent(value) for value in (own.share, own.share_low, own.share_high)),
            own.n_held,
            own.n_treated,
        ]
        for key, own in found.items()
    ]
    show_table(title, [name, *_EARNED], rows)


def _number(value: float | None) -> str:
    return f"{value:,.2f}" if value is not None and abs(value) < float("inf") else "not known"


def _percent(value: float) -> str:
    return f"{value:+.1%}" if abs(value) < float("inf") else "not known"


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if abs(value) < float("inf") else None for name, value in values.items()}
