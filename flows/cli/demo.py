"""The command for a first look: ten days of three stores, and where to look next."""

from catalog.settings import read_settings
from flows.cli.console import remark
from flows.cli.options import FIRST_DAY, Catalog, Days, Json, Seed, Start, Stores
from flows.cli.origin import admit
from flows.cli.pipeline import report_loop, run_loop


def demo(
    start: Start = FIRST_DAY,
    days: Days = 10,
    stores: Stores = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Play three stores for ten days: price from the first day on, learn every hour, train and judge every night.

    For example:
      shelfprice demo
      shelfprice demo --stores 1 --days 6
    """
    admit("twin")
    run_loop(start, days, stores, seed, catalog)
    report_loop(as_json=as_json)
    if not as_json:
        remark(
            "Next, with .venv/bin before each command:\n"
            "  shelfprice quote --sku MILK --stock 8\n"
            '  shelfprice sql "from daily_sales order by business_date, store_id, sku"\n'
            "  shelfprice up              # Prefect, MLflow and the monitor, where a store can be watched selling\n"
            "  shelfprice compare         # policies against what a clairvoyant would earn\n"
            f"All generated data is under {read_settings().home}"
        )
