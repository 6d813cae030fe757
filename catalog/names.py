"""Names that the model registry, Prefect and the lake share, and the types a stored model may contain."""

REGISTERED_MODEL = "shelfprice-demand"
"""Name of the demand model in the registry; its alias `champion` is the one that prices."""

LIVE_DEPLOYMENT = "live/live-store"
"""Flow and deployment of the store that sells tick by tick, as Prefect names them."""

TRUSTED_MODEL_TYPES = ("sklearn.tree._tree.Tree",)
"""Types beyond skops' own that a registered model may contain; any other is refused before it is loaded."""

REGISTRY_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}
"""How long MLflow's client waits for a registry that does not answer; its own defaults add up to four minutes."""

EXTERNAL = "external"
"""Name of the policy behind a retailer's exported decisions: none of our policies set those prices."""

TRAINING_REPORT = "training_report.html"
"""Name of a training's report among the artifacts of its run in the registry."""

LIVE_GROUP = "live-"
"""What the name of a partition begins with that holds a day sold live; the store's name follows."""

EXPORT_GROUP = "export-"
"""What the name of a partition begins with that came from a retailer's file; the start of its SHA-256 follows."""

EMPTY_GROUP = "contract"
"""Name of the empty partition of every table, which carries its columns."""

TRIAL_GROUP = "trial-"
"""What the name of a partition begins with that was sold in a trial of two policies; the trial's name follows."""
