"""A world with the good catalogue applied, on a fresh database."""

from pathlib import Path

import pytest

from fairlead.adapters.signer import FileSigner
from fairlead.store.database import Database
from tests.commands.world import World


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    """The server's decision key."""
    folder: Path = tmp_path_factory.mktemp("keys")
    return FileSigner.load_or_create(folder / "decision.pem")


@pytest.fixture
def world(database: Database, signer: FileSigner) -> World:
    made = World(database, signer)
    made.apply()
    return made
