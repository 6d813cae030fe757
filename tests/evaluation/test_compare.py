"""The comparison from the flow to the lake: what it says, keeps and refuses."""

import json
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from catalog.errors import DataError
from catalog.settings import read_settings
from evaluation import comparison_report as report
from evaluation.flows import compare
from evaluation.policy_comparison import PolicyComparison
from flows.environment import orchestrated
from warehouse.connection import workbench_with_marts

WORLDS = ("200 visits", "two peaks, 200 visits")


@pytest.fixture
def found(empty_home: Path) -> PolicyComparison:
    with orchestrated():
        return compare(("static", "prototype", "stock_aware"), WORLDS, (500, 2_000), 2, 4)


def test_a_comparison_keeps_and_logs_what_it_says_and_few_decisions_suffice(
    found: PolicyComparison, empty_home: Path
) -> None:
    columns, rows = report.learning_rows(found)
    assert columns == ["decisions", "policy", "200 visits", "two peaks, worst"]
    assert [row[:2] for row in rows] == [
        ["all there is to know", "true_demand"],
        ["500", "stock_aware"],
        ["500", "prototype"],
        ["2,000", "stock_aware"],
        ["2,000", "prototype"],
    ]
    settings = read_settings()
    with workbench_with_marts(settings) as connection:
        kept = connection.execute(
            "select decisions, policy, avg(share_of_clairvoyant) from learning_results "
            "where scenario = '200 visits' and decisions > 0 group by decisions, policy order by decisions, policy desc"
        ).fetchall()
        played = connection.execute(
            "select policy, sum(revenue) / sum(store_days) from policy_results where scenario = '200 visits' "
            "group by policy order by 2 desc"
        ).fetchall()
    assert [f"{100 * share:.2f}" for _, _, share in kept] == [row[2].split()[0] for row in rows[1:]]
    shown = {row[1]: row[2] for row in report.match_rows(found)[1] if row[0] == "200 visits"}
    assert dict(played) == pytest.approx(shown)
    run = MlflowClient(settings.tracking_uri).get_run(found.run_id)
    assert run.data.metrics["share/200 visits/stock_aware/2000"] == pytest.approx(
        next(share for decisions, policy, share in kept if (decisions, policy) == (2_000, "stock_aware"))
    )
    pictures = {item.path for item in MlflowClient(settings.tracking_uri).list_artifacts(found.run_id, "figures")}
    assert pictures == {"figures/shares_by_scenario.png", "figures/learning_curves.png"}
    json.dumps(report.as_json(found))
    share = {(s.policy, s.decisions, s.scenario): s.share_of_clairvoyant for s in found.scores if s.seed == 1}
    assert share["stock_aware", 2_000, "200 visits"] > 0.98
    assert share["stock_aware", 2_000, "200 visits"] > share["prototype", 2_000, "200 visits"] + 0.03


def test_unknown_policies_and_scenarios_are_refused_by_name(empty_home: Path) -> None:
    with orchestrated():
        with pytest.raises(DataError, match=r"expected a policy out of static, .*found 'magic'"):
            compare(("magic",), WORLDS, (500,), 1, 1)
        with pytest.raises(DataError, match=r"expected a scenario out of 100 visits; .*found 'moon'"):
            compare(("static",), ("moon",), (500,), 1, 1)
