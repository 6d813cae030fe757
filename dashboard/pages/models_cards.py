"""The cards of Models: versions and verdicts, curves, calibration and drift."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.metrics import Metric, calibration_error, heard_in_words
from catalog.names import AS_GOOD_AS_BELIEF, EARNS_MORE_THAN_BASE
from dashboard.components import aria, card, chart, empty, fold, framed_table, stat, table
from dashboard.data.versions import (
    AskedByGate,
    Version,
    by_price,
    champion_of,
    metrics_of,
    reliability,
    run_link,
    version_link,
)
from dashboard.figures import models as figures
from dashboard.formats import UNKNOWN, count, day, days, euros, points
from dashboard.monitor import Monitor
from dashboard.theme import Scheme
from warehouse.query.advice import on_shelf


def curves_of(
    curves: pd.DataFrame,
    observed: pd.DataFrame,
    names: dict[str, str],
    skus: Sequence[str],
    scheme: Scheme,
    command: str | None,
) -> Component:
    """Draw the demand curve of each product with what was observed, newest curve in front.

    `command` is what to run where there is no curve at all.
    """
    panels: list[Component] = []
    for position, sku in enumerate(skus):
        curve, seen = curves[curves["sku"] == sku], observed[observed["sku"] == sku]
        if curve.empty:
            continue
        label = names.get(sku, sku)
        drawn = chart(f"models-curve-{position}", f"Demand for {label}", figures.demand(curve, by_price(seen), scheme))
        panels.append(html.Div([dmc.Text(label, fw=600, size="sm", truncate=True), drawn]))
    if not panels:
        text = "They are drawn from the champion when a day is priced."
        return empty("No demand curves yet", text, command if curves.empty else None)
    return html.Div(panels, className="grid grid-3")


def calibration_card(seen: pd.DataFrame, scheme: Scheme) -> Component:
    """Show predicted against observed shares on the days the curves were made for.

    Parameters
    ----------
    seen
        What shoppers did on those days, as `dashboard.data.versions.predicted` returns it.
    """
    title = "Predicted and observed"
    if seen.empty:
        return card(title, dmc.Text("No day that a champion priced is over yet.", c="dimmed", size="sm"))
    drawn = figures.reliability(reliability(seen), scheme)
    return card(
        title,
        chart("models-reliability", "Observed over predicted share of purchases", drawn),
        caption=f"Look for points on the diagonal. {count(seen['n_offered'].sum())} decisions on the newest "
        f"{seen['business_date'].nunique()} priced days, which their model had not seen; lines are 95 % intervals.",
    )


TABLES = ("drift_checks", "model_versions", "booked_prices")
_STEPS = 12


def drift_fold(monitor: Monitor) -> Component:
    """Show whether demand is still as the champion predicts, and each step from a change to new prices."""
    days = monitor.reader.ask("drift_by_day", ("drift_checks", "products"), n_days=1)
    title = "Is demand still as predicted?"
    if days.empty:
        now = monitor.situation()
        sentence = (
            f"No day has been checked for drift yet. `{on_shelf('shelfprice nightly', now)}` checks the last days."
        )
        if not now.has_champion:
            sentence = "No day has been checked for drift: there is no champion yet to compare the days with."
        return fold(title, sentence)
    steps = monitor.reader.ask("healing_steps", TABLES, most=_STEPS)
    finding = "Every product sells as predicted." if steps.empty else f"Demand changed: {len(steps)} steps since."
    return fold(
        title,
        finding,
        html.Div(recovery_steps(steps), id="models-recovery"),
        caption="The share bought is held against the champion's chance of sale each day; drift_checks has it.",
    )


def recovery_steps(steps: pd.DataFrame) -> list[Component]:
    """List the steps from a change in demand to new prices, the newest first."""
    if steps.empty:
        return [dmc.Text("Every product sells as its champion predicts.", size="sm")]
    lines = [_step(row) for row in steps.to_dict(orient="records")]
    return [html.Ol([html.Li(line, className="event-text") for line in lines], className="steps")]


def _step(row: Mapping[Any, Any]) -> Sequence[Component | str]:
    date, since = (day(pd.Timestamp(str(row[name])).date()) for name in ("date", "since"))
    version = row["version"]
    sentences = {
        1: f": drift in {row['skus']} since {since}; version {version} no longer holds, and a new model is requested",
        2: f": version {version} was trained on the days since {since} and "
        + ("became champion" if row["promoted"] is True else "was not promoted"),
        3: f": first prices of version {version}",
    }
    return [html.Strong(date), sentences[row["step"]]]


_BEFORE = {AS_GOOD_AS_BELIEF: "the belief without a model", EARNS_MORE_THAN_BASE: "base prices"}
_TWO_SIDED = 1.96  # standard errors of a 95 % interval


def model_verdict(versions: Sequence[Version], changes: pd.DataFrame, trainings: str | None = None) -> Component:
    """Say it in sentences, the most important in large type.

    Parameters
    ----------
    versions
        The newest first, at least one.
    changes
        Rows of the query `champion_history`.
    trainings
        Address of MLflow's page of them; None where nothing serves it.
    """
    champion, newest = champion_of(versions), versions[0]
    if champion is None:
        lines = ["No model sets prices: base prices stand, or the belief that learns from each hour."]
    else:
        lines = [
            f"Version {champion.number} sets prices, since {day(champion.decided_at)}.",
            f"When it was judged, {_gain(champion)}. {_earned(changes)}".strip(),
        ]
        if heard := heard_in_words(champion.metrics):
            lines.append(heard)
    if newest is not champion:
        lines.append(_fate(newest))
    refused = next((version for version in versions if version.outcome == "refused"), None)
    if refused is None:
        lines.append("No version was refused.")
    elif refused is not newest:
        lines.append(f"The last one refused: {_fate(refused)}")
    first, *others = lines
    words = [dmc.Text(first, className="verdict-first"), *(dmc.Text(line, className="verdict-line") for line in others)]
    link = dmc.Anchor("Every training in MLflow", href=trainings, target="_blank", size="sm") if trainings else None
    return card("What prices now", *words, right=link)


def _gain(version: Version) -> str:
    """Say what the gate expected a version to earn more than what priced before, on which it decided."""
    names = {condition.name for condition in version.conditions}
    before = next((words for name, words in _BEFORE.items() if name in names), "the champion of that day")
    believed = (version.money or {}).get("believed") or {}
    mean, spread = believed.get("mean"), believed.get("spread")
    if mean is None or spread is None:
        return f"what it would earn more than {before} was not known"
    low, high = mean - _TWO_SIDED * spread, mean + _TWO_SIDED * spread
    expected = f"{_more(mean)} a store day than {before}" if euros(abs(mean)) != euros(0) else f"as much as {before}"
    return f"it was expected to earn {expected}, with 95 % certainty between {_more(low)} and {_more(high)}"


def _more(amount: float) -> str:
    return f"{euros(abs(amount))} {'less' if amount < 0 else 'more'}"


def _earned(changes: pd.DataFrame) -> str:
    """Say what the champion sold a store day, and the one before it; empty before its first day."""
    sold = [row for row in changes.to_dict(orient="records") if row["count_store_days"] > 0]
    if not sold or sold[0]["change"] != changes["change"].max():
        return ""
    a_day = [euros(row["revenue_eur"] / row["count_store_days"]) for row in sold[:2]]
    before = f", on other days version {sold[1]['version']} sold for {a_day[1]}" if len(a_day) > 1 else ""
    return f"Since then it has sold for {a_day[0]} a store day{before}."


def _fate(version: Version) -> str:
    """Say what the gate said of a version that sets no prices, and why."""
    named, unmet = f"Version {version.number}", [condition for condition in version.conditions if not condition.met]
    if version.outcome == "refused":
        missed = f"{unmet[0].name} ({unmet[0].found})"
        return f"{named} was refused on {day(version.decided_at)}, for this is not met: {missed}."
    if version.outcome == "waits":
        return f"{named} is sound and waits: {_gain(version)}."
    return f"{named} was promoted on {day(version.decided_at)} and sets prices no longer."


def model_health(versions: Sequence[Version], newest_date: dt.date | None, seen: pd.DataFrame) -> Component:
    """Show the champion, its age, the newest verdict and how well its chances hold.

    Parameters
    ----------
    versions
        The newest first, at least one.
    newest_date
        Newest business date in the lake.
    seen
        What shoppers did on the days the curves were made for, as `dashboard.data.versions.predicted` returns it.
    """
    champion, newest = champion_of(versions), versions[0]
    met = sum(condition.met for condition in newest.conditions)
    sentence = f"version {newest.number}: {met} of {len(newest.conditions)} conditions met"
    gate = stat("Newest verdict", newest.outcome, None, sentence)
    if champion is None:
        return html.Div([stat("Champion", "none", None, "base prices stand"), gate], className="grid grid-4")
    age = days((newest_date - champion.trained_through).days) if newest_date else UNKNOWN
    family = f"{champion.candidate.replace('_', ' ')}, since {day(champion.decided_at)}"
    named = stat("Champion", f"Version {champion.number}", None, family)
    aged = stat("Model age", age, None, f"trained through {day(champion.trained_through)}")
    return html.Div([named, aged, gate, _calibration(champion, seen)], className="grid grid-4")


def _calibration(champion: Version, seen: pd.DataFrame) -> Component:
    decided = seen[seen["model_version"].astype(str) == champion.number]
    error = calibration_error(decided["p_sale"].to_numpy(dtype=float), decided)
    since = f"{points(error)} on the days it priced" if math.isfinite(error) else "its first day is not over"
    judged = points(champion.metrics.get("calibration_error", float("nan")))
    return stat("Predicted chances are off by", judged, None, f"on held-out days; {since}")


_WORDS = {
    "promoted_by_gate": ("promoted", "ocean"),
    "promoted_by_hand": ("by hand", "grape"),
    "rolled_back": ("rolled back", "orange"),
    "found": ("found", "gray"),
}


def timeline(versions: Sequence[Version], scheme: Scheme) -> Component:
    """Show which version was champion when."""
    return card(
        "Champions over time",
        chart("models-history", "Log loss of every judged version over time", figures.history(versions, scheme)),
        caption="Look for a line that does not climb. Each version is judged on the days before its date, so days that "
        "are harder to predict raise every version of that time.",
    )


def changes(rows: pd.DataFrame) -> list[Component]:
    """List the changes of champion, the newest first; nothing before the first of them.

    Parameters
    ----------
    rows
        Rows of the query `champion_history`.
    """
    if rows.empty:
        return []
    names = ("Prices from", "Version", "Change", "Decided by", "Revenue a store day", "Reason")
    return [
        fold(
            "Changes of champion",
            f"{len(rows)} so far, the newest on {day(pd.Timestamp(rows['decided_at'].iloc[0]).date())}.",
            table(names, [_row(row) for row in rows.to_dict(orient="records")], width=760),
            caption="A version that was rolled back returns only when someone promotes it by hand; the next model is "
            "judged on days sold since. `shelfprice champions rollback --reason WHY` goes one champion back.",
        )
    ]


def _row(row: dict[Any, Any]) -> list[Component | str]:
    what, colour = _WORDS.get(row["action"], (str(row["action"]), "gray"))
    store_days = int(row["count_store_days"])
    return [
        day(pd.Timestamp(row["prices_from"]).date()),
        str(row["version"]),
        dmc.Badge(what, color=colour, variant="light", size="sm", tt="none"),
        html.Span(str(row["decided_by"]), title=f"{row['decided_at']:%Y-%m-%d %H:%M} UTC"),
        euros(row["revenue_eur"] / store_days) if store_days else UNKNOWN,
        dmc.Text(str(row["reason"]), size="sm", lineClamp=3),
    ]


_BADGES = {
    "champion": ("ocean", "filled"),
    "was champion": ("ocean", "light"),
    "waits": ("yellow", "light"),
    "refused": ("gray", "light"),
}


def verdict(version: Version) -> Component:
    """Show the verdict about a version, unmet conditions first, and what to know of the estimate of its gain."""
    lines = sorted(version.conditions, key=lambda condition: condition.met)
    decided = f"{day(version.decided_at)}: {version.sentence}."
    parts: list[Component] = [
        html.Div([status_badge(version), dmc.Text(decided, size="sm")], className="verdict"),
        html.Ul([_condition(condition) for condition in lines], className="conditions"),
    ]
    if version.money and (warning := version.money.get("off_policy", {}).get("warning")):
        parts.append(dmc.Text(f"Warning: {warning}.", size="sm"))
    return html.Div(parts)


def status_badge(version: Version) -> Component:
    """Show where a version stands."""
    drawn, variant = _BADGES[version.status]
    return dmc.Badge(version.status, color=drawn, variant=variant, size="sm", tt="none")


def _condition(condition: AskedByGate) -> Component:
    sign, words, look = ("✓", " met: ", "met") if condition.met else ("✗", " not met: ", "unmet")
    name = html.Strong(condition.name.capitalize())
    Span = html.Span([name, html.Span(words, className=look), condition.found])
    return html.Li([html.Span(sign, className="mark", **aria(hidden="true")), Span], className=f"condition {look}")


def side_by_side(versions: Sequence[Version], pages: str | None) -> Component:
    """Compare versions metric by metric, the best of a row marked, with links where MLflow has `pages`."""
    named: list[tuple[str, list[Any]]] = [
        ("Trained through", [_short(version.trained_through) for version in versions]),
        ("Judged through", [_short(version.judged_through) for version in versions]),
        ("In MLflow", [_links(version, pages) for version in versions]),
    ]
    heads = [[html.Div(f"Version {version.number}"), status_badge(version)] for version in versions]
    rows = [
        *_metric_rows(metrics_of(versions), [version.metrics for version in versions]),
        *([dmc.TableTh(name), *(dmc.TableTd(cell, className="number") for cell in cells)] for name, cells in named),
    ]
    return _by_metric(heads, rows)


def candidates(version: Version) -> Component:
    """Compare the candidates of the training that a version came from: all judged on the same days."""
    judged = version.candidates
    metrics = [metric for metric in metrics_of((version,)) if any(metric.name in scores for scores in judged.values())]
    heads = [[html.Div(name.replace("_", " ")), *_registered(name, version)] for name in judged]
    return _by_metric(heads, _metric_rows(metrics, list(judged.values())))


def no_pages_hint() -> Component:
    """Say how to open MLflow's pages while nothing serves them."""
    message = ["MLflow is not running: ", dmc.Code("shelfprice up"), " starts it and links each version to its run."]
    return dmc.Text(message, size="xs", c="dimmed", mt="xs")


