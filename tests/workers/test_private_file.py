"""What is private is so from its first byte."""

from pathlib import Path

import pytest

from workers.private_file import write_private


def test_a_private_file_is_replaced_at_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "one")
    write_private(path, "two")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.mkdir()
    with pytest.raises(OSError, match="secret"):
        write_private(path, "one")
    assert list(tmp_path.iterdir()) == [path]
