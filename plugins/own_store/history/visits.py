"""Admit visits to the lake, date by date: a row becomes a decision, or is rejected with a reason.

Preconditions: at least one row of the export can be read, and only one export is admitted at a time, so that there is
one row per decision. Rows that repeat a decision of another file are rejected, so files that overlap count once.
"""

import datetime as dt

import numpy as np
import pyarrow as pa

from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, OUTCOMES, TOO_EXPENSIVE
from catalog.names import EXTERNAL
from catalog.tables.decisions import INTERACTIONS, REJECTED
from etl.load import conform
from etl.validate import Validated, row_texts, validate
from plugins.own_store.history.admission import CHANGES, EPOCH, Checked, FileAdmission
from plugins.own_store.history.rows import table_of
from warehouse.parquet import coded, constant

_IN_LAKE = "it repeats a decision that is in the lake already"
_SAID = [*INTERACTIONS.key, "price_offered", "purchased", "inventory_level"]


class AdmittingVisits:
    """Admits visits, one date after another; the dates are independent of each other."""

    def __init__(self, admission: FileAdmission) -> None:
        self.given = admission
        admission.look_up_names()

    def begin(self) -> None:
        """Begin at the first date: no date depends on another."""

    def check(self, date: int) -> Checked:
        """Validate one date; nothing is published."""
        given, opening = self.given, self.given.catalog.store.opening
        rows = table_of(
            given.staged.connection,
            "interactions",
            date=date,
            opens=opening.opens_minute,
            minutes=opening.minutes,
            tick_minutes=opening.tick_minutes,
            names_shoppers="shopper_id" in given.staged.theirs,
            external=EXTERNAL,
            bought=OUTCOMES[BOUGHT],
            out_of_stock=OUTCOMES[OUT_OF_STOCK],
            too_expensive=OUTCOMES[TOO_EXPENSIVE],
        )
        lines = rows["line"].to_numpy()
        checked = validate(rows.drop_columns("line"), given.catalog, given.source, given.not_after, lines)
        checked = self._without_known(EPOCH + dt.timedelta(days=date), checked, lines)
        tables = {"interactions": conform(checked.valid), "rejected": checked.rejected}
        return given.checked(date, tables, checked.valid.num_rows, {})

    def _without_known(
        self, day: dt.date, checked: Validated, lines: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    ) -> Validated:
        """Reject rows that are decisions of another file already, or that say otherwise of one."""
        known = [self.given.lake.read(partition).select(_SAID) for partition in self.given.others("interactions", day)]
        if not known:
            return checked
        lines = lines[np.isin(lines, checked.rejected["row_number"].to_numpy(), invert=True)]
        connection = self.given.staged.connection
        connection.register("valid", checked.valid.select(_SAID).append_column("line", pa.array(lines)))
        connection.register("known", pa.concat_tables(known))
        found = table_of(connection, "known_decisions")
        is_known = np.isin(lines, found["line"].to_numpy())
        at = np.flatnonzero(is_known)
        of_line = dict(zip(found["line"].to_pylist(), found["is_same"].to_pylist(), strict=True))
        bad = pa.table(
            {
                "source": constant(self.given.source, len(at)),
                "row_number": pa.array(lines[at]),
                "reason": coded(np.array([not of_line[line] for line in lines[at].tolist()], int), [_IN_LAKE, CHANGES]),
                "row_text": row_texts(checked.valid, at),
            },
            schema=REJECTED.schema,
        )
        return Validated(checked.valid.filter(pa.array(~is_known)), pa.concat_tables([checked.rejected, bad]))
