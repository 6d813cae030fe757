"""What a store that sells by itself leaves undone is said by alerts, nights and health: silence, and other prices."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from outside_grocer import MONDAY, Grocer, NoRegistry

from catalog.errors import Check
from plugins.connect.labels.late_labels import said_of
from plugins.connect.labels.status import late_in
from plugins.desk.alerts.watch import open_alerts, watch, watch_and_tell
from plugins.operations.checks.check_up import check_up
from warehouse.lake import Partition
from warehouse.workspace import Workspace

DAY = dt.timedelta(days=1)
SUNDAY, THURSDAY = MONDAY - DAY, MONDAY + 3 * DAY


@pytest.fixture
def shop(tmp_path: Path) -> Grocer:
    """Return stores that sold three days of the first drawn week."""
    shop = Grocer(tmp_path)
    shop.night(SUNDAY)
    shop.week(MONDAY, 3)
    return shop


def at(shop: Grocer, date: dt.date) -> Workspace:
    """Return the shop's workspace after closing on a date."""
    return shop.workspace_at(f"{date}T20:30:00+00:00")


def charged(shop: Grocer, date: dt.date, other: float, reason: str = "another price") -> None:
    """Let the tills of S01 charge a price of the owner's for all that they sold on a date."""
    part = Partition("exposures", date, "intake")
    rows = shop.lake.read(part).to_pylist()
    for row in rows:
        if row["store_id"] == "S01":
            row |= {"charged_price": other, "not_ours": reason, "price": None if reason[0] == "n" else row["price"]}
    shop.lake.publish(part, pa.Table.from_pylist(rows, schema=shop.lake.read(part).schema), inputs="by hand")


def checks(workspace: Workspace) -> dict[str, Check]:
    return {check.name: check for check in check_up(workspace, NoRegistry())}  # type: ignore[arg-type]


def test_a_store_that_is_fine_raises_nothing_and_its_health_asks_for_no_champion(shop: Grocer) -> None:
    found = checks(at(shop, THURSDAY))
    assert watch(at(shop, THURSDAY)) == []
    assert {found[name].state for name in ("till feed", "prices charged", "labels", "prices")} == {"ok"}
    assert "registry" not in found
    assert not [check for check in found.values() if "champion" in check.found or "train" in check.remedy]


def test_a_feed_that_is_dead_is_said_by_alert_night_and_health_with_the_days_that_are_missing(shop: Grocer) -> None:
    late = at(shop, MONDAY + 16 * DAY)
    raised = watch(late)
    assert {(alert.kind, alert.subject) for alert in raised} == {("silent_days", f"S0{n}") for n in range(1, 5)}
    said = "S01: the last sales are of 2026-01-21, and those of 14 open days since 2026-01-22 are missing"
    assert said in raised[0].sentence
    assert "`shelfprice take-in`" in raised[0].sentence
    feed = checks(late)["till feed"]
    assert (feed.state, feed.found.count("14 open days")) == ("warning", 4)
    assert checks(late)["prices"].state == "warning", "its week is over"
    later = at(shop, MONDAY + 17 * DAY)
    assert watch(later) == [], "it is told once"
    assert [own.alert.sentence.count("15 open days") for own in open_alerts(shop.lake)] == [1] * 4
    assert any(said.startswith("S01") and "15 open days" in said for said in watch_and_tell(later)), "each night says"
    shop.week(THURSDAY, 14)
    assert {alert.kind for alert in watch(later)} | {own.alert.kind for own in open_alerts(shop.lake)} == set()


@pytest.mark.parametrize(("reason", "stood"), [("another price", "stood"), ("no price released", "no price was sent")])
def test_prices_that_the_owner_charges_by_hand_are_said_with_their_units(shop: Grocer, reason: str, stood: str) -> None:
    charged(shop, MONDAY, 9.99, reason)
    (alert,) = watch(at(shop, THURSDAY))
    assert (alert.kind, alert.subject) == ("other_prices", "S01")
    sold = [
        row
        for day in range(3)
        for row in shop.lake.read(Partition("exposures", MONDAY + day * DAY, "intake")).to_pylist()
        if row["store_id"] == "S01"
    ]
    other = sum(row["units"] for row in sold if row["not_ours"])
    assert f"{other:g} of {sum(row['units'] for row in sold):g} units of drawn products in S01" in alert.sentence
    assert "(3 products)" in alert.sentence
    assert "at 9.99 EUR where" in alert.sentence
    assert stood in alert.sentence
    assert checks(at(shop, THURSDAY))["prices charged"].state == "warning"


def test_a_shop_to_which_nobody_sent_a_sale_yet_is_told_how_tills_send_them(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    for table in ("unit_sales", "exposures"):
        for part in list(shop.lake.partitions(table)):
            shop.lake.remove(part)
    assert checks(at(shop, MONDAY))["decisions"].remedy.startswith("shelfprice take-in")
    assert watch(at(shop, MONDAY)) == []


def test_labels_that_never_answered_are_counted_and_no_lower_price_is_claimed(shop: Grocer) -> None:
    from plugins.connect.labels.export import export
    from plugins.connect.labels.targets import FolderTarget

    opens = shop.workspace_at(f"{THURSDAY}T06:00:00+00:00")
    export(opens, FolderTarget(shop.folder.parent / "labels"))
    late = at(shop, THURSDAY)
    (alert,) = [alert for alert in watch(late) if alert.subject == "S01"]
    assert "6 tills and labels of S01 have never said what they show" in alert.sentence
    assert "lower price" not in alert.sentence
    assert said_of(late, late_in(late)["S01"]) in checks(late)["labels"].found
