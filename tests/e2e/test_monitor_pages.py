"""The Models, Policies and Pipeline pages in a real browser, over a lake that was really played."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pytest
from looks import INK, fits_every_screen, in_both_schemes
from monitors import serving
from once_a_run import PlayedLoop, copy_home
from playwright.sync_api import Page, expect
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Completed, Scheduled
from shell import Terminal

from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from warehouse.lake import Lake, Partition

HOSTILE = "<script>document.title = 'stolen'</script>'); drop table x; --"
NOBODY = "http://127.0.0.1:9/api"  # nothing listens there
Serve = Callable[[Path, str], str]


def addresses(home: Path, api: str) -> dict[str, str]:
    """Return the settings of a monitor over a home, beside an orchestrator; MLflow is away."""
    nobody = NOBODY.split("/")[2]
    return {"SHELFPRICE_HOME": str(home), "PREFECT_API_URL": api, "SHELFPRICE_MLFLOW_ADDRESS": nobody}


@pytest.fixture(scope="module", autouse=True)  # before the browser, beside whose event loop no flow can run
def played(played_loop: PlayedLoop, prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home in which the pipeline ran and sellers were compared, with some rejected rows, and its orchestrator."""
    home = tmp_path_factory.mktemp("played")
    copy_home(played_loop.settings.home, home)
    few = ("--world", "classic", "--world", "200 visits", "--seeds", "1", "--days", "1")
    assert Terminal(home)("compare", *few).returncode == 0
    reject_some(home)
    return home, prefect_server


def add_newest_run(name: str) -> None:
    """Add a completed run that stays the newest, however many runs other tests make on the same server."""
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    with get_client(sync_client=True) as client:
        planned = Scheduled(scheduled_time=tomorrow)
        run = client.create_flow_run(flow(lambda: None, name="shown"), name=name, state=planned)
        client.set_flow_run_state(run.id, Completed(), force=True)


def reject_some(home: Path) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    rows = [
        {"source": "till.csv", "row_number": n, "reason": "price is negative", "row_text": HOSTILE} for n in range(1, 4)
    ]
    lake = Lake(settings)
    date = next(iter(lake.partitions("interactions"))).business_date
    table = pa.Table.from_pylist(rows, schema=TABLES["rejected"].schema)
    lake.publish(Partition("rejected", date, "till"), table, inputs="till", seed=7)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve other homes until the test and the pages it visited are over; ask for it before `visit`."""
    with ExitStack() as servers:
        yield lambda home, api: servers.enter_context(serving(read_settings(addresses(home, api))))


@pytest.fixture(scope="module")
def monitor(played: tuple[Path, str]) -> Iterator[str]:
    with serving(read_settings(addresses(*played))) as address:
        yield address


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("models", "What prices now"),
        pytest.param("policies", "What is lost while it learns, day by day", marks=pytest.mark.slow),
        pytest.param("pipeline", "Rejected rows", marks=pytest.mark.slow),
    ],
)
def test_every_page_fits_its_screen_in_light_and_dark(
    monitor: str, visit: Callable[..., Page], name: str, said: str
) -> None:
    page = visit(f"{monitor}/{name}", width=390)
    expect(page.get_by_role("heading", name=said)).to_be_visible()
    unfold(page)
    for scheme in in_both_schemes(page):
        expect(page.get_by_role("heading", name=said)).to_be_visible()
        figure = page.locator(".js-plotly-plot .xtitle").first
        expect(figure).to_have_css("fill", INK[scheme])  # figures follow light and dark
        expect(figure).to_be_visible()  # and what was opened stays open
        fits_every_screen(page)


def unfold(page: Page) -> None:
    """Open everything that a page has folded away."""
    for head in page.locator(".fold-head").all():
        head.click()


def test_the_gate_and_the_curves_are_shown_as_chosen(monitor: str, visit: Callable[..., Page]) -> None:
    page = visit(f"{monitor}/models")
    expect(page.locator(".verdict-first")).to_be_visible()
    unfold(page)
    expect(page.get_by_text("MLflow is not running")).to_be_visible()
    page.locator("#models-judged").click()
    page.get_by_role("option", name="Version 1").click()
    expect(page.locator("#models-gate")).to_contain_text("Wed 4 Mar 2026: ")
    page.locator("#models-products").press("Backspace")  # by keyboard: the last one goes
    expect(page.locator("#models-curves .js-plotly-plot")).to_have_count(4)


def test_a_world_is_chosen_and_its_learners_are_drawn(monitor: str, visit: Callable[..., Page]) -> None:
    page = visit(f"{monitor}/policies")
    expect(page.locator("#policies-world")).to_have_value("200 visits, one store")
    page.locator("#policies-world").click()
    page.get_by_role("option", name="classic, one store").click()
    expect(page.locator("#policies-regret").get_by_text("the product, as shipped")).to_be_visible()


def test_the_pipeline_shows_runs_and_rejected_rows_literally(monitor: str, visit: Callable[..., Page]) -> None:
    add_newest_run("newest-of-all")
    page = visit(f"{monitor}/pipeline")
    runs = page.locator("#pipeline-runs")
    expect(runs.get_by_text("newest-of-all")).to_be_visible()
    expect(runs.get_by_text("✓ Completed").first).to_be_visible()
    rejected = page.locator(".ag-cell", has_text="drop table x").first
    expect(rejected).to_be_visible()
    expect(page).to_have_title("Pipeline · Shelfprice")
    page.locator("#pipeline-rejected-rows .ag-root").evaluate("grid => grid.classList.add('ag-delay-render')")
    expect(rejected, "the grid's own hiding of cells, which can last for good").to_be_visible()


def test_what_is_published_while_a_page_is_open_comes_to_it(
    played: tuple[Path, str], tmp_path: Path, serve: Serve, visit: Callable[..., Page]
) -> None:
    home, api = played
    shutil.copytree(home / "lake", tmp_path / "lake")
    shutil.copy(home / "warehouse.duckdb", tmp_path)
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    page = visit(f"{serve(tmp_path, api)}/models")
    expect(page.locator("#models-content")).to_contain_text("Candidates of the newest training")
    newest = lake.read(list(lake.partitions("model_versions"))[-1])
    rows = [{**row, "version": "99", "promoted": False} for row in newest.to_pylist()]
    lake.publish(
        Partition("model_versions", None, "v99"), pa.Table.from_pylist(rows, schema=newest.schema), inputs="v99"
    )
    expect(page.locator("#models-content")).to_contain_text("Version 99")
