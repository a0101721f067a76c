"""Settings say where secrets lie and where artifacts are kept."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from fairlead.adapters.artifact_bucket import BucketArtifacts
from fairlead.adapters.artifact_folder import FolderArtifacts
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotAllowed, NotFound
from fairlead.store.artifacts import PostgresArtifacts
from fairlead.store.database import Database
from tests.fixtures.vault import Lease, VaultDouble
from workers.artifact_places import open_artifacts
from workers.secret_places import open_secrets
from workers.settings import Settings, VaultSettings


def test_variables_and_files_are_read_as_far_as_settings_let(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB", "hunter2")
    for folder in ("secrets", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "db").write_text("hunter2")
        (tmp_path / folder / "db").chmod(0o600)
    usual = open_secrets(Settings(data=tmp_path))
    assert usual.version("env://SHOP_DB")
    assert usual.version(f"file://{tmp_path}/secrets/db")
    narrow = open_secrets(Settings(data=tmp_path, secrets_env="BANK_*", secrets_files="/run/secrets"))
    for reference in ("env://SHOP_DB", f"file://{tmp_path}/other/db", f"file://{tmp_path}/keys/secrets.key"):
        with pytest.raises(NotAllowed):
            narrow.version(reference)


def test_without_an_address_there_is_no_vault_and_the_hint_says_how(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refusal:
        open_secrets(Settings(data=tmp_path), VaultSettings(addr="")).version("vault://kv/shop#a")
    assert "FAIRLEAD_VAULT_ADDR" in str(refusal.value.hint)


def test_vault_is_logged_in_to_as_settings_say(tmp_path: Path, vault: VaultDouble) -> None:
    vault.put("kv/shop", a="x")
    vault.roles |= {("r", "s"): Lease(), ("j", "a.b.c"): Lease()}
    (tmp_path / "jwt").write_text("a.b.c")
    ways = (
        VaultSettings(addr=vault.address, token=SecretStr("root-token")),
        VaultSettings(addr=vault.address, role_id="r", secret_id=SecretStr("s")),
        VaultSettings(addr=vault.address, jwt_role="j", jwt_file=tmp_path / "jwt"),
    )
    assert [open_secrets(Settings(data=tmp_path), way).version("vault://kv/shop#a") for way in ways] == ["1"] * 3
    with pytest.raises(BadInput) as refusal:
        open_secrets(Settings(data=tmp_path), VaultSettings(addr=vault.address))
    assert refusal.value.code == Code.BAD_VALUE


def test_settings_do_not_show_what_one_logs_in_with() -> None:
    shown = repr(VaultSettings(addr="http://v", token=SecretStr("hunter2"), secret_id=SecretStr("hunter3")))
    assert "hunter" not in shown


def test_artifacts_are_kept_where_the_setting_says(tmp_path: Path) -> None:
    db = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    kinds = [
        type(open_artifacts(Settings(data=tmp_path, artifacts=place), db)) for place in ("", "/srv/kept", "s3://b/p")
    ]
    assert kinds == [PostgresArtifacts, FolderArtifacts, BucketArtifacts]
    db.dispose()
