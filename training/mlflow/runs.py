"""MLflow's own page of the trainings: which runs and columns it opens with."""

import datetime as dt
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as version_of
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd
from mlflow.artifacts import download_artifacts
from mlflow.entities import Dataset as LoggedDataset
from mlflow.entities import DatasetInput, InputTag, LoggedModelOutput, Metric
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema

from catalog.currency import Currency
from catalog.names import TRUSTED_MODEL_TYPES
from catalog.settings import Settings
from features.attributes import with_attributes
from features.product_columns import input_of
from features.stored_model import PRIOR_FILE, fingerprint_of, model_as_data
from training.fit.candidates import FittedCandidate, FittedModel
from training.fit.dataset import Dataset
from training.judge.conditions import Condition
from training.judge.load_check import fresh_process, judge_in
from training.mlflow.experiments import (
    ABOUT_TRAININGS,
    NOTE,
    TRAININGS,
    client_of,
    experiment_id,
    log_values,
    parameters_of,
)
from training.registry import JudgedVersion, LoggedModel, Scores
from warehouse.databases import TRAININGS_VIEW, keep_trainings_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = (
    *("metrics.`log_loss`", "metrics.`excess_log_loss`", "metrics.`calibration_error`", "metrics.`gain_eur/estimate`"),
    *("metrics.`promoted`", "params.`decisions_fitted_on`"),
)


def keep_view(settings: Settings, client: MlflowClient, experiment: str) -> None:
    """Keep the view in which the trainings open: the newest first, a column for each figure that decides.

    MLflow keeps views that people share as tags of the experiment; its pages read them as they are written here.
    """
    tag = f"mlflow.sharedViewState.{TRAININGS_VIEW}"
    view = json.dumps({"selectedColumns": _COLUMNS, "orderByAsc": False})
    if client.get_experiment(experiment).tags.get(tag) != view:
        client.set_experiment_tag(experiment, tag, view)
    keep_trainings_page(settings, experiment)


_PARENT = "mlflow.parentRunId"
_DPI = 80
_DESCRIBED = 10_000  # cells; MLflow looks through each value of what it is given
_REQUIREMENTS = tuple(f"{name}=={version_of(name)}" for name in ("scikit-learn", "skops", "numpy", "pandas"))


@dataclass(frozen=True)
class MlflowTraining:
    """One training that is being logged: `run_id` is the parent of its candidates' runs."""

    client: MlflowClient
    settings: Settings
    experiment: str
    run_id: str
    dataset: Dataset
    seed: int
    process: "subprocess.Popen[str]"

    def log(
        self, fitted: Sequence[FittedCandidate], best: FittedCandidate, scores: Scores, money: Currency
    ) -> LoggedModel:
        """Log a run for each candidate below the training's; of the best one its model and figures."""
        from training.mlflow import figures

        for other in fitted:
            if other is not best:
                self._log_candidate(other, scores[other.name])
        logged = self._log_candidate(best, scores[best.name], figures.of_model(best, self.dataset.holdout))
        assert logged is not None  # noqa: S101 - a run with figures has a model
        curves = figures.demand_curves({candidate.name: candidate.fitted for candidate in fitted}, self.dataset, money)
        _log_figures(self.client, self.run_id, {"demand_curves": curves})
        return logged

    def _log_candidate(
        self, fitted: FittedCandidate, scores: Mapping[str, float], pictures: "Mapping[str, Figure] | None" = None
    ) -> LoggedModel | None:
        """Log a candidate as a run below the training's: parameters, data and metrics; with figures its model, too."""
        candidate, dataset, logged = fitted.fitted.candidate, self.dataset, None
        name = f"{dataset.judged_through} {candidate.name}"
        tags = {_PARENT: self.run_id, NOTE: candidate.description, "candidate": candidate.name}
        run_id = self.client.create_run(self.experiment, run_name=name, tags=tags).info.run_id
        with _ended(self.client, run_id):
            self.client.log_inputs(run_id, _inputs(dataset, fitted.fitted.features))
            if pictures is not None:
                logged = self._log_model(fitted.fitted, run_id)
                _log_figures(self.client, run_id, pictures)
            parameters = parameters_of(fitted.fitted, dataset) | {"seed": self.seed}
            log_values(self.client, run_id, scores, parameters, model_id=logged.model_id if logged else None)
        return logged

    def check_load(self, logged: LoggedModel, best: FittedCandidate) -> Condition:
        """Let a process of its own load the logged model and answer for the held-out cells."""
        uri = self.settings.tracking_uri
        folder = Path(download_artifacts(artifact_uri=logged.location, tracking_uri=uri))
        cells = with_attributes(self.dataset.holdout, best.fitted.prior.attributes)
        return judge_in(self.process, folder, best.fitted.features, cells, best.p_sale)

    def _log_model(self, fitted: FittedModel, run_id: str) -> LoggedModel:
        model = self.client.create_logged_model(self.experiment, name="model", source_run_id=run_id)
        described = Model(
            artifact_path=model.artifact_location,
            run_id=run_id,
            model_uuid=model.model_id,
            model_id=model.model_id,
            metadata=metadata_of(fitted),
        )
        from mlflow.sklearn import save_model

        with TemporaryDirectory(prefix="shelfprice-model-") as folder:
            place = str(Path(folder, "model"))
            save_model(
                fitted.model,
                place,
                mlflow_model=described,
                serialization_format="skops",
                skops_trusted_types=list(TRUSTED_MODEL_TYPES),
                signature=_signature(fitted.features),
                pip_requirements=list(_REQUIREMENTS),
                pyfunc_predict_fn="predict_proba",
            )
            # MLflow has put the forest there as it is; compressed, it takes a ninth
            Path(place, "model.skops").write_bytes(model_as_data(fitted.model))
            if not fitted.prior.is_empty:
                Path(place, PRIOR_FILE).write_bytes(model_as_data(fitted.prior.plain()))
            self.client.log_model_artifacts(model.model_id, place)
            sha256 = fingerprint_of(Path(place))
        self.client.finalize_logged_model(model.model_id, "READY")
        self.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
        return LoggedModel(run_id, self.run_id, model.model_id, model.artifact_location, sha256)


