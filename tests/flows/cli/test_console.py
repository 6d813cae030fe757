"""What commands print."""

import json
import math

from catalog.json_text import json_text


def test_a_number_that_json_does_not_have_is_null() -> None:
    told = json_text({"a": math.nan, "rows": [(1.5, math.inf), (-math.inf, "x")]})
    assert json.loads(told) == {"a": None, "rows": [[1.5, None], [None, "x"]]}
    assert "NaN" not in told
