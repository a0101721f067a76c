"""Nobody else may own, or stand in for, one of our top-level packages."""

from pathlib import Path

import pytest

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from workers.shadow import PACKAGES, check_owners, check_places, refuse_shadowed


def test_this_environment_is_ours() -> None:
    refuse_shadowed()


def test_our_own_distribution_may_own_our_packages() -> None:
    check_owners(dict.fromkeys(PACKAGES, ("fairlead",)))


@pytest.mark.parametrize("package", PACKAGES)
def test_another_owner_is_refused_by_name(package: str) -> None:
    with pytest.raises(Refused, match="openai-agents") as caught:
        check_owners({package: ["fairlead", "openai-agents"]})
    assert caught.value.code == Code.PACKAGE_SHADOWED


def test_an_installed_distribution_with_a_package_of_ours_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "intruder-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: intruder\nVersion: 1.0\n")
    (installed / "top_level.txt").write_text("agents\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Refused, match="agents also belongs to intruder"):
        refuse_shadowed()


@pytest.mark.parametrize("strange", [Path("/elsewhere"), None])
def test_a_package_that_is_found_elsewhere_is_refused(strange: Path | None) -> None:
    with pytest.raises(Refused):
        check_places({**dict.fromkeys(PACKAGES, Path("/ours")), "agents": strange})
