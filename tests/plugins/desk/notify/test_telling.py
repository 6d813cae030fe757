"""A digest that a person likes to read, sent once a morning, and a log of what was sent that SQL can ask."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mail_server import MailServer, mail_server
from price_shop import DATE, Shop
from shell import Terminal

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from etl.batches import Batch, play_batch
from etl.calendar import ONE_DAY
from plugins.desk.alerts.watch import watch
from plugins.desk.notify.digest import after_night, digest, send_digest
from plugins.desk.notify.outbox import try_channels, unsent
from plugins.desk.price_changes.propose import propose_for
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.records import NotifySettings
from serving.store.in_force import pricing_on
from warehouse.query.connection import workbench_with_marts
from warehouse.workspace import Workspace

CHEAP = PriceRequest(
    "override", "clearance", sku="MILK", store="S01", price=0.85, ignore_conflicts=True, below_cost=True
)
NOBODY = 9  # a port on which nothing listens


def told_to(shop: Shop, port: int, *, digests: bool = True) -> Workspace:
    email = {"server": "127.0.0.1", "port": port, "security": "none", "sender": "shop@example.com"}
    settings = {"email": {**email, "recipients": ["anna@example.com"]}, "digest": digests}
    store = shop.catalog.store.model_copy(update={"notify": NotifySettings.model_validate(settings)})
    return replace(shop.workspace, catalog=replace(shop.catalog, store=store))


def logged(shop: Shop) -> list[tuple[str, str, bool, str | None]]:
    with workbench_with_marts(shop.settings) as connection:
        return connection.sql("select channel, kind, is_sent, problem from notifications order by number").fetchall()


def sold_shop(folder: Path) -> Shop:
    """Return a shop with two weeks of one day each that are over, and prices for the next one that wait."""
    shop = Shop(folder, "{within_of_base: 0.0}")
    for date in (DATE, DATE + 7 * ONE_DAY):
        shop.publish(date)
        play_batch(shop.workspace, Batch(date, "g000", ("S01",)), pricing_on(shop.lake, shop.catalog, date), 7)
    shop.publish(DATE + 8 * ONE_DAY)
    propose_for(shop.workspace, DATE + 8 * ONE_DAY)
    return shop


def test_a_digest_says_what_waits_what_was_earned_and_what_needs_a_person(tmp_path: Path) -> None:
    shop = sold_shop(tmp_path)
    player = shop.sell(1, date=DATE + 8 * ONE_DAY)
    ask(shop.workspace, CHEAP, "anna")
    shop.sell(2, player)
    watch(shop.workspace)
    said = digest(shop.workspace)
    with workbench_with_marts(shop.settings) as connection:
        earned = connection.sql(
            "select sum(revenue_eur), sum(profit_eur) from daily_profit group by business_date"
        ).fetchall()
    text = " ".join(said["sentence"].replace("\n- ", " ").split())
    waiting, _, rest = text.partition(" What was earned ")
    takings, _, alerts = rest.partition(" What needs a person ")
    assert said["subject"] == str(DATE + 8 * ONE_DAY)
    assert waiting.startswith("Shelfprice, Tuesday, 27 January 2026 What waits for you ")
    assert f"{len(shop.catalog.skus) * len(shop.catalog.store.stores)} prices wait for approval" in waiting
    assert "BREAD in S01 from 1.10 EUR to 1.05 EUR (-4.5%)" in waiting
    assert waiting.endswith("And 10 more.")
    assert any(
        f"took {revenue:,.2f} EUR" in takings and f"Profit: {profit:,.2f} EUR." in takings for revenue, profit in earned
    )
    assert "against the same day of the week before" in takings
    assert "MILK is shown at 0.85 EUR in S01, below its cost of 0.90 EUR" in alerts
    assert max(map(len, said["sentence"].splitlines())) <= 76


def test_a_digest_of_an_empty_lake_says_so(tmp_path: Path) -> None:
    said = digest(Shop(tmp_path).workspace)["sentence"]
    assert said.count("Nothing") == 3


def test_a_night_sends_one_digest_a_morning_and_none_where_nobody_asks(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    assert after_night(shop.workspace) == []
    with mail_server() as server:
        assert after_night(told_to(shop, server.port, digests=False)) == []
        assert server.messages == []
        for _ in range(2):
            after_night(told_to(shop, server.port))
        assert [mail["Subject"][:10] for mail in server.messages] == ["Shelfprice"]
    assert logged(shop) == [("email", "digest", True, None)]


def test_what_a_mail_server_does_not_take_waits_and_its_failure_is_logged_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish()
    player = shop.sell(1)
    send_digest(told_to(shop, NOBODY))
    ask(shop.workspace, CHEAP, "anna")
    shop.sell(2, player)
    for _ in range(3):
        watch(told_to(shop, NOBODY))
    assert [message["kind"] for message in unsent(shop.lake)["email"]] == ["digest", "below_cost"]
    with mail_server() as server:
        watch(told_to(shop, server.port))
        watch(told_to(shop, server.port))
    assert [mail["Subject"] for mail in server.messages] == [
        "Shelfprice on the morning of 2026-01-19",
        "Shelfprice: S01 MILK needs you",
    ]
    assert unsent(shop.lake) == {}
    away = "the mail server cannot be reached (ConnectionRefusedError)"
    assert sorted(logged(shop), key=str) == [
        ("email", "below_cost", True, None),
        ("email", "digest", False, away),
        ("email", "digest", True, None),
    ]


def test_a_test_message_says_what_came_of_it_for_each_channel(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    assert try_channels(shop.workspace) == {}
    with mail_server() as server:
        assert try_channels(told_to(shop, server.port)) == {"email": None}
        assert [mail["Subject"] for mail in server.messages] == ["A test message of Shelfprice"]
        server.answers["MAIL"] = ["550 unknown sender"]
        assert try_channels(told_to(shop, server.port)) == {"email": "the mail server answered 550"}
    assert [problem for *_, problem in logged(shop)] == [None, "the mail server answered 550"]


def test_the_command_sends_the_digest_and_tries_the_channels(
    sell_two_days: Callable[[Path], Settings], terminal: Terminal, tmp_path: Path
) -> None:
    terminal.home.mkdir()
    sell_two_days(terminal.home)
    refused = terminal("alerts", "--test")
    assert refused.returncode == 1
    assert "`notify.email`" in refused.stderr
    with mail_server() as server:
        shelf = _shelf(tmp_path, server)
        sent = terminal("alerts", "--send", "--catalog", str(shelf))
        assert sent.returncode == 0, sent.stderr
        assert server.messages[0].get_content().split() == sent.stdout.split()
        server.answers["MAIL"] = ["550 no"]
        tried = terminal("alerts", "--test", "--catalog", str(shelf))
        assert tried.returncode == 1
        assert "email: it was not taken, the mail server answered 550" in tried.stdout
    assert "email,digest,True" in terminal("sql", "--csv", "select channel, kind, is_sent from notifications").stdout


def _shelf(folder: Path, server: MailServer) -> Path:
    shelf = folder / "shelf"
    shelf.mkdir()
    (shelf / "products.yaml").write_bytes((CLASSIC / "products.yaml").read_bytes())
    email = (
        f"{{server: 127.0.0.1, port: {server.port}, security: none, sender: a@b.example, recipients: [c@d.example]}}"
    )
    text = (CLASSIC / "store.yaml").read_text(encoding="utf-8")
    (shelf / "store.yaml").write_text(f"{text}\nnotify: {{email: {email}}}\n", encoding="utf-8")
    assert load(shelf).fingerprint == load(CLASSIC).fingerprint
    return shelf
