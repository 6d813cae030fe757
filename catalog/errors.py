"""Errors for the person who must act: what was expected, what was found, what happens now, what to do.

`Declined` marks work that was refused on purpose while everything is in order (a gate that says no, a
partition someone else is writing); every other `ShelfpriceError` marks something broken that needs mending.
"""


class ShelfpriceError(Exception):
    """Root of every error this project raises on purpose; the command line prints it as one line."""


class CatalogError(ShelfpriceError):
    """A products or store file that cannot be used; the message names file, field and value."""


class ContractError(ShelfpriceError):
    """Data that does not have the columns, types or nullability its table promises."""


class LakeError(ShelfpriceError):
    """A partition that is missing, damaged or cannot be written."""


class DataError(ShelfpriceError):
    """Data that is well formed but cannot answer what was asked of it."""


class ModelError(ShelfpriceError):
    """A registered model that cannot be found, loaded or trusted."""


class SettingError(ShelfpriceError):
    """An environment variable that cannot be used."""


class ServiceError(ShelfpriceError):
    """A service that is away, does not answer in time, or cannot be started."""


class Declined(ShelfpriceError):  # noqa: N818 - a refusal is an answer, not an error
    """Work refused on purpose; nothing is broken and nothing was changed."""


def first_line(error: BaseException) -> str:
    """Return what an error says, cut to one line of at most 200 characters, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
