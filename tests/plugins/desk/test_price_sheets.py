"""Prices as CSV and XLSX: what is written comes back, each conflict is named by line, and all or none is recorded."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from price_shop import Shop, open_in_the_morning
from python_calamine import CalamineWorkbook
from shell import Terminal
from workbooks import wide_workbook, workbook

from catalog.currency import EUR
from catalog.errors import DataError, Declined
from dashboard.data.desk import acts
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import sheet_of
from dashboard.data.reader import Reader
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.price_sheets.files import KINDS, MOST_BYTES, MOST_ROWS, read, written
from plugins.desk.price_sheets.lines import lines_of

_TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12).map(str.strip).filter(bool)
_HOSTILE = ("=1+1", "+1", "-1", "@sum", "\t=1", "\uff1d1")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> PriceDesk:
    """A desk that opens on the day after one that was sold; its tests record nothing."""
    return desk_in(tmp_path_factory.mktemp("sheets"))


def desk_in(folder: Path) -> PriceDesk:
    shop = Shop(folder, changed=open_in_the_morning).opened(0)
    return shop.desk()


def filled(desk: PriceDesk, new: Mapping[str, dict[str, str]], delimiter: str = ",") -> bytes:
    """Return the desk's table as CSV with some cells filled in, by the ids of rows."""
    lines = list(csv.DictReader(io.StringIO(sheet_of(desk.sheet().rows, "csv").decode("utf-8-sig"))))
    sink = io.StringIO()
    out = csv.DictWriter(sink, list(lines[0]), delimiter=delimiter)
    out.writeheader()
    out.writerows(line | new.get(f"{line['store']}|{line['sku']}", {}) for line in lines)
    return sink.getvalue().encode()


def against(desk: PriceDesk, content: bytes) -> str:
    """Return what speaks against the only line of a sheet that sets a price."""
    [line] = lines_of(desk.workspace, content)
    return "; ".join(line.problems)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_that_comes_back_as_it_was_written_records_nothing(opened: PriceDesk, kind: str) -> None:
    content = sheet_of(opened.sheet().rows, kind)
    assert [(said["store"], said["sku"]) for _, said in read(content)] == [
        (row.store, row.sku) for row in opened.sheet().rows
    ]
    assert acts.record_sheet(opened, content, "as it was") == "Nothing to record: no line of the sheet has a new price."
    assert all_changes(opened.workspace.lake) == []


@given(st.data())
def test_whichever_cells_are_filled_in_those_lines_alone_set_a_price(opened: PriceDesk, data: st.DataObject) -> None:
    ids = [row.id for row in opened.sheet().rows]
    new = data.draw(st.dictionaries(st.sampled_from(ids), st.sampled_from(("1,29", "1.4", " 2 "))))
    content = filled(
        opened, {name: {"new_price": price} for name, price in new.items()}, data.draw(st.sampled_from(";,\t"))
    )
    found = {
        f"{line.request.store}|{line.request.sku}": line.request.price
        for line in lines_of(opened.workspace, content)
        if line.request
    }
    assert found == {name: float(price.replace(",", ".")) for name, price in new.items()}


@given(st.lists(st.tuples(_TEXT, _TEXT), max_size=4))
def test_no_text_of_a_csv_is_run_as_a_formula_and_all_of_it_comes_back(rows: list[tuple[str, str]]) -> None:
    rows = [*rows, *((text, text) for text in _HOSTILE)]
    columns = {"store": 9, "sku": 9, "new_price": 9}
    content = written("csv", columns, [[*row, None] for row in rows], EUR)
    cells = [cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in line]
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        for cell in cells
    )
    assert [said["sku"].removeprefix("'").strip() for _, said in read(content)] == [
        sku.removeprefix("'").strip() for _, sku in rows
    ]


def test_a_workbook_holds_texts_and_numbers_and_no_formula() -> None:
    content = written(
        "xlsx", {"store": 9, "sku": 9, "now": 9, "new_price": 9}, [["S01", text, 1.5, None] for text in _HOSTILE], EUR
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    cells = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[1:3] for row in cells[1:]] == [[text, 1.5] for text in _HOSTILE]


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        ({"sku": "MILKK"}, "unknown sku 'MILKK'. Did you mean MILK?"),
        ({"store": "S99"}, "unknown store 'S99'"),
        ({"new_price": "cheap"}, "'cheap' is not a price"),
        ({"new_price": "1.2345"}, "expected a price in whole cents"),
        ({"new_price": "0.50"}, "0.50 EUR is below its cost, 0.90 EUR; 0.50 EUR is below its floor"),
        ({"new_price": "9"}, "9.00 EUR is above its ceiling"),
        ({"from": "2026-02-03", "through": "02.02.2026"}, "it ends on 2026-02-02, before it begins on 2026-02-03"),
        ({"from": "soon"}, "'soon' is not a date"),
        ({"through": "2025-01-01"}, "expected an end after"),
        ({"through": "9999-12-31"}, "expected a time of the years 1970 to 2100"),
        ({"from": "9999-12-31", "through": "31.12.9999"}, "expected a time of the years 1970 to 2100"),
        ({"from": "0001-01-01"}, "expected a time of the years 1970 to 2100"),
    ],
)
def test_what_speaks_against_a_line_is_named_before_anything_is_recorded(
    opened: PriceDesk, cells: dict[str, str], named: str
) -> None:
    assert named in against(opened, filled(opened, {"S01|MILK": {"new_price": "1.29"} | cells}))


