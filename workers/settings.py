"""What an installation sets from outside: environment variables with the prefix FAIRLEAD_."""

import os
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data() -> Path:
    """Root's home is closed to the user that Postgres runs as, so root's data lies elsewhere."""
    return Path("/var/lib/fairlead") if os.geteuid() == 0 else Path.home() / ".local/share/fairlead"


class Settings(BaseSettings):
    """Where everything is. `database_url` is the application role's, `owner_url` that of the role that migrates.

    `data` holds keys, image layouts and process hosts, and in `fairlead dev` the databases too. `reconcile_every`: seconds between sweeps.

    `compose`: the Docker Compose plugin, where it is not to be looked for.
    `secrets_env`: names of variables, and patterns of names, that `env://` may name, with commas between; `secrets_files`: folders in which
    `file://` may name files, with colons between, beside `<data>/secrets`. `aws_endpoint`: where AWS answers, if not where it usually does.
    `docker_config`: a Docker configuration file with logins to registries; `registry_certs`: a folder like Docker's certs.d.
    `registry_mirrors`: `HOST=MIRROR[/PREFIX]`, with commas between, asked before the registry for what has a digest.
    `artifacts`: where files that were sent to targets are kept, a folder or `s3://BUCKET/PREFIX`; else in the database.
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
    secrets_env: str = "*"
    secrets_files: str = ""
    aws_region: str = ""
    aws_endpoint: str = ""
    artifacts: str = ""
    docker_config: Path | None = None
    registry_certs: Path | None = None
    registry_mirrors: str = ""

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


class VaultSettings(BaseSettings):
    """Where Vault or OpenBao is and how to log in: by `token`, AppRole (`role_id`, `secret_id`) or JWT (`jwt_role`, `jwt_file`).

    The `*_file` settings name files that hold what the others hold themselves. `auth_mount`: where AppRole or JWT is mounted.
    """

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_VAULT_", frozen=True, extra="ignore")

    addr: str = ""
    namespace: str = ""
    ca_file: Path | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    role_id: str = ""
    secret_id: SecretStr | None = None
    secret_id_file: Path | None = None
    jwt_role: str = ""
    jwt_file: Path | None = None
    auth_mount: str = ""
