"""`fairlead compose check` on somebody's laptop, with no server and no engine."""

from pathlib import Path

import pytest

from fairlead.cli import exits
from tests.cli.terminal import Terminal

FILE = """\
services:
  web: {build: ., restart: always, healthcheck: {test: curl localhost}, ports: ["80:80"]}
  db: {image: postgres, volumes: ["/var/run/docker.sock:/s"], depends_on: {init: {condition: service_completed_successfully}}}
  init: {image: "busybox@sha256:1"}
"""


@pytest.fixture
def laptop(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "compose.yml"
    path.write_text(FILE)
    return str(path)


def test_everything_is_told_and_the_exit_code_says_whether_it_would_be_refused(laptop: Terminal, file: str) -> None:
    said = laptop.run("compose", "check", file, "--json")
    assert said.code == exits.USAGE
    assert said.json["safe"] is False
    assert {(f["pointer"].rpartition("/")[2], f["level"], f["rule"]) for f in said.json["findings"]} == {
        ("web", "refused", "build_only"),
        ("web", "noted", "host_port"),
        ("db", "refused", "latest_tag"),
        ("db", "unsafe", "docker_socket"),
        ("db", "noted", "no_healthcheck"),
        ("db", "noted", "no_restart"),
    }


def test_components_and_what_is_allowed_make_it_safe(laptop: Terminal, file: str) -> None:
    words = ["--component", "web", "--component", "db", "--allow", "docker_socket"]
    said = laptop.run("compose", "check", file, *words)
    assert (said.code, "docker_socket" in said.out, "nothing would be refused" in said.err) == (0, True, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere.yml"], exits.MISSING),
        (["FILE", "--component", "wbe"], exits.USAGE),
        (["FILE", "--allow", "unpinned"], exits.USAGE),
    ],
)
def test_what_is_not_there_is_told(laptop: Terminal, file: str, words: list[str], code: int) -> None:
    said = laptop.run("compose", "check", *(file if word == "FILE" else word for word in words))
    assert said.code == code
    assert said.err


def test_a_broken_file_is_told_by_line(laptop: Terminal, file: str) -> None:
    Path(file).write_text("services:\n  a: 1\n  a: 2\n")
    said = laptop.run("compose", "check", file)
    assert (said.code, "line 3" in said.err) == (exits.USAGE, True)
