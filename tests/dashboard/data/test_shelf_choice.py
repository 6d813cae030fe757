"""A page of the shelf: every product that matches is on one page, and on one only."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.data.store_day import EVERYTHING, PAGE_SIZE, ProductNow, ShelfChoice, shelf_page


def product(number: int, name: str = "Milk") -> ProductNow:
    kind = ("dairy", "bakery")[number % 2]
    return ProductNow(f"P{number:03d}", f"{name} {number}", "", 1.0, 1.0, 5, 9, False, 0, 0.0, (), kind)


SHELF = [product(number, ("Milk", "Rye bread", "ÄPFEL")[number % 3]) for number in range(200)]


@given(size=st.integers(0, 120), category=st.sampled_from([None, "dairy", "bakery", "none"]))
def test_the_pages_together_are_what_matches_in_the_order_of_the_shelf(size: int, category: str | None) -> None:
    shelf = SHELF[:size]
    first = shelf_page(shelf, ShelfChoice(category=category))
    pages = [shelf_page(shelf, ShelfChoice(category=category, page=n)) for n in range(1, first.pages + 1)]
    shown = [product for page in pages for product in page.products]
    assert shown == [product for product in shelf if category in (None, product.category)]
    assert first.found == len(shown)
    assert all(len(page.products) <= PAGE_SIZE for page in pages)


def test_a_text_is_found_in_name_and_sku_whatever_its_case_and_order() -> None:
    found = shelf_page(SHELF, ShelfChoice("BREAD rye 1"))
    assert found.found
    assert all("Rye bread" in product.name for product in found.products)
    assert shelf_page(SHELF, ShelfChoice("äpfel")).found == len(SHELF[2::3])
    assert [product.sku for product in shelf_page(SHELF, ShelfChoice("p007")).products] == ["P007"]


def test_a_page_that_is_not_there_is_the_nearest_one() -> None:
    assert shelf_page(SHELF, ShelfChoice(page=999)).page == shelf_page(SHELF, EVERYTHING).pages
    assert shelf_page(SHELF, ShelfChoice(page=-3)).page == 1
    assert shelf_page([], EVERYTHING).products == ()