@contextmanager
def training_run(settings: Settings, dataset: Dataset, seed: int) -> Iterator[MlflowTraining]:
    """Open the parent run of one training; the process that will load its best model starts beside it.

    Runs that a kill left open are ended first.
    """
    client = client_of(settings)
    experiment = experiment_id(client, settings, TRAININGS, ABOUT_TRAININGS)
    keep_view(settings, client, experiment)
    tags = {
        "trained_since": str(dataset.trained_since),
        "trained_through": str(dataset.trained_through),
        "judged_through": str(dataset.judged_through),
        "dataset_fingerprint": dataset.fingerprint,
    }
    for left in client.search_runs([experiment], "attributes.status = 'RUNNING'"):  # there is one training at a time
        client.set_terminated(left.info.run_id, "KILLED")
    run_id = client.create_run(experiment, run_name=f"{dataset.judged_through} training", tags=tags).info.run_id
    client.log_inputs(run_id, _inputs(dataset, ("price_ratio", *dataset.one_hot)))
    with _ended(client, run_id), fresh_process() as process:
        yield MlflowTraining(client, settings, experiment, run_id, dataset, seed, process)


def conclude(client: MlflowClient, logged: LoggedModel, judged: JudgedVersion, rival: str) -> None:
    """Write on a training's run what came of it; its metrics stand at the version's number, so charts are lines."""
    run_id, version = logged.training_run_id, judged.version
    tags = {
        NOTE: f"Version {version}: {judged.note}",
        "best": judged.candidate,
        "registered_version": version,
        "gate": judged.verdict.outcome,
        "judged_against": rival,
    }
    log_values(client, run_id, {}, tags=tags)
    client.set_tag(logged.run_id, "registered_version", version)
    gain = judged.gain
    gains = {} if gain is None else {"estimate": gain.mean, "lower": gain.lower, "upper": gain.upper}
    metrics = {**judged.scores[judged.candidate], "promoted": float(judged.verdict.promoted)}
    metrics |= {f"gain_eur/{name}": value for name, value in gains.items()}
    figures_of_plugins = pd.json_normalize({**judged.money, "believed": {}}, sep="/").iloc[0].to_dict()
    metrics |= {str(name): value for name, value in figures_of_plugins.items() if isinstance(value, int | float)}
    moment = int(dt.datetime.combine(judged.judged_through, dt.time(), dt.UTC).timestamp() * 1000)
    steps = [Metric(name, value, moment, int(version)) for name, value in metrics.items() if not isnan(value)]
    client.log_batch(run_id, metrics=steps)


@contextmanager
def _ended(client: MlflowClient, run_id: str) -> Iterator[None]:
    """End a run with the block, as failed where that fails."""
    try:
        yield
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id)


def _log_figures(client: MlflowClient, run_id: str, pictures: "Mapping[str, Figure]") -> None:
    for name, figure in pictures.items():
        client.log_figure(run_id, figure, f"figures/{name}.png", save_kwargs={"dpi": _DPI})


def _inputs(dataset: Dataset, features: Sequence[str]) -> list[DatasetInput]:
    """Describe the cells to fit and judge on, by what a model may look at: a part of them has the types of all."""
    from mlflow.data import from_pandas  # type: ignore[attr-defined] # the library makes it at run time

    inputs, columns = [], [*features, "n_offered", "n_purchased"]
    for context, cells, days in (
        ("training", dataset.training, f"demand cells through {dataset.trained_through}"),
        ("holdout", dataset.holdout, f"demand cells held out, through {dataset.judged_through}"),
    ):
        described = with_attributes(cells.iloc[:_DESCRIBED], dataset.attributes)
        seen = from_pandas(input_of(described, columns), name=days, digest=dataset.fingerprint[:32])
        size = json.dumps({"num_rows": len(cells), "num_elements": len(cells) * len(columns)})
        inputs.append(
            DatasetInput(
                LoggedDataset(**seen.to_dict() | {"profile": size}), [InputTag("mlflow.data.context", context)]
            )
        )
    return inputs


def metadata_of(fitted: FittedModel) -> dict[str, Any]:
    """Return what must be known beside the classifier to price by it."""
    smoothing = {"smoothing": fitted.smoothing.to_json()} if fitted.smoothing else {}
    learned = {"learned_from": str(fitted.learned_from)} if fitted.learned_from else {}
    through = str(fitted.trained_through)
    return {"odds_factor": fitted.odds_factor, "trained_through": through, **learned, **smoothing}


def _signature(features: list[str]) -> ModelSignature:
    inputs = Schema([ColSpec(DataType.double, name) for name in features])
    outputs = Schema([ColSpec(DataType.double, str(label)) for label in (0, 1)])
    return ModelSignature(inputs=inputs, outputs=outputs)
