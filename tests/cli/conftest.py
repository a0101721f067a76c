"""People at terminals, and the server they talk to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.adapters.signer import FileSigner
from fairlead.commands.ids import new_id
from tests.api.office import Office
from tests.cli.terminal import Terminal, served
from tests.fixtures.postgres import FreshDatabase


@pytest.fixture
def office(postgres: FreshDatabase) -> Iterator[Office]:
    """The shop's API."""
    made = Office(postgres)
    yield made
    made.wakeups.close()


@pytest.fixture
def url(office: Office) -> Iterator[str]:
    """Where it is served."""
    with served(office) as address:
        yield address


@pytest.fixture
def terminal(office: Office, url: str, tmp_path: Path) -> Callable[..., Terminal]:
    """Somebody's terminal, with the bearer key the shop gave them; people of the shop have their signing keys at home."""

    def open_one(subject: str = "ana", scope: str = "member") -> Terminal:
        home = tmp_path / f"{subject.replace(':', '-')}-{new_id()}"
        key = office.key(subject, scope)
        made = Terminal(home, FAIRLEAD_URL=url, FAIRLEAD_KEY=key, FAIRLEAD_PROJECT="shop")
        if subject in office.shop.people:
            bring_home(office.shop.people[subject], home)
        return made

    return open_one


@pytest.fixture
def ana(terminal: Callable[..., Terminal]) -> Terminal:
    """A member of the project."""
    return terminal("ana")


@pytest.fixture
def admin(terminal: Callable[..., Terminal]) -> Terminal:
    """Whoever may change people and keys."""
    return terminal("integration:ci", "admin")


def bring_home(signer: FileSigner, home: Path) -> None:
    """Put a person's key where `fairlead keys new` would."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    home.mkdir(mode=0o700)
    path = home / "signing_key.pem"
    path.write_bytes(signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
