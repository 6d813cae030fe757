"""The product as shipped, as people read it and as it is kept: regret beside its peers, and what its gate did."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from catalog.tables.contracts import TABLES
from plugins.evaluation.as_shipped.learner_regret import (
    Period,
    against_best_peer,
    brought_by_models,
    gate_record,
    lost_until_champion,
    nights_until,
    periods_of,
    regret,
    worst_week,
)
from plugins.evaluation.as_shipped.lived_days import OWNERS_PRICE, TITLES, AsShipped, LivedDay
from plugins.evaluation.reporting import Rows, mean_where_it_came, records, table_of
from plugins.evaluation.study import Study, log_study
from warehouse.lake import Partition
from warehouse.workspace import Workspace

_NOTHING = 0.001  # share of the attainable


def regret_rows(lived: AsShipped) -> Rows:
    """Return columns and rows of the regret, one row per world and learner, the product first."""
    periods = periods_of(lived.question.days)
    rows = [
        [
            world.name,
            TITLES.get(learner, learner),
            *(regret(lived.days, world.name, learner, period).percent() for period in periods),
            "" if learner == OWNERS_PRICE else f"{100 * worst_week(lived.days, world.name, learner):+.2f}",
        ]
        for world in lived.question.worlds
        for learner in lived.learners
    ]
    return ["world", "learner", *(period.title for period in periods), "worst week against the owner's price"], rows


def waste_rows(lived: AsShipped) -> Rows:
    """Return columns and rows of what a store day brought and what was thrown away, where stock lives on.

    One row per world and learner; amounts are means over days, stores and seeds. Where profit counts,
    one more says what the clairvoyant earned.
    """
    rows = []
    for world in lived.question.worlds:
        if world.catalog.stock_rules is None:
            continue
        money, objective = world.catalog.store.money, world.catalog.store.policies.objective
        base = _own_days(lived, world.name, OWNERS_PRICE)
        for learner in lived.learners:
            days = _own_days(lived, world.name, learner)
            store_days = sum(day.count_stores for day in days)
            gain, waste = (sum(getattr(day, name) for day in days) / store_days for name in ("gain_eur", "waste_eur"))
            gone = sum(day.units + day.spoiled for day in days)
            rows.append(
                {
                    "world": world.name,
                    "learner": TITLES.get(learner, learner),
                    f"{objective} a day": money.format_sum(gain),
                    "more than the owner's price in": f"{_seeds_ahead(days, base)} seeds",
                    "waste a day": money.format_sum(waste),
                    "units thrown away": f"{sum(day.spoiled for day in days) / max(gone, 1):.1%}",
                }
            )
        if objective == "profit":
            best = sum(day.clairvoyant_eur for day in base) / sum(day.count_stores for day in base)
            of_nobody = dict.fromkeys(rows[-1], "") | {"world": world.name, "learner": "clairvoyant"}
            rows.append(of_nobody | {"profit a day": money.format_sum(best)})
    return table_of(rows)


def _own_days(lived: AsShipped, world: str, learner: str) -> list[LivedDay]:
    return [day for day in lived.days if (day.world, day.learner) == (world, learner)]


def _seeds_ahead(days: Sequence[LivedDay], base: Sequence[LivedDay]) -> str:
    """Say in how many seeds some days earned more than others, out of how many."""
    seeds = dict.fromkeys(day.seed for day in days)
    gains = [[sum(day.gain_eur for day in group if day.seed == seed) for group in (days, base)] for seed in seeds]
    return f"{sum(gain > least for gain, least in gains)} of {len(seeds)}"


def peer_rows(lived: AsShipped) -> Rows:
    """Return columns and rows of the product's regret less that of the best peer, in points, one row per world."""
    periods, rows = periods_of(lived.question.days), list[list[Any]]()
    for world in lived.question.worlds:
        best = [against_best_peer(lived.days, world.name, period) for period in periods]
        rows.append([world.name, *(f"{less.percent('+.2f')}, {peer}" for peer, less in best)])
    return ["world", *(period.title for period in periods)], rows


def models_in_words(lived: AsShipped) -> str:
    """Say in a sentence what the models brought beyond the belief alone, once its first weeks are over."""
    periods = periods_of(lived.question.days)
    period = next((shown for shown in reversed(periods) if shown.first > 1), periods[-1])
    brought, nothing = list[str](), list[str]()
    for world in lived.question.worlds:
        share = brought_by_models(lived.days, world.name, period)
        if abs(share.mean) < _NOTHING:
            nothing.append(world.name)
        else:
            brought.append(f"{share.percent('+.2f')} % in {world.name}")
    parts = [", ".join(brought), f"nothing in {', '.join(nothing)}" if nothing else ""]
    sentences = "; ".join(part for part in parts if part)
    return f"beyond the belief alone, models brought on {period.title}, as shares of the attainable: {sentences}"


