"""Secrets in variables and files: what may be read, and what tells one version from another."""

import os
from pathlib import Path

import pytest

from fairlead.adapters.secrets.env import EnvSecrets
from fairlead.adapters.secrets.file import FileSecrets
from fairlead.adapters.secrets.macs import Macs
from fairlead.adapters.secrets.places import SecretPlaces
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError, NotAllowed, NotFound

MACS = Macs(b"k" * 32)


def places(folder: Path, closed: Path | None = None, **environment: str) -> SecretPlaces:
    files = FileSecrets([folder], MACS, closed=[closed] if closed else [])
    return SecretPlaces({"env": EnvSecrets(environment, ["SHOP_*", "FAIRLEAD_*"], MACS), "file": files})


def secret_file(path: Path, content: str = "hunter2\n", mode: int = 0o600) -> str:
    path.write_text(content)
    path.chmod(mode)
    return f"file://{path}"


def refused(store: SecretPlaces, reference: str) -> FairleadError:
    with pytest.raises((NotFound, NotAllowed)) as refusal:
        store.version(reference)
    assert "hunter2" not in str(refusal.value)
    return refusal.value


def test_a_value_is_read_by_its_version(tmp_path: Path) -> None:
    store = places(tmp_path, SHOP_DB="hunter2")
    for reference in ("env://SHOP_DB", secret_file(tmp_path / "db")):
        use = SecretUse(reference=reference, version=store.version(reference))
        assert store.read(use) == "hunter2"
        assert "hunter2" not in use.version


def test_another_value_is_another_version_and_the_former_is_gone(tmp_path: Path) -> None:
    reference = secret_file(tmp_path / "db")
    store = places(tmp_path)
    old = SecretUse(reference=reference, version=store.version(reference))
    secret_file(tmp_path / "db", "hunter3")
    assert store.version(reference) != old.version
    with pytest.raises(NotFound) as refusal:
        store.read(old)
    assert refusal.value.code == Code.SECRET_NOT_FOUND


def test_versions_tell_nothing_without_the_key_and_link_nothing(tmp_path: Path) -> None:
    here = places(tmp_path, SHOP_A="same", SHOP_B="same")
    elsewhere = EnvSecrets({"SHOP_A": "same"}, ["*"], Macs(b"j" * 32))
    versions = {here.version("env://SHOP_A"), here.version("env://SHOP_B")}
    assert len(versions) == 2
    assert SecretPlaces({"env": elsewhere}).version("env://SHOP_A") not in versions


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("env://SHOP_NONE", Code.SECRET_NOT_FOUND),
        ("env://HOME", Code.SECRET_DENIED),
        ("env://FAIRLEAD_DATABASE_URL", Code.SECRET_DENIED),
        ("vault://kv/shop#db", Code.SECRET_NOT_FOUND),
        ("file:///etc/hostname", Code.SECRET_DENIED),
    ],
)
def test_what_is_not_there_or_not_allowed(tmp_path: Path, reference: str, code: Code) -> None:
    store = places(tmp_path, HOME="/root", FAIRLEAD_DATABASE_URL="hunter2")
    assert refused(store, reference).code == code


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    refusal = refused(places(tmp_path), secret_file(tmp_path / "db", mode=mode))
    assert refusal.code == Code.SECRET_DENIED
    assert "chmod 600" in str(refusal.hint)


def test_links_are_not_followed_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    secret_file(tmp_path / "real" / "db")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "db")
    for name in ("link", "folder/db"):
        assert refused(places(tmp_path), f"file://{tmp_path}/{name}").code == Code.SECRET_DENIED


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("pipe", "folder"):
        assert refused(places(tmp_path), f"file://{tmp_path}/{name}").code == Code.SECRET_DENIED
    assert refused(places(tmp_path), f"file://{tmp_path}/none").code == Code.SECRET_NOT_FOUND


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    reference = secret_file(tmp_path / "db")
    os.chown(tmp_path / "db", 4711, -1)
    assert refused(places(tmp_path), reference).code == Code.SECRET_DENIED


def test_the_servers_own_folder_is_closed_but_for_its_secrets(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for folder in ("keys", "secrets"):
        (data / folder).mkdir(parents=True)
    store = SecretPlaces({"file": FileSecrets([tmp_path, data / "secrets"], MACS, closed=[data])})
    assert refused(store, secret_file(data / "keys" / "decision.pem")).code == Code.SECRET_DENIED
    assert store.version(secret_file(data / "secrets" / "db"))
    assert store.version(secret_file(tmp_path / "db"))


@pytest.mark.parametrize("content", ["x" * 70_000, "\udcff"])
def test_what_is_no_text_of_a_secrets_size_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "db").write_bytes(content.encode(errors="surrogateescape"))
    (tmp_path / "db").chmod(0o600)
    assert refused(places(tmp_path), f"file://{tmp_path}/db").code == Code.SECRET_DENIED


def test_the_key_of_versions_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets.key"
    reference = "env://SHOP_A"
    first, again = (SecretPlaces({"env": EnvSecrets({"SHOP_A": "x"}, ["*"], Macs.load_or_create(path))}) for _ in "12")
    assert first.version(reference) == again.version(reference)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(BadInput) as refusal:
        Macs.load_or_create(path)
    assert refusal.value.code == Code.KEY_UNREADABLE
