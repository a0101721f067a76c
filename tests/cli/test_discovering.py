"""`fairlead target discover` on somebody's laptop, with no server."""

from pathlib import Path

import pytest
import yaml

from fairlead.cli import exits
from tests.adapters.test_clusters import register
from tests.cli.terminal import Terminal
from tests.doubles.nomad_double.server import NomadDouble


@pytest.fixture
def laptop(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "home")


def test_the_jobs_of_a_nomad_are_printed_as_a_catalogue_says_them(laptop: Terminal) -> None:
    nomad = NomadDouble()
    try:
        register(nomad, "web")
        register(nomad, "nightly", Type="batch")
        said = laptop.run("target", "discover", "nomad", "--endpoint", nomad.address)
    finally:
        nomad.close()
    assert yaml.safe_load(said.out)["targets"]["web"]["nomad"] == {"job": "web"}
    assert "nightly is passed over" in said.err


def test_a_cluster_without_a_region_is_refused_with_what_to_say(laptop: Terminal) -> None:
    said = laptop.run("target", "discover", "ecs", "shop", "--json")
    assert (said.code, said.json["code"]) == (exits.USAGE, "missing_field")
    assert "--region" in said.json["hint"]
