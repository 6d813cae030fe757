"""The Store and Prices pages in a real browser, over a lake that is sold from while people look."""

import datetime as dt
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from looks import INK, fits_every_screen, in_both_schemes
from monitors import Orchestrator, serving
from patience import until
from playwright.sync_api import Page, expect

from catalog.errors import Declined
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from dashboard.pages.store_cards import QUIET_MS, moment
from dashboard.prefect.control import LiveRun
from etl.open_days import LiveDay
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from warehouse.lake import Lake, Partition
from warehouse.query.connection import read_only

TODAY, TOMORROW = dt.date(2026, 1, 6), dt.date(2026, 1, 7)
HOSTILE = "<script>document.title = 'stolen'</script><b>x</b>"


Serve = Callable[..., str]
Visit = Callable[..., Page]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve until the test and its browser are done: asked for before `visit`, it ends after it."""
    with ExitStack() as servers:
        yield lambda settings, **parts: servers.enter_context(serving(settings, **{"catalog_dir": CLASSIC} | parts))


@pytest.fixture(scope="module")
def sold(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return sell_two_days(tmp_path_factory.mktemp("sold"))


@pytest.fixture(scope="module")
def monitor(sold: Settings) -> Iterator[str]:
    with serving(sold, control=Orchestrator(), catalog_dir=CLASSIC) as address:
        yield address


@pytest.fixture
def copied(sold: Settings, tmp_path: Path) -> Settings:
    """A home of its own with the same two days, to write in."""
    shutil.copytree(sold.home, tmp_path, dirs_exist_ok=True)
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})


def euros(page: Page) -> float:
    return float(page.locator("#store-stats .stat-value").first.inner_text().strip("€").replace(",", ""))


def revenue_of(settings: Settings, date: dt.date) -> float:
    with read_only(settings) as warehouse:
        row = warehouse.execute(
            "select sum(price_offered) from interactions where business_date = $1 and store_id = 'S01' and purchased",
            [date],
        ).fetchone()
    return round(row[0], 2) if row else 0.0


@pytest.mark.parametrize(
    ("path", "title", "said"), [("store", "Store", "Events"), ("prices", "Prices", "Every decision")]
)
def test_a_page_fits_its_screen_in_light_and_dark(monitor: str, visit: Visit, path: str, title: str, said: str) -> None:
    page = visit(f"{monitor}/{path}", width=390)
    for scheme in in_both_schemes(page):
        expect(page.locator(".js-plotly-plot .ytitle").first).to_have_css("fill", INK[scheme])
        expect(page.get_by_role("heading", name=said)).to_be_visible()
        expect(page).to_have_title(f"{title} · Shelfprice")
        fits_every_screen(page)


def test_the_line_next_to_the_pointer_stands_out_until_the_pointer_leaves(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/store")
    figure = page.locator("#store-figure .nsewdrag").first
    expect(figure).to_be_visible()
    faded = (
        "[...document.querySelectorAll('#store-figure .scatterlayer .trace')].filter(one => one.style.opacity < 0.5)"
    )
    over = itertools.cycle([{"x": 200, "y": 100}, {"x": 203, "y": 100}])  # a figure may be drawn anew under a pointer
    until(page, f"{faded}.length > 0", between=lambda: figure.hover(position=next(over)))
    assert page.evaluate(f"{faded}.length") < page.locator("#store-figure .scatterlayer .trace").count()
    page.locator("h1").hover()
    until(page, f"{faded}.length === 0")


def test_a_tick_is_on_the_page_soon_after_it_is_published(copied: Settings, serve: Serve, visit: Visit) -> None:
    lake = Lake(copied)
    address = serve(copied, control=Orchestrator())
    page = visit(f"{address}/store")
    expect(page.locator("#store-stats .stat-value").first).to_be_visible()
    assert euros(page) == revenue_of(copied, TODAY)
    day = LiveDay("S01", TOMORROW)
    player = Player(lake, LivePrices(lake, load, day, 7), day, 7)
    player.sell_tick()
    expect(page.locator("#store-moment")).to_have_text("08:00 to 08:15")
    waits = []
    for tick in range(1, 6):
        player.sell_tick()
        published = time.monotonic()
        until(
            page,
            "start => document.querySelector('#store-moment').innerText.startsWith(start)",
            arg=f"{8 + tick // 4:02d}:{15 * (tick % 4):02d}",
        )
        waits.append(time.monotonic() - published)
    assert euros(page) == revenue_of(copied, TOMORROW)
    assert min(waits) < 0.8 * QUIET_MS / 1000, waits  # of a day that is over, a page asks no sooner than that
    while not player.is_over:
        player.sell_tick()
    player.close()
    expect(page.locator("#store-moment")).to_have_text("19:45 to 20:00")
    expect(page.locator("#store-stats .stat-value").first).to_have_text(f"€{revenue_of(copied, TOMORROW):,.2f}")
    repriced = page.locator(".event-priced, .event-explored").first
    expect(repriced).to_contain_text(re.compile("Raised|Lowered|Opened"))


def test_a_past_day_is_played_again(monitor: str, sold: Settings, visit: Visit) -> None:
    page = visit(f"{monitor}/store")
    page.locator("#store-day").click()
    page.get_by_role("option", name="Mon 5 Jan 2026").click()
    yesterday = TODAY - dt.timedelta(days=1)
    expect(page.locator("#store-stats .stat-value").first).to_have_text(f"€{revenue_of(sold, yesterday):,.2f}")
    page.get_by_label("Play the day again").click()
    moment = "document.querySelector('#store-moment').innerText"
    slider = "document.querySelector('#store-slider [role=slider]').ariaValueNow"
    until(page, f"Number({slider}) < 16")  # it began anew: the browser moves it, however late the server answers
    until(page, f"{moment} < '19:45'")
    early, seen = euros(page), page.locator("#store-moment").inner_text()
    until(page, f"seen => {moment} > seen", arg=seen)
    page.get_by_label("Play the day again").click()
    assert early <= euros(page) <= revenue_of(sold, yesterday)
    thumb = page.locator("#store-slider [role=slider]")
    thumb.press("End")
    expect(page.locator("#store-stats .stat-value").first).to_have_text(f"€{revenue_of(sold, yesterday):,.2f}")
    thumb.press("Home")
    expect(page.locator("#store-moment")).to_have_text("08:00 to 08:15")


def test_a_day_that_plays_shows_its_moments_however_late_the_server_answers(
    sold: Settings, serve: Serve, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*asked: Any) -> Any:
        time.sleep(0.8)  # the beat of the browser is half as long
        return moment(*asked)

    monkeypatch.setattr("dashboard.pages.store.moment", late)
    page = visit(f"{serve(sold)}/store?day=2026-01-05")
    expect(page.locator("#store-moment")).to_have_text("19:45 to 20:00")
    page.get_by_label("Play the day again").click()
    until(page, "document.querySelector('#store-moment').innerText < '16:00'")


def test_a_press_that_comes_with_a_pulse_is_not_lost(sold: Settings, serve: Serve, visit: Visit) -> None:
    orchestrator = Orchestrator()
    page = visit(f"{serve(sold, control=orchestrator)}/store")
    page.locator("#live-start").click()
    expect(page.locator("#live-state")).to_contain_text("selling")
    changes = {"store-live-pulse": {"n_intervals": 999}, "live-pause": {"n_clicks": 1}}
    page.evaluate("all => Object.entries(all).forEach(one => dash_clientside.set_props(...one))", changes)
    expect(page.locator("#live-pause")).to_have_text("Resume")
    assert orchestrator.asked == ["start S01 1", "pause S01"]


def test_why_a_press_was_declined_stays_to_be_read(sold: Settings, serve: Serve, visit: Visit) -> None:
    class Unwilling(Orchestrator):
        def pause(self, store: str) -> LiveRun:
            raise Declined(f"{store} cannot be paused now")

    page = visit(f"{serve(sold, control=Unwilling())}/store")
    page.locator("#live-start").click()
    page.locator("#live-pause").click()
    expect(page.locator("#live-state")).to_contain_text("S01 cannot be paused now")
    page.wait_for_timeout(5_000)  # the page looks again every two seconds
    expect(page.locator("#live-state")).to_contain_text("S01 cannot be paused now")
    page.locator("#live-stop").click()
    expect(page.locator("#live-state")).to_contain_text("stopped")
    expect(page.locator("#live-state")).not_to_contain_text("cannot be paused")


def test_every_control_asks_the_orchestrator_and_reset_asks_first(sold: Settings, serve: Serve, visit: Visit) -> None:
    orchestrator = Orchestrator()
    address = serve(sold, control=orchestrator)
    page = visit(f"{address}/store")
    expect(page.locator("#live-state")).to_contain_text("not live")
    page.locator("#live-start").click()
    expect(page.locator("#live-state")).to_contain_text("selling")
    expect(page.locator("#live-start")).to_be_disabled()
    expect(page.locator("#live-reset")).to_be_disabled()
    page.locator("#live-pause").click()
    expect(page.locator("#live-pause")).to_have_text("Resume")
    page.locator("#live-pause").click()
    expect(page.locator("#live-pause")).to_have_text("Pause")
    page.locator("#live-speed").click()
    page.get_by_role("option", name="5 ticks a second").click()
    page.wait_for_timeout(500)
    page.locator("#live-stop").click()
    expect(page.locator("#live-state")).to_contain_text("stopped")
    page.locator("#live-reset").click()
    page.locator("#live-no").click()
    expect(page.locator("#live-no")).to_be_hidden()
    assert "again S01 0.2" not in orchestrator.asked
    page.locator("#live-reset").click()
    page.locator("#live-yes").click()
    expect(page.locator("#live-state")).to_contain_text("selling")
    assert orchestrator.asked == [
        "start S01 1",
        "pause S01",
        "resume S01",
        "speed S01 0.2",
        "cancel S01",
        "again S01 0.2",
    ]


def test_with_the_orchestrator_away_the_store_is_shown_and_the_command_named(
    sold: Settings, serve: Serve, visit: Visit
) -> None:
    away = read_settings({"SHELFPRICE_HOME": str(sold.home), "PREFECT_API_URL": "http://127.0.0.1:9/api"})
    address = serve(away)
    page = visit(f"{address}/store")
    expect(page.locator("#live-state")).to_contain_text("shelfprice up")
    expect(page.locator("#live-start")).to_be_disabled()
    expect(page.locator("#store-stats .stat-value").first).to_be_visible()


@pytest.mark.parametrize("path", ["store", "prices"])
def test_without_data_the_page_names_the_command_and_then_fills_by_itself(
    path: str, sell_two_days: Callable[[Path], Settings], tmp_path: Path, serve: Serve, visit: Visit
) -> None:
    address = serve(read_settings({"SHELFPRICE_HOME": str(tmp_path)}), control=Orchestrator())
    page = visit(f"{address}/{path}")
    expect(page.get_by_text("shelfprice demo", exact=True)).to_be_visible()
    sell_two_days(tmp_path)
    expect(page.locator(".js-plotly-plot .ytitle").first).to_be_visible()
    expect(page.get_by_text("shelfprice demo", exact=True)).to_have_count(0)


def test_the_sliders_answer_from_the_price_book(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/prices")
    page.locator("#prices-product").click()
    page.get_by_role("option", name="Milk").click()
    price = page.locator(".quote-price")
    expect(page.locator("#prices-quote")).to_contain_text("Milk, when the store opens with 100 on the shelf")
    full = float(price.inner_text().strip("€"))
    page.locator("#prices-stock [role=slider]").press("Home")
    expect(page.locator("#prices-quote")).to_contain_text("Milk, with 1 left and 12 h to go")
    assert float(price.inner_text().strip("€")) > full
    page.locator("#prices-time [role=slider]").press("Home")
    expect(page.locator("#prices-quote")).to_contain_text("15 min to go")
    expect(page.locator("#prices-revenue")).to_contain_text(f"chosen, {price.inner_text()}")


def test_the_trail_is_filtered_sorted_and_saved(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/prices")
    page.locator("#prices-product").click()
    page.get_by_role("option", name="Bread").click()  # whose price changes often
    rows = page.locator("#prices-trail .ag-center-cols-container .ag-row")
    expect(rows.first).to_contain_text("Bread")
    shown = "dash_ag_grid.getApi('prices-trail').getDisplayedRowCount()"  # also those below the screen
    decisions = page.evaluate(shown)
    page.locator("#prices-trail").get_by_label("Reason Filter Input").fill("Opened")
    expect(rows).to_have_count(2)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    lines = Path(saved.value.path()).read_text(encoding="utf-8").strip().splitlines()
    assert len(lines) == 3
    assert "Opened" in lines[1]
    page.evaluate(
        "dash_ag_grid.getApi('prices-trail').forEachNode((row, at) => row.setDataValue('reason', "
        "['=1+1', '@Opened', '-Opened', 'Opened', '-3.5'][at % 5]))"
    )
    page.locator("#prices-trail").get_by_label("Reason Filter Input").fill("")
    until(page, f"decisions => {shown} === decisions", arg=decisions)  # a filter waits for the end of the typing
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert '"\'=1+1"' in text
    assert '"=' not in text
    assert not {'"@Opened"', '"-Opened"'} & set(text.split(","))


def test_a_day_before_the_first_book_says_so_and_keeps_its_trail(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/prices")
    expect(page.locator(".quote-price")).to_be_visible()
    page.locator("#prices-day").click()
    page.get_by_role("option", name="Mon 5 Jan 2026").click()
    expect(page.get_by_text("No price book for this day")).to_be_visible()
    expect(page.locator(".quote-price")).to_be_hidden()
    expect(page.locator("#prices-trail .ag-center-cols-container .ag-row").first).to_be_visible()


def test_the_kill_switch_is_said_on_both_pages(sold: Settings, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    for name in ("products.yaml", "store.yaml"):
        text = (CLASSIC / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")
    address = serve(sold, control=Orchestrator(), catalog_dir=tmp_path)
    for path in ("store", "prices"):
        page = visit(f"{address}/{path}")
        expect(page.get_by_text("The kill switch is on", exact=True)).to_be_visible()
    expect(page.get_by_text("so the base price is shown")).to_be_visible()


def test_a_hostile_name_is_shown_literally(copied: Settings, serve: Serve, visit: Visit) -> None:
    lake = Lake(copied)
    (part,) = lake.partitions("products")
    rows = lake.read(part)
    names = pa.array([HOSTILE, *rows["product_name"].to_pylist()[1:]], pa.string())
    lake.publish(part, rows.set_column(1, rows.schema.field(1), names), inputs="hostile")
    address = serve(copied, control=Orchestrator())
    for path in ("store", "prices"):
        page = visit(f"{address}/{path}")
        expect(page.locator(".js-plotly-plot .ytitle").first).to_be_visible()
        assert "stolen" not in page.title()
    page = visit(f"{address}/store")
    expect(page.locator(".product-name", has_text=HOSTILE)).to_be_visible()
    expect(page.locator("#store-figure .legendtext", has_text="<script>")).to_be_visible()


def test_a_damaged_partition_is_one_sentence_on_the_page_until_it_is_mended(
    copied: Settings, serve: Serve, visit: Visit
) -> None:
    victim = Lake(copied).path(Partition("interactions", TODAY, "all"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:500])
    address = serve(copied, control=Orchestrator())
    page = visit(f"{address}/store")
    expect(page.locator("#trouble, #page").get_by_text("shelfprice health --files").first).to_be_visible()
    assert "Traceback" not in page.content()
    victim.write_bytes(whole)
    expect(page.locator("#store-stats .stat-value").first).to_be_visible()
    expect(page.locator("#trouble")).to_be_empty()


def test_the_served_monitor_refuses_strangers_says_when_its_port_is_taken_and_stops_when_asked(sold: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dashboard", "--port", str(port)]
    world = {**os.environ, "SHELFPRICE_HOME": str(sold.home)}
    process = subprocess.Popen(command, env=world)
    try:
        address = f"http://127.0.0.1:{port}"
        limit = time.monotonic() + 240
        while True:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except urllib.error.URLError:
                assert time.monotonic() < limit, "the monitor did not answer"
                time.sleep(0.1)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(urllib.request.Request(address, headers={"Host": "evil.example"}), timeout=5)
        second = subprocess.run(command, env=world, capture_output=True, text=True, check=False, timeout=60)
        assert second.returncode == 1
        assert f"port {port} of 127.0.0.1 is taken" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("path", ["store", "prices"])
def test_no_figure_offers_to_leave_the_machine(monitor: str, visit: Visit, path: str) -> None:
    page = visit(f"{monitor}/{path}")
    expect(page.locator(".js-plotly-plot .ytitle").first).to_be_visible()
    expect(page.locator(".modebar-btn").first).to_be_attached()
    for word in ("Share", "cloud", "Cloud", "Studio"):
        expect(page.locator(f".modebar-btn[data-title*='{word}']")).to_have_count(0)
