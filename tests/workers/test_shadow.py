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


@pytest.mark.parametrize("strange", [Path("/elsewhere"), None])
def test_a_package_that_is_found_elsewhere_is_refused(strange: Path | None) -> None:
    with pytest.raises(Refused):
        check_places({**dict.fromkeys(PACKAGES, Path("/ours")), "agents": strange})
