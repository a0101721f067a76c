"""What we depend on is written down with its reason, and locked by hashes alone."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text()
LOCK = (ROOT / "requirements.lock").read_text()


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~! ;]", requirement, maxsplit=1)[0].lower()


def _direct() -> list[str]:
    document = tomllib.loads(PROJECT)
    return [*document["project"]["dependencies"], *document["dependency-groups"]["dev"]]


def _locked() -> dict[str, str]:
    """Each requirement of the lock with its options, by name."""
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    return {_name(block): block for block in blocks}


def test_every_direct_dependency_has_its_reason_beside_it():
    unexplained = [d for d in _direct() if not re.search(rf'^  "{re.escape(d)}", +# \w', PROJECT, re.MULTILINE)]
    assert _direct()
    assert unexplained == []


def test_every_direct_dependency_is_locked():
    assert {_name(requirement) for requirement in _direct()} <= set(_locked())


def test_everything_locked_is_one_version_by_its_hashes():
    loose = [
        name
        for name, block in _locked().items()
        if not re.search(r"==\S+.*--hash=sha256:[0-9a-f]{64}", block, re.DOTALL)
    ]
    assert loose == []


def test_the_lock_names_no_place():
    assert [
        line for line in LOCK.splitlines() if "://" in line or " @ " in line or "index" in line.partition("==")[0]
    ] == []
