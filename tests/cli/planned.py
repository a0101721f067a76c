"""What a target is told of a release that stands in a catalogue."""

from fairlead.commands import catalogue, plans
from fairlead.contracts.target import TargetAddress, TargetSpec
from fairlead.store import releases
from tests.api.office import Office


def planned(office: Office, version: str, at: TargetAddress) -> TargetSpec:
    """The specification of a release's only target in its environment."""
    with office.services.database.session() as s:
        release = releases.get(s, at.project, version)
        assert release is not None
        plan = plans.make_plan(s, catalogue.of_project(s, at.project), at.environment, release)
        components = tuple(plans._specified(s, release, component) for component in plan.targets[0].components)
    told = at.model_dump(exclude={"options"})
    return TargetSpec(**told, release=version, deployment="d", decision="sha256:" + "d" * 64, components=components)