def _by_metric(heads: Sequence[list[Component]], rows: Sequence[Sequence[Component]]) -> Component:
    head = [dmc.TableTh("Metric"), *(dmc.TableTh(cell, className="number") for cell in heads)]
    return framed_table(head, rows, 130 + 106 * len(heads))


def _metric_rows(metrics: Sequence[Metric], scores: Sequence[dict[str, float]]) -> list[list[Component]]:
    return [_metric_row(metric, [score.get(metric.name, float("nan")) for score in scores]) for metric in metrics]


def _metric_row(metric: Metric, values: Sequence[float]) -> list[Component]:
    finite = [round(value, 4) for value in values if math.isfinite(value)]
    best = None
    if len(values) > 1 and finite and metric.better and len(set(finite)) > 1:
        best = min(finite) if metric.better == "lower" else max(finite)
    star = html.Span(" ★", className="best", title="best of the row", **aria(label="best of the row"))
    arrow = {"lower": "↓", "higher": "↑", None: ""}[metric.better]
    sentences = [
        [f"{value:.4f}" if math.isfinite(value) else UNKNOWN, *([star] if round(value, 4) == best else [])]
        for value in values
    ]
    named = html.Span(metric.label, className="named", title=metric.says or metric.name)
    direction = html.Span(arrow, className="arrow", **aria(label=f"{metric.better} is better" if metric.better else ""))
    return [dmc.TableTh([named, direction]), *(dmc.TableTd(cell, className="number") for cell in sentences)]


def _registered(name: str, version: Version) -> list[Component]:
    if name != version.candidate:
        return []
    return [dmc.Badge(f"registered as {version.number}", color="ocean", variant="light", size="sm", tt="none")]


def _short(date: dt.date) -> str:
    return f"{date.day} {date:%b %Y}"


def _links(version: Version, pages: str | None) -> Component:
    if pages is None:
        return dmc.Text(f"run {version.run_id[:8]}", size="sm", c="dimmed")
    addresses = {
        "version": version_link(pages, version.number),
        "run": run_link(pages, version.run_id),
        "training": run_link(pages, version.training_run_id),
    }
    links = [dmc.Anchor(name, href=address, target="_blank", size="sm") for name, address in addresses.items()]
    return html.Div(links, className="links")
