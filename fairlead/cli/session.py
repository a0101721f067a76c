"""A connection to the server, as home and environment say. Imports the HTTP client only when a command needs it."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from fairlead.cli import home
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

if TYPE_CHECKING:
    from fairlead.cli.client import Api


def connect() -> "Api":
    """The API of the configured server, as the configured key's owner."""
    from fairlead.cli.client import Api

    return Api(home.settings())


def path(*parts: str) -> str:
    """A path from words. Raises BadInput (bad_name) for what would name another path; servers read %2F as a slash."""
    for part in parts:
        if "/" in part or part in {"", ".", ".."}:
            raise BadInput(Code.BAD_NAME, f"{part!r:.60} is no name or id")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def connect_as(project: str) -> "Api":
    """The same, for this project unless another one is configured."""
    from fairlead.cli.client import Api

    kept = home.settings()
    return Api(home.Settings(kept.url, kept.key, kept.project or project))