def test_a_line_that_is_there_twice_and_another_order_that_holds_are_named_and_nothing_is_recorded(
    tmp_path: Path,
) -> None:
    desk = desk_in(tmp_path)
    twice = filled(desk, {"S01|MILK": {"new_price": "1.29"}, "S01|EGGS": {"sku": "MILK", "new_price": "1.30"}})
    assert [line.told.problem is None for line in lines_of(desk.workspace, twice)] == [True, False]
    with pytest.raises(Declined, match=r"line \d+: Milk in S01: expected one override at a time, found two"):
        acts.record_sheet(desk, twice, "spring leaflet")
    assert all_changes(desk.workspace.lake) == []
    held = ask(desk.workspace, PriceRequest("override", "a rival is cheaper", "MILK", "S01", 1.4), "ben").changes[0]
    both = filled(desk, {"S01|MILK": {"new_price": "1.29"}, "S02|EGGS": {"new_price": "1.1"}})
    assert f"{held.id}, an override at 1.40 EUR in S01 by ben" in lines_of(desk.workspace, both)[0].problems[0]
    with pytest.raises(Declined, match=r"Milk in S01: .*nothing was recorded"):
        acts.record_sheet(desk, both, "spring leaflet")
    assert acts.record_sheet(desk, both, "spring leaflet", ignore_conflicts=True).startswith("2 prices set by a sheet.")
    recorded = all_changes(desk.workspace.lake)[-2:]
    assert {(one.terms.sku, one.terms.new_price, one.terms.reason) for one in recorded} == {
        ("MILK", 1.29, "spring leaflet"),
        ("EGGS", 1.1, "spring leaflet"),
    }


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "expected the columns store, sku, new_price once each, found none"),
        (b"store,sku,new_price,new_price\n", "once each"),
        (b"store,sku,new_price\n" + b"S01,MILK,1\n" * (MOST_ROWS + 1), "expected at most 20,000 rows"),
        (b"x" * (MOST_BYTES + 1), "expected at most 2,500,000 bytes"),
        (b"PK\x03\x04 no workbook", "damaged, protected or too large"),
        (wide_workbook(300, 5_000), "at most 32 MB unpacked, found 5"),
        (wide_workbook(101, 2), "at most 100 columns, found 101"),
        (b"store,sku,new_price" + b",x" * 98 + b"\n", "at most 100 columns, found 101"),
        (b'store,sku,new_price\nS01,"' + b"x" * 200_000, "found neither"),
    ],
)
def test_a_file_that_is_no_sheet_or_too_large_is_refused_in_a_sentence(content: bytes, named: str) -> None:
    with pytest.raises(DataError, match=named):
        read(content)


def test_who_may_not_set_prices_may_neither_upload_a_sheet_nor_record_it(opened: PriceDesk) -> None:
    of_proxy = opened.workspace.settings.model_copy(update={"user_header": "X-User", "roles": (("anna", "manager"),)})
    desk, content = PriceDesk(of_proxy, Reader(of_proxy), lambda: opened.workspace.catalog), b"store,sku,new_price\n"
    for act in (lambda: acts.look_at_sheet(desk, content), lambda: acts.record_sheet(desk, content, "leaflet")):
        with (
            Flask("monitor").test_request_context("/", headers={"X-User": "carl"}),
            pytest.raises(Declined, match="carl"),
        ):
            act()
    with Flask("monitor").test_request_context("/", headers={"X-User": "anna"}):
        assert acts.record_sheet(desk, content, "leaflet").startswith("Nothing to record")


def test_a_line_that_is_shorter_than_the_header_sets_no_price(opened: PriceDesk) -> None:
    assert lines_of(opened.workspace, b"store,sku,new_price\nS01,MILK\n") == []


def test_a_small_workbook_that_asks_for_all_memory_is_refused_and_the_desk_goes_on() -> None:
    with pytest.raises(DataError, match="too large"):
        read(_far_cell())


def _far_cell() -> bytes:
    """Return a workbook of two cells, one of them in the last row and column that there can be."""
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"prices": [["store"]]}))) as given,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in given.namelist():
            content = given.read(name)
            far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            out.writestr(name, content.replace(b"</sheetData>", far))
    return sink.getvalue()


def test_the_command_exports_previews_and_imports(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    shell = Terminal(desk.workspace.settings.home, {"SHELFPRICE_CATALOG": str(tmp_path / "catalog")})
    file = tmp_path / "prices.csv"
    assert "15 prices" in shell("sheet", "export", str(tmp_path / "prices.xlsx")).stdout
    file.write_bytes(filled(desk, {"S01|MILK": {"new_price": "0.5"}, "S01|EGGS": {"new_price": "1.1"}}))
    seen = json.loads(shell("sheet", "import", str(file), "--preview", "--json").stdout)["lines"]
    assert [(one["line"], one["sku"], bool(one["speaks_against_it"])) for one in seen] == [
        (2, "MILK", True),
        (4, "EGGS", False),
    ]
    assert "0.50 EUR is below its cost" in shell("sheet", "import", str(file), "--reason", "leaflet").stderr
    assert all_changes(desk.workspace.lake) == []
    said = shell("sheet", "import", str(file), "--reason", "leaflet", "--below-cost")
    assert "2 prices set by a sheet" in said.stdout, said.stderr
    assert shell("sheet", "import", str(file)).returncode == 2
