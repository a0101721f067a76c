"""What the command line keeps at home: configuration, and the signing key, which never leaves it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

if TYPE_CHECKING:
    from fairlead.adapters.signer import FileSigner

DEFAULT_URL: Final = "http://127.0.0.1:8420"
NAMES: Final = ("url", "key", "project")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server is, who we are, and which project is meant. Empty: not set."""

    url: str
    key: str
    project: str


def folder() -> Path:
    """FAIRLEAD_HOME, else ~/.fairlead."""
    return Path(os.environ.get("FAIRLEAD_HOME") or Path.home() / ".fairlead")


def settings() -> Settings:
    """The environment's FAIRLEAD_URL, FAIRLEAD_KEY and FAIRLEAD_PROJECT win over config.json."""
    kept = read_config()
    url, key, project = (os.environ.get(f"FAIRLEAD_{name.upper()}") or kept.get(name, "") for name in NAMES)
    return Settings(url or DEFAULT_URL, key, project)


def read_config() -> dict[str, str]:
    """What config.json says; nothing where there is none. Raises BadInput (document_malformed)."""
    path = folder() / "config.json"
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{path} cannot be read: {error}") from error
    if not isinstance(kept, dict):
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{path} does not hold a JSON object")
    return {str(name): str(value) for name, value in kept.items()}


def write_config(values: dict[str, str]) -> Path:
    """Keep these; only the owner may read them, for the key is among them."""
    path = folder() / "config.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(values, file, indent=2)
    draft.replace(path)
    return path


def key_path() -> Path:
    """Where the signing key lies."""
    return folder() / "signing_key.pem"


def signer() -> "FileSigner":
    """The person's signing key. Raises BadInput (key_unreadable)."""
    from fairlead.adapters.signer import FileSigner

    if not key_path().exists():
        raise BadInput(Code.KEY_UNREADABLE, f"there is no signing key in {key_path()}", hint="fairlead keys new")
    return FileSigner.load(key_path())
