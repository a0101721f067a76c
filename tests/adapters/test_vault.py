"""Secrets in Vault: the real client library speaks to a double of KV 2 and of the ways to log in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.adapters.secrets.places import SecretPlaces
from fairlead.adapters.secrets.vault import VaultSecrets, connector
from fairlead.adapters.secrets.vault_session import AppRoleLogin, JwtLogin, Login, TokenLogin, VaultSession
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, NotFound, Unavailable
from tests.fixtures.vault import Lease, VaultDouble

REFERENCE = "vault://kv/shop#db_url"
APP_ROLE = AppRoleLogin("role", "its-secret-id")


class Clock:
    """Moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def store(vault: VaultDouble, login: Login = APP_ROLE, clock: Callable[[], float] | None = None) -> SecretPlaces:
    vault.roles.setdefault(("role", "its-secret-id"), Lease())
    session = VaultSession(connector(vault.address), login, clock or Clock())
    return SecretPlaces({"vault": VaultSecrets(session)})


def test_the_engines_number_is_the_version_and_former_ones_can_be_read(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    vault.put("kv/shop", db_url="second")
    places = store(vault)
    assert places.version(REFERENCE) == "2"
    assert [places.read(SecretUse(reference=REFERENCE, version=v)) for v in "12"] == ["first", "second"]


def test_a_value_that_is_no_text_comes_as_json(vault: VaultDouble) -> None:
    vault.put("kv/deep/in/there", key={"a": [1]})
    use = SecretUse(reference="vault://kv/deep/in/there#key", version="1")
    assert store(vault).read(use) == '{"a": [1]}'


def test_what_is_not_there_is_not_found(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    vault.values["kv/gone"] = [None]
    places = store(vault)
    for reference in ("vault://kv/none#a", "vault://kv/shop#other", "vault://kv/gone#a"):
        with pytest.raises(NotFound) as refusal:
            places.version(reference)
        assert refusal.value.code == Code.SECRET_NOT_FOUND
    for version in ("2", "hmac-sha256:00", "-1"):
        with pytest.raises(NotFound):
            places.read(SecretUse(reference=REFERENCE, version=version))


def test_what_the_token_may_not_read_is_denied_without_a_new_login(vault: VaultDouble) -> None:
    vault.put("other/shop", db_url="x")
    places = store(vault)
    for _ in range(2):
        with pytest.raises(NotAllowed) as refusal:
            places.version("vault://other/shop#db_url")
        assert refusal.value.code == Code.SECRET_DENIED
    assert vault.count("auth/approle/login") == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_vault_that_is_away_sealed_or_busy_is_unavailable(vault: VaultDouble, status: int) -> None:
    vault.put("kv/shop", db_url="first")
    places = store(vault)
    places.version(REFERENCE)
    vault.down = status
    with pytest.raises(Unavailable) as error:
        places.version(REFERENCE)
    assert error.value.code == Code.SECRETS_UNAVAILABLE
    vault.down = 0
    assert places.version(REFERENCE) == "1"


def test_where_nobody_listens_it_is_unavailable(vault: VaultDouble) -> None:
    session = VaultSession(connector("http://127.0.0.1:1"), TokenLogin("x"))
    with pytest.raises(Unavailable):
        SecretPlaces({"vault": VaultSecrets(session)}).version(REFERENCE)


def test_each_way_to_log_in(vault: VaultDouble, tmp_path: Path) -> None:
    vault.put("kv/shop", db_url="first")
    vault.roles[("role", "a.b.c")] = Lease()
    for name, content in (("jwt", "a.b.c\n"), ("token", "root-token\n"), ("secret-id", "its-secret-id\n")):
        (tmp_path / name).write_text(content)
    ways = (
        TokenLogin("root-token"),
        TokenLogin(tmp_path / "token"),
        APP_ROLE,
        AppRoleLogin("role", tmp_path / "secret-id"),
        JwtLogin("role", tmp_path / "jwt"),
    )
    assert [store(vault, way).version(REFERENCE) for way in ways] == ["1"] * len(ways)


@pytest.mark.parametrize("login", [AppRoleLogin("role", "wrong"), TokenLogin("wrong"), JwtLogin("r", Path("/none"))])
def test_a_login_that_is_refused_is_a_denial_that_tells_no_secret(vault: VaultDouble, login: Login) -> None:
    with pytest.raises(NotAllowed) as refusal:
        store(vault, login).version(REFERENCE)
    assert refusal.value.code == Code.SECRET_DENIED
    assert "wrong" not in refusal.value.detail


def test_a_lease_is_renewed_once_half_of_it_is_spent(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    clock = Clock()
    places = store(vault, clock=clock)
    for clock.now in (0.0, 1700.0, 1900.0, 2000.0, 3700.0):
        places.version(REFERENCE)
    assert vault.count("auth/token/renew-self") == 2
    assert vault.count("auth/approle/login") == 1


def test_a_lease_that_cannot_be_renewed_or_has_run_out_is_followed_by_a_login(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    vault.roles[("role", "its-secret-id")] = Lease(renewable=False)
    clock = Clock()
    places = store(vault, clock=clock)
    for clock.now in (0.0, 2000.0, 90_000.0):
        places.version(REFERENCE)
    assert vault.count("auth/approle/login") == 3


def test_a_token_that_was_revoked_is_replaced(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    places = store(vault)
    places.version(REFERENCE)
    vault.tokens.clear()
    assert places.version(REFERENCE) == "1"
    assert vault.count("auth/approle/login") == 2


def test_in_the_end_a_token_of_ours_is_revoked_and_one_that_was_given_is_not(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    for login in (APP_ROLE, TokenLogin("root-token")):
        places = store(vault, login)
        places.version(REFERENCE)
        places.close()
    assert set(vault.tokens) == {"root-token"}


def test_closing_while_vault_is_away_is_fine(vault: VaultDouble) -> None:
    vault.put("kv/shop", db_url="first")
    places = store(vault)
    places.version(REFERENCE)
    vault.down = 503
    places.close()
