"""What should run beside what does: nothing that cannot be told is ever fine."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.compare import compare
from fairlead.contracts.release import RenderedConfig
from fairlead.contracts.target import ComponentObservation, ComponentSpec, TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.drift import Kind
from fairlead.domain.health import Health

INDEX, AMD64, CONFIG, OTHER = (digest_of(name) for name in ("index", "amd64", "config", "other"))
RENDERED = RenderedConfig(
    component="web", repository="r/web", target_type="process_host", endpoint="process:a", stop_grace=1
)
WEB = ComponentSpec(name="web", digest=INDEX, platforms={"linux/amd64": AMD64}, config_digest=CONFIG, config=RENDERED)


def seen(**changes: Any) -> TargetObservation:
    component = {"name": "web", "health": Health.HEALTHY, "digest": INDEX, "config": CONFIG}
    return TargetObservation(target="a", reachable=True, components=(ComponentObservation(**{**component, **changes}),))


@pytest.mark.parametrize("digest", [INDEX, AMD64])
def test_index_and_platform_digest_are_the_same_release(digest: str) -> None:
    assert compare([WEB], seen(digest=digest)) == ()


@pytest.mark.parametrize(
    ("changes", "code", "kind"),
    [
        ({"digest": OTHER}, Code.OBSERVATION_DIFFERS, Kind.WRONG_DIGEST),
        ({"digest": None}, Code.OBSERVATION_DIFFERS, Kind.UNVERIFIABLE),
        ({"config": OTHER}, Code.OBSERVATION_DIFFERS, Kind.WRONG_CONFIG),
        ({"config": None}, Code.OBSERVATION_DIFFERS, Kind.WRONG_CONFIG),
        ({"health": Health.MISSING}, Code.OBSERVATION_DIFFERS, Kind.MISSING),
        ({"health": Health.UNHEALTHY}, Code.UNHEALTHY, Kind.UNHEALTHY),
        ({"health": Health.STARTING}, Code.UNHEALTHY, Kind.UNHEALTHY),
        ({"health": Health.UNVERIFIABLE}, Code.UNHEALTHY, Kind.UNVERIFIABLE),
    ],
)
def test_one_thing_wrong_is_one_difference(changes: dict[str, Any], code: Code, kind: Kind) -> None:
    (difference,) = compare([WEB], seen(**changes))
    assert (difference.code, difference.kind, difference.component) == (code, kind, "web")


def test_a_component_that_is_not_there_differs() -> None:
    (difference,) = compare([WEB], TargetObservation(target="a", reachable=True))
    assert difference.code == Code.OBSERVATION_DIFFERS


def test_a_component_that_should_not_be_there_differs() -> None:
    (difference,) = compare([], seen())
    assert (difference.code, difference.kind) == (Code.OBSERVATION_DIFFERS, Kind.EXTRA)


def test_nothing_where_nothing_should_be_is_fine() -> None:
    assert compare([], TargetObservation(target="a", reachable=True)) == ()
    assert compare([], seen(health=Health.MISSING)) == ()


def test_a_target_that_cannot_be_reached_is_never_fine() -> None:
    (difference,) = compare([], TargetObservation(target="a", reachable=False))
    assert (difference.code, difference.kind) == (Code.TARGET_UNREACHABLE, Kind.UNREACHABLE)


@given(
    digest=st.sampled_from([INDEX, AMD64, OTHER, None]),
    config=st.sampled_from([CONFIG, OTHER, None]),
    health=st.sampled_from(list(Health)),
)
def test_only_the_right_thing_in_good_health_is_fine(digest: str | None, config: str | None, health: Health) -> None:
    right = digest in {INDEX, AMD64} and config == CONFIG and health is Health.HEALTHY
    assert (compare([WEB], seen(digest=digest, config=config, health=health)) == ()) == right