def gate_rows(lived: AsShipped) -> Rows:
    """Return columns and rows of how soon the product priced, and what its gate did, one row per world.

    Worlds that ship have a currency of their own; where there are two, each amount says its own.
    """
    rows, moneys = [], {world.catalog.store.money for world in lived.question.worlds}
    lost_until_then = "lost until then" if len(moneys) > 1 else f"lost until then, {next(iter(moneys)).code}"
    for world in lived.question.worlds:
        gate, lost = gate_record(lived.days, world.name), lost_until_champion(lived.days, world.name)
        code = f" {world.catalog.store.currency}" if len(moneys) > 1 else ""
        rows.append(
            {
                "world": world.name,
                "nights until belief or champion priced": mean_where_it_came(
                    nights_until(lived.days, world.name, "belief", "champion")
                ),
                "nights until a champion priced": mean_where_it_came(nights_until(lived.days, world.name, "champion")),
                lost_until_then: f"{lost.mean:,.0f}{code}",
                "versions judged": gate.judged,
                "promoted": gate.promoted,
                "promoted falsely": gate.false_promotions,
                "promoted where clearly better": f"{gate.better_promoted} of {gate.clearly_better}",
                "true gain within its 95 % interval": f"{gate.held} of {gate.intervals}",
            }
        )
    return table_of(rows)


def as_json(lived: AsShipped) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        "days": lived.question.days,
        "seeds": lived.question.seeds,
        "stores": lived.question.stores,
        "table": records(regret_rows(lived)),
        "waste": records(waste_rows(lived)),
        "worlds": [_world(lived, world.name, world.description) for world in lived.question.worlds],
        "lived": [asdict(day) for day in lived.days],
        "mlflow_run_id": lived.run_id,
    }


def keep_as_shipped(workspace: Workspace, lived: AsShipped) -> AsShipped:
    """Keep every lived day in the lake and regret in MLflow, in place of an earlier answer; return it with its run."""
    question, rows = lived.question, [asdict(day) for day in lived.days]
    worlds = [(world.name, world.catalog.fingerprint) for world in question.worlds]
    size = {"days": question.days, "seeds": question.seeds, "stores": question.stores}
    study = Study(
        name=f"as shipped: {len(worlds)} worlds, " + ", ".join(f"{count} {name}" for name, count in size.items()),
        description="The product, gate and all, and its peers from a store's first day on.",
        parameters={"worlds": [name for name, _ in worlds], **size},
        metrics={
            f"regret/{_as_metric(name)}/{learner}/{_days(period)}": regret(lived.days, name, learner, period).mean
            for name, _ in worlds
            for learner in lived.learners
            for period in periods_of(question.days)
        },
        figures={},
        tables={"lived": pd.DataFrame(rows)},
    )
    inputs, now = hashlib.sha256(repr((worlds, *size.values())).encode()).hexdigest(), dt.datetime.now(dt.UTC)
    filled = pa.Table.from_pylist(
        [row | {"lived_at": now} for row in rows], schema=TABLES["regret_by_day_history"].schema
    )
    workspace.lake.publish(Partition("regret_by_day_history", None, inputs[:16]), filled, inputs=inputs)
    return replace(lived, run_id=log_study(workspace.settings, study))


def _world(lived: AsShipped, world: str, description: str) -> dict[str, Any]:
    days, periods = lived.days, periods_of(lived.question.days)
    best = [(period._asdict(), *against_best_peer(days, world, period)) for period in periods]
    return {
        "world": world,
        "description": description,
        "learners": [
            {
                "learner": learner,
                "regret": [period._asdict() | regret(days, world, learner, period).finite() for period in periods],
                "worst_week_against_base": worst_week(days, world, learner),
            }
            for learner in lived.learners
        ],
        "against_best_peer": [period | {"peer": peer} | less.finite() for period, peer, less in best],
        "nights_until_priced": nights_until(days, world, "belief", "champion"),
        "nights_until_champion": nights_until(days, world, "champion"),
        "models_brought": [period._asdict() | brought_by_models(days, world, period).finite() for period in periods],
        "lost_until_champion_eur": lost_until_champion(days, world).finite(),
        "gate": asdict(gate_record(days, world)),
    }


def _days(period: Period) -> str:
    return f"{period.last}" if period.first == 1 else f"{period.first}-{period.last}"


def _as_metric(name: str) -> str:
    """Return a world's name in the letters that MLflow takes."""
    return name.replace(",", "").replace("%", "percent")
