"""A shop that is not ours: its tills write CSV, its labels show what files say, and nothing of the project is imported.

`corner_shop.py acknowledge FOLDER MOMENT` lets tills and labels follow every batch that they have not seen.
`corner_shop.py sell FOLDER DATES COLUMNS` sells dates at the newest prices, and writes their lines into the inbox.
"""

import csv
import datetime as dt
import json
import math
import random
import sys
from pathlib import Path

OWN = {("S01", "MILK"): 1.29, ("S02", "MILK"): 1.35, ("S03", "MILK"): 1.29,
       ("S01", "EGGS"): 2.99, ("S02", "EGGS"): 2.99, ("S03", "EGGS"): 3.19}  # fmt: skip
UNITS, SLOPE = 60, {"MILK": -3.0, "EGGS": -1.6}


def batches(folder: Path) -> list[dict]:
    files = (json.loads(file.read_text(encoding="utf-8")) for file in (folder / "labels").glob("*.json"))
    return sorted(files, key=lambda batch: batch["number"])


def acknowledge(folder: Path, moment: str) -> None:
    seen = folder / "seen-by-the-shop"
    known = seen.read_text(encoding="utf-8").split() if seen.exists() else []
    new = [batch for batch in batches(folder) if batch["batch"] not in known]
    if not new:
        return
    acks = [{"batch": batch["batch"], "store": batch["store"], "device": device, "at": moment}
            for batch in new for device in ("till", "label")]  # fmt: skip
    place = folder / "labels" / "acks"
    place.mkdir(exist_ok=True)
    (place / ".ack.json").write_text(json.dumps(acks), encoding="utf-8")
    (place / ".ack.json").rename(place / f"{new[-1]['batch']}.json")
    seen.write_text("\n".join([*known, *(batch["batch"] for batch in new)]), encoding="utf-8")


def charged(folder: Path, at: dt.datetime) -> dict[tuple[str, str], float]:
    prices = dict(OWN)
    for batch in batches(folder):
        for price in batch["prices"]:
            if dt.datetime.fromisoformat(price["valid_from"]) <= at:
                prices[batch["store"], price["sku"]] = price["till_price"]
    return prices


def sell(folder: Path, dates: list[str], columns: list[str]) -> None:
    hidden = folder / "inbox" / ".tills.csv"
    with hidden.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, columns)
        rows.writeheader()
        for date in dates:
            noon = dt.datetime.fromisoformat(f"{date}T12:00:00+00:00")
            for (store, sku), price in charged(folder, noon).items():
                mean = UNITS * (price / OWN[store, sku]) ** SLOPE[sku]
                units = max(1, round(random.Random(f"{date}{store}{sku}").gauss(mean, math.sqrt(mean))))
                rows.writerow({"store_id": store, "receipt": f"{date}-{sku}", "line": 1, "sku": sku,
                               "sold_at": noon.isoformat(), "units": units, "price": price})  # fmt: skip
    hidden.rename(folder / "inbox" / f"{dates[0]}.csv")


if __name__ == "__main__":
    what, where, when, *more = sys.argv[1:]
    if what == "acknowledge":
        acknowledge(Path(where), when)
    else:
        sell(Path(where), when.split(","), more[0].split(","))
