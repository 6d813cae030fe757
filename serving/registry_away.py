"""A model registry on a server that is away is told so within seconds: its own client would wait for minutes."""

from catalog.addresses import without_login
from catalog.errors import ModelError
from catalog.knock import knock
from catalog.settings import Settings


def refuse_absent_registry(settings: Settings) -> None:
    """Refuse a registry on a server that does not answer; one in a file is there.

    Raises
    ------
    ModelError
        When it does not.
    """
    uri = settings.tracking_uri
    if not uri.startswith(("http://", "https://")):
        return
    answer, where = knock(f"{uri.rstrip('/')}/health"), without_login(uri)
    if not answer.is_good:
        raise ModelError(
            f"the model registry at {where} does not answer as it should ({answer.problem}); old prices hold: start it "
            "with `shelfprice up`, or set MLFLOW_TRACKING_URI to where it is"
        )
