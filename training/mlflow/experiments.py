"""Experiments of MLflow: made where they are not there, with the words and parameters that people read there."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from catalog.addresses import refuse_absent_registry
from catalog.errors import Declined, ModelError
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.mlflow.database import make_first
from warehouse.commits.locks import held
from warehouse.databases import asking_registry, holds_anything, sqlite_file

ABOUT_TRAININGS = """\
One run per training, with a run for each candidate model below it. All candidates of a training see the same demand
cells and are judged on the same later days, so their metrics can be compared: open a training, or select its
candidates and press Compare. Lower `log_loss` is better and decides who is registered; `excess_log_loss` is the part
above that of the twin's true demand.

The run of a training holds the metrics of the candidate that was registered, what its prices would gain
(`gain_eur/...`, per store day, in the shelf's currency, with the 95 % interval), and whether it was promoted (1) or not
(0): select trainings, and the charts show a line over the versions. Its figures are among its artifacts.
"""

ABOUT_MODEL = f"""\
Chance that a shopper who considers a product buys it at a price.

**Input**: price over base price and the product, one-hot (`sku_...`). **Output**: the chance that the shopper refuses
(0) and buys (1). **Aliases**: `champion` prices the shelf, `challenger` is the newest one judged.

`mlflow.pyfunc.load_model("models:/{REGISTERED_MODEL}@champion")` gives the forest's answers. Prices are made from
these, smoothed over the price by the kernels in the model's metadata. The model is data (skops) and holds no code.
"""


def parameters_of(fitted: FittedModel, dataset: Dataset) -> dict[str, Any]:
    """Return what a candidate was fitted with and on, as parameters of its run."""
    candidate = fitted.candidate
    kernels = fitted.smoothing.kernels if fitted.smoothing else ()
    return {
        "candidate": candidate.name,
        "features": ", ".join(fitted.features),
        **candidate.parameters,
        "balance_classes": candidate.balance_classes,
        "decreasing_in": candidate.decreasing_in,
        "smoothing": ", ".join(
            f"{k.weight:.0%} degree {k.degree} width {k.bandwidth:g}{' pooled' if k.pooled else ''}" for k in kernels
        ),
        "trained_since": dataset.trained_since,
        "trained_through": dataset.trained_through,
        "judged_through": dataset.judged_through,
        "decisions_fitted_on": int(dataset.training["n_offered"].sum()),
        "decisions_held_out": int(dataset.holdout["n_offered"].sum()),
    }


TRAININGS = "shelfprice-training"
STUDIES = "shelfprice-comparison"
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a description."""

_KIND = {"mlflow.experimentKind": "custom_model_development"}  # which pages MLflow opens an experiment with


def client_of(settings: Settings) -> MlflowClient:
    """Return a client of the tracking store and the registry, which are one; the first makes their database.

    Raises
    ------
    ModelError
        When they are on a server that does not answer, or in a file that is damaged.
    """
    refuse_absent_registry(settings.tracking_uri)
    with asking_registry(settings.tracking_uri):
        make_first(settings.tracking_uri)
        return MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)


@contextmanager
def reached(settings: Settings) -> Iterator[MlflowClient]:
    """Turn whatever keeps the registry from answering into a ModelError."""
    with asking_registry(settings.tracking_uri):
        yield client_of(settings)


def prepare_tracking(settings: Settings) -> None:
    """Make MLflow's database where it is a file that is not there yet, which takes it more than a second.

    One process makes it, for two at once break it; what is wrong with it is told by whoever needs it.
    """
    file = sqlite_file(settings.tracking_uri)
    if file is None or holds_anything(file):
        return
    with suppress(Declined, ModelError, MlflowException, OSError), held(settings.locks, "tracking"):
        client_of(settings).get_experiment_by_name(TRAININGS)


def experiment_id(client: MlflowClient, settings: Settings, name: str, note: str) -> str:
    """Return the id of an experiment, made where it is not there, and keep its description as it should be."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = None
        if settings.tracking_uri.startswith("sqlite"):
            settings.artifacts.mkdir(parents=True, exist_ok=True)
            location = settings.artifacts.as_uri()
        experiment = client.get_experiment(client.create_experiment(name, artifact_location=location))
    for tag, value in (_KIND | {NOTE: note}).items():
        if experiment.tags.get(tag) != value:
            client.set_experiment_tag(experiment.experiment_id, tag, value)
    return str(experiment.experiment_id)


def log_values(
    client: MlflowClient,
    run_id: str,
    metrics: Mapping[str, float],
    parameters: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    model_id: str | None = None,
) -> None:
    """Log metrics, parameters and tags of a run at once; a metric that is not a number is left out.

    With a `model_id` the metrics are also those of the logged model.
    """
    now = round(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, value, now, 0, model_id=model_id) for name, value in metrics.items() if not math.isnan(value)
        ],
        params=[Param(name, str(value)) for name, value in (parameters or {}).items()],
        tags=[RunTag(name, value) for name, value in (tags or {}).items()],
    )
