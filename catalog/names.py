"""What the registry, the orchestrator and the lake call our things, and what a stored model may be made of."""

REGISTERED_MODEL = "shelfprice-demand"
"""Name of the demand model in the registry; its alias `champion` is the one that prices."""

LIVE_DEPLOYMENT = "live/live-store"
"""Flow and deployment of the store that sells tick by tick, as the orchestrator names them."""

TRUSTED_MODEL_TYPES = ("sklearn.tree._tree.Tree",)
"""Types beyond skops' own that a registered model may hold; any other is refused before it is built."""

REGISTRY_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}
"""How long MLflow's client waits for a registry that is away; its own defaults would make it four minutes."""

EXTERNAL = "external"
"""Name of the policy behind decisions that a retailer exported: whoever set those prices, it was none of ours."""

TRAINING_REPORT = "training_report.html"
"""Name of a training's report among the artifacts of its run in the registry."""

LIVE_GROUP = "live-"
"""What the name of a partition begins with that holds a day sold live; the store's name follows."""
