"""A connection to the server, as home and environment say. Imports the HTTP client only when a command needs it."""

from typing import TYPE_CHECKING

from fairlead.cli import home

if TYPE_CHECKING:
    from fairlead.cli.client import Api


def connect() -> "Api":
    """The API of the configured server, as the configured key's owner."""
    from fairlead.cli.client import Api

    return Api(home.settings())


def connect_as(project: str) -> "Api":
    """The same, for this project unless another one is configured."""
    from fairlead.cli.client import Api

    kept = home.settings()
    return Api(home.Settings(kept.url, kept.key, kept.project or project))
