"""Open the model registry at the edge."""

from training.mlflow.registry import MlflowRegistry
from warehouse.workspace import Workspace


def registry_of(workspace: Workspace) -> MlflowRegistry:
    """Return the model registry that the settings name."""
    return MlflowRegistry(workspace.settings)
