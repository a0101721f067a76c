"""What an installation sets from outside: environment variables with the prefix FAIRLEAD_."""

import os
from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data() -> Path:
    """Root's home is closed to the user that Postgres runs as, so root's data lies elsewhere."""
    return Path("/var/lib/fairlead") if os.geteuid() == 0 else Path.home() / ".local/share/fairlead"


class Settings(BaseSettings):
    """Where everything is. `database_url` is the application role's, `owner_url` that of the role that migrates.

    `data` holds keys, image layouts and process hosts, and in `fairlead dev` the databases too. `reconcile_every`: seconds between sweeps.

    `compose`: the Docker Compose plugin, where it is not to be looked for.
    """

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_", frozen=True, extra="ignore")

    data: Path = _default_data()
    database_url: str = ""
    owner_url: str = ""
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8420, ge=0, le=65_535)
    fail_points: Path | None = None
    agent: str = "worker"
    reconcile_every: float = Field(default=30.0, ge=0.1, le=86_400, allow_inf_nan=False)
    compose: Path | None = None

    @cached_property
    def keys(self) -> Path:
        """Signing keys of this server."""
        return self.data / "keys"

    @cached_property
    def layouts(self) -> Path:
        """Image layouts that `oci-layout:PATH` may name."""
        return self.data / "layouts"

    @cached_property
    def hosts(self) -> Path:
        """Folders of process hosts that `process:NAME` may name."""
        return self.data / "hosts"
