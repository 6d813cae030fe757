"""Check the champion and its prices: the registry answers, the model is fresh and holds, and tomorrow is priced."""

import datetime as dt

from catalog.errors import Check, DamagedError, ModelError
from etl.calendar import ONE_DAY
from features.cells import feature_workbench
from features.footfall import demand_shifts
from flows.workspace import now_of
from plugins.desk.price_changes.proposals import waiting_now
from plugins.own_store.draws.drawn_prices import draw_on
from serving.book.store import book_in_force
from serving.champion import Champion
from training.registry import ModelRegistry
from training.schedule import is_done
from warehouse.checks.proof import Span, prove
from warehouse.checks.whole import books_passed_over
from warehouse.databases import damage_of, sqlite_file
from warehouse.origin import sells_outside
from warehouse.partition import between
from warehouse.query.advice import next_command, on_shelf, situation_of
from warehouse.workspace import Workspace


def check_registry(workspace: Workspace, registry: ModelRegistry) -> tuple[Check, Champion | None]:
    """Ask the registry for the champion; None when it has none or does not answer."""
    file = sqlite_file(workspace.settings.tracking_uri)
    if file is not None and (damage := damage_of(file)) is not None:
        remedy = "put the file back from a backup, or move it away and run `shelfprice train`"
        return Check("registry", "failed", f"{file} is damaged ({damage}); old prices hold", remedy), None
    try:
        champion = registry.load()
    except ModelError as error:
        return Check("registry", "failed", str(error), "shelfprice up, or see MLFLOW_TRACKING_URI"), None
    if champion is None and sells_outside(workspace.lake.store, workspace.catalog.store):
        return Check("registry", "ok", "it answers; the belief prices these stores without a champion"), None
    if champion is None:
        remedy = next_command(situation_of(workspace.settings)) or "shelfprice train"
        return Check("registry", "warning", "it answers, and has no champion", remedy), None
    return Check("registry", "ok", f"it answers; champion {champion.version} loads"), champion


def check_age(workspace: Workspace, champion: Champion | None, newest: dt.date) -> list[Check]:
    """Warn of a champion that has not seen the newest days; without one there is no age."""
    if champion is None or champion.trained_through is None:
        return []
    age, allowed = (newest - champion.trained_through).days, workspace.catalog.store.gate.stale_after_days
    sentence = f"champion {champion.version} was trained through {champion.trained_through}, {age} days before {newest}"
    if age > allowed:
        return [Check("champion's age", "warning", f"{sentence}; it is stale after {allowed}", _nightly(workspace))]
    return [Check("champion's age", "ok", sentence)]


def check_drift(workspace: Workspace, champion: Champion | None, newest: dt.date) -> list[Check]:
    """Warn of a change in demand that the champion does not know; the night learns from it."""
    if champion is None:
        return []
    first = champion.trained_through + ONE_DAY if champion.trained_through else dt.date.min
    try:
        prove(workspace.lake, (Span("drift_checks", first, newest),), sets_aside=False)
    except DamagedError as error:
        return [Check("drift", "failed", str(error), "shelfprice doctor --fix")]
    with feature_workbench(workspace.settings, within=between(first, newest)) as connection:
        shifts = demand_shifts(connection, newest, champion.version)
    if shifts:
        sentence = f"demand changed on {shifts[-1]}, and champion {champion.version} does not know"
        return [Check("drift", "warning", sentence, f"{_nightly(workspace)}, and see what the gate says")]
    return [Check("drift", "ok", f"no change against champion {champion.version} was found")]


def check_prices(workspace: Workspace, champion: Champion | None, newest: dt.date) -> Check:
    """Ask for prices of the day after the newest, once that one is over; an outside store has prices of its own."""
    tomorrow = newest + ONE_DAY
    if sells_outside(workspace.lake.store, workspace.catalog.store):
        return _check_drawn(workspace, tomorrow)
    if workspace.catalog.store.guardrails.kill_switch:
        remedy = "guardrails: {kill_switch: false}, when it is safe"
        return Check("prices", "warning", "the kill switch is on: base prices everywhere", remedy)
    passed_over = books_passed_over(workspace.lake, tomorrow)
    if passed_over is not None:
        return Check("prices", "warning", passed_over.sentence, passed_over.remedy.replace("`", ""))
    found = book_in_force(workspace.lake, tomorrow)
    book = found[0] if found else None
    made_for = book.published_at.date() if book else None
    if book and made_for == tomorrow:
        return Check("prices", "ok", f"a book for {tomorrow}, by {book.policy} from version {book.model_version}")
    if is_done(workspace.lake, newest) and champion is None:
        return Check("prices", "ok", f"base prices on {tomorrow}, for no model was promoted yet")
    behind = f"the newest is for {made_for}" if made_for else "there is none"
    return Check("prices", "warning", f"no book for {tomorrow} yet, {behind}", _nightly(workspace))


def _check_drawn(workspace: Workspace, tomorrow: dt.date) -> Check:
    """Warn where the days of the newest draw are over: its prices stand, and the next ones are yet to be drawn."""
    store, now = workspace.catalog.store, now_of(workspace)
    draw = draw_on(workspace.lake, workspace.catalog, max(tomorrow, store.next_opening(now)))
    if store.guardrails.kill_switch:
        remedy = "guardrails: {kill_switch: false}, when it is safe"
        return Check("prices", "warning", "the kill switch is on: the stores' own prices stand", remedy)
    if draw is None:
        return Check("prices", "ok", "the stores' own prices stand, and none is drawn")
    sentence = f"drawn for {draw.first} to {draw.through}"
    if not store.is_priced_hourly and max(clock.date_of(now) for clock in store.clocks) > draw.through:
        remedy = f"take in what was sold since, then {_nightly(workspace)}"
        return Check("prices", "warning", f"{sentence}, and no later ones: those stand", remedy)
    return Check("prices", "ok", sentence)


def check_waiting(workspace: Workspace) -> list[Check]:
    """Say how many prices wait for a person, and what that costs; nothing where none does."""
    waiting, money = waiting_now(workspace), workspace.catalog.store.money
    sentence = None if waiting is None else waiting.in_words(money)
    if waiting is None or sentence is None:
        return []
    remedy = "" if waiting.is_over else "shelfprice changes --waiting, then shelfprice decide approve"
    return [Check("approval", "warning" if waiting.costs(money) else "ok", sentence, remedy)]


def _nightly(workspace: Workspace) -> str:
    return on_shelf("shelfprice nightly", situation_of(workspace.settings))
