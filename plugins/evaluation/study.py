"""Studies in MLflow: something that was measured and registers no model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from catalog.settings import Settings
from training.mlflow.experiments import NOTE, STUDIES, client_of, experiment_id, log_values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABOUT_STUDIES = """\
Pricing policies compared on the same shoppers. `share/<scenario>/<policy>/<decisions>` is what a policy earns, as a
share of what a clairvoyant would, after learning from that many logged decisions.
"""

_DPI = 110


@dataclass(frozen=True)
class Study:
    """Something that was measured and registers no model.

    Attributes
    ----------
    name, description
        Of its run.
    parameters, metrics
        What it was asked, and what was found.
    figures, tables
        By name.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    figures: Mapping[str, "Figure"]
    tables: Mapping[str, pd.DataFrame]


def log_study(settings: Settings, study: Study) -> str:
    """Log a study as one run of the experiment of studies; return the run id."""
    client = client_of(settings)
    experiment = experiment_id(client, settings, STUDIES, ABOUT_STUDIES)
    run_id = client.create_run(experiment, run_name=study.name, tags={NOTE: study.description}).info.run_id
    log_values(client, run_id, study.metrics, study.parameters)
    for title, figure in study.figures.items():
        client.log_figure(run_id, figure, f"figures/{title}.png", save_kwargs={"dpi": _DPI})
    for title, table in study.tables.items():
        client.log_table(run_id, table, f"tables/{title}.json")
    client.set_terminated(run_id)
    return str(run_id)
