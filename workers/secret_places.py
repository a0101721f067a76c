"""Where this installation's secrets lie, as its settings say."""

import os
from pathlib import Path

from pydantic import SecretStr

from fairlead.adapters.secrets.aws import AwsAccess
from fairlead.adapters.secrets.aws_parameters import ParameterStore
from fairlead.adapters.secrets.aws_secrets_manager import SecretsManager
from fairlead.adapters.secrets.env import EnvSecrets
from fairlead.adapters.secrets.file import FileSecrets
from fairlead.adapters.secrets.macs import Macs
from fairlead.adapters.secrets.place import Place
from fairlead.adapters.secrets.places import SecretPlaces
from fairlead.domain import secret_references as schemes
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from workers.settings import Settings, VaultSettings

HOW = {schemes.VAULT: "set FAIRLEAD_VAULT_ADDR and a way to log in (docs/secrets.md)"}


def open_secrets(settings: Settings, vault: VaultSettings | None = None) -> SecretPlaces:
    """Every place that is set up. Nothing is asked of any before it is needed. Raises BadInput (bad_value)."""
    macs = Macs.load_or_create(settings.keys / "secrets.key")
    aws = AwsAccess(settings.aws_region, settings.aws_endpoint)
    data = settings.data.absolute()
    folders = [data / "secrets", *(Path(folder) for folder in settings.secrets_files.split(os.pathsep) if folder)]
    allowed = [pattern.strip() for pattern in settings.secrets_env.split(",") if pattern.strip()]
    places: dict[str, Place] = {
        schemes.ENV: EnvSecrets(os.environ, allowed, macs),
        schemes.FILE: FileSecrets(folders, macs, closed=[data]),
        schemes.AWS_STORE: SecretsManager(aws),
        schemes.AWS_PARAMETER: ParameterStore(aws),
    }
    vault = vault or VaultSettings()
    if vault.addr:
        places[schemes.VAULT] = _vault(vault)
    return SecretPlaces(places, HOW)


def _vault(settings: VaultSettings) -> Place:
    """Slow to import, so only who has one does."""
    from fairlead.adapters.secrets.vault import VaultSecrets, connector
    from fairlead.adapters.secrets.vault_session import AppRoleLogin, JwtLogin, Login, TokenLogin, VaultSession

    login: Login
    if token := _given(settings.token, settings.token_file):
        login = TokenLogin(token)
    elif settings.role_id and (secret_id := _given(settings.secret_id, settings.secret_id_file)):
        login = AppRoleLogin(settings.role_id, secret_id, settings.auth_mount or "approle")
    elif settings.jwt_role and settings.jwt_file:
        login = JwtLogin(settings.jwt_role, settings.jwt_file, settings.auth_mount or "jwt")
    else:
        raise BadInput(Code.BAD_VALUE, "FAIRLEAD_VAULT_ADDR is set, but no way to log in: token, AppRole or JWT")
    connect = connector(settings.addr, namespace=settings.namespace, ca=settings.ca_file)
    return VaultSecrets(VaultSession(connect, login))


def _given(secret: SecretStr | None, file: Path | None) -> str | Path | None:
    return secret.get_secret_value() if secret else file
