"""What people read in MLflow about experiments, runs and models: descriptions in Markdown, and parameters."""

from typing import Any

from catalog.names import REGISTERED_MODEL
from training.candidates import FittedModel
from training.dataset import Dataset

TRAININGS = """\
One run per training, with a run for each candidate model below it. All candidates of a training see the same demand
cells and are judged on the same later days, so their metrics can be compared: open a training, or select its
candidates and press Compare. Lower `log_loss` is better and decides who is registered; `excess_log_loss` is the part
above that of the twin's true demand.

The run of a training holds the metrics of the candidate that was registered, what its prices would gain
(`gain_eur/...`, per store day, in the shelf's currency, with the 95 % interval), and whether it was promoted (1) or not
(0). Its report, `training_report.html`, is among its artifacts. The runs named `..., every training` hold each
candidate's metrics with one step per registered version: select them, and the charts show a line for each over time.
"""

STUDIES = """\
Pricing policies compared on the same shoppers. `share/<scenario>/<policy>/<decisions>` is what a policy earns, as a
share of what a clairvoyant would, after learning from that many logged decisions.
"""

HISTORY = "One step per registered version, at the date through which it was judged, whoever was registered.\n"

MODEL = f"""\
Chance that a shopper who considers a product buys it at a price.

**Input**: price over base price and the product, one-hot (`sku_...`), all double. **Output**: two columns, the chance
that the shopper refuses (0) and buys (1). **Aliases**: `champion` prices the shelf, `challenger` is the newest one
judged.

`mlflow.pyfunc.load_model("models:/{REGISTERED_MODEL}@champion")` gives the forest's own answers. Prices are made from
the same answers smoothed over the price, by the kernels in the model's metadata; `shelfprice verify --model` proves
that both agree. The model is kept as data (skops) and holds no code.
"""


def parameters(fitted: FittedModel, dataset: Dataset) -> dict[str, Any]:
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
