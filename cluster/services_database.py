"""The database behind Prefect and MLflow, as the core asks for it: is it there, are its tables, who is told of it."""

from cluster.database import prefect_environment
from cluster.postgresql import refuse_absent_database
from cluster.tables import keep_database_up_to_date

__all__ = ["keep_database_up_to_date", "prefect_environment", "refuse_absent_database"]
