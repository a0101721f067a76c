"""What was deployed is what was decided, what was seen is what was deployed, and the verification says just that."""

from collections.abc import Iterator

from fairlead.domain.health import Health
from fairlead.domain.states import TaskState
from fairlead.evidence import predicates as p
from fairlead.evidence.case import Case, Entry, accepted_digests
from fairlead.evidence.report import Rule


def _deployment(case: Case) -> Iterator[str]:
    entry = case.deployment(is_rollback=False)
    if entry is None:
        return
    said = entry.predicate
    decided = case.decision.predicate if case.decision else None
    if decided is None or said.plan != decided.plan or case.plan is None:
        yield f"{entry} carries out another plan than the one decided on"
        return
    planned = {target.name: target for target in case.plan.targets}
    if sorted(target.name for target in said.targets) != sorted(planned):
        yield f"{entry}: its targets are not the plan's"
        return
    for done in said.targets:
        if done.retire != (planned[done.name].retire is True):
            yield f"{entry}: {done.name} was taken down, or was to be and was not"
        elif done.hand_over != planned[done.name].hand_over or (done.hand_over and not done.retire):
            yield f"{entry}: {done.name} was handed over, or was to be and was not"
        elif not done.retire and done.release_digest != decided.release:
            yield f"{entry}: {done.name} got another release than was decided on"
        asked = tuple(
            p.PlacedComponent(name=c.name, digest=c.digest, config=c.config) for c in planned[done.name].components
        )
        if not same_components(case, done.release_digest, done.components, asked):
            yield f"{entry}: {done.name} got something else than the plan says"
    yield from _claimed_success(entry)


def _rolled_back(case: Case) -> Iterator[str]:
    entry, order = case.deployment(is_rollback=True), case.rollback
    if entry is None:
        return
    failed = case.deployment(is_rollback=False)
    if order is None or failed is None:
        yield f"{entry} has no rollback statement or no failed deployment before it"
        return
    if entry.predicate.number <= failed.predicate.number:
        yield f"{entry} has no higher number than the deployment that it rolls back"
    asked = {target.name: target for target in order.predicate.targets}
    if sorted(target.name for target in entry.predicate.targets) != sorted(asked):
        yield f"{entry}: its targets are not those of the rollback statement"
        return
    for done in entry.predicate.targets:
        wanted = asked[done.name]
        places = (done.release, done.release_digest, done.retire, done.hand_over) == (
            wanted.release,
            wanted.release_digest,
            wanted.retire,
            None,
        )
        if not places or not same_components(case, done.release_digest, done.components, wanted.components):
            yield f"{entry}: {done.name} went to something else than the rollback statement says"
    yield from _claimed_success(entry)


def _claimed_success(entry: Entry[p.DeploymentPredicate]) -> Iterator[str]:
    if entry.predicate.result == "succeeded":
        for target in entry.predicate.targets:
            if target.state not in {TaskState.SUCCEEDED, TaskState.SKIPPED}:
                yield f"{entry} says it succeeded, and {target.name} is {target.state.value}"


def same_components(
    case: Case, release: str, done: tuple[p.PlacedComponent, ...], asked: tuple[p.PlacedComponent, ...]
) -> bool:
    """Whether what was placed is what was asked for; index and platform digests of one component are the same."""
    return len(done) == len(asked) and all(
        mine.name == theirs.name
        and mine.config == theirs.config
        and mine.digest in {theirs.digest, *_equals(case, release, theirs)}
        for mine, theirs in zip(done, asked, strict=True)
    )


def _equals(case: Case, release: str, component: p.PlacedComponent) -> frozenset[str]:
    accepted = accepted_digests(case.manifests.get(release), component.name)
    return accepted if component.digest in accepted else frozenset()


def _observation(case: Case) -> Iterator[str]:
    for entry in case.of(p.ObservationPredicate):
        said = entry.predicate
        deployment = case.deployment(is_rollback=said.is_rollback)
        targets = deployment.predicate.targets if deployment else ()
        target = next((target for target in targets if target.name == said.target), None)
        if target is None:
            yield f"{entry} is of a target that was not deployed to"
        elif (said.release_digest, said.retire, said.hand_over) != (
            target.release_digest,
            target.retire,
            target.hand_over,
        ):
            yield f"{entry} is about another release than was deployed to {said.target}"
        elif said.ok:
            yield from (f"{entry} says ok, and {problem}" for problem in _not_ok(case, said, target))


def _not_ok(case: Case, said: p.ObservationPredicate, target: p.DeployedTarget) -> Iterator[str]:
    if not said.reachable:
        yield f"{said.target} was not reached"
    running = {seen.name: seen for seen in said.components if seen.health != Health.MISSING}
    if len(running) != sum(seen.health != Health.MISSING for seen in said.components):
        yield "a component was seen twice"
    if extra := set(running) - {component.name for component in target.components}:
        yield f"{', '.join(sorted(extra))} should not run there"
    for component in target.components:
        seen = running.get(component.name)
        if seen is None or seen.health != Health.HEALTHY:
            yield f"{component.name} was not seen healthy"
        elif seen.digest not in {component.digest, *_equals(case, target.release_digest, component)}:
            yield f"{component.name} runs another digest"
        elif seen.config != component.config:
            yield f"{component.name} runs with another configuration"


def _verification(case: Case) -> Iterator[str]:
    for entry in case.of(p.VerificationPredicate):
        if entry.predicate.result != "passed":
            continue
        deployment = case.deployment(is_rollback=entry.predicate.is_rollback)
        if deployment is None or deployment.predicate.result != "succeeded":
            yield f"{entry} passed a deployment that did not succeed"
            continue
        seen = {e.predicate.target: e.predicate.ok for e in case.observations(deployment.predicate.deployment)}
        for target in deployment.predicate.targets:
            if not seen.get(target.name, False):
                yield f"{entry} passed, and {target.name} was not seen well"


def _deployments(case: Case) -> Iterator[str]:
    yield from _deployment(case)
    yield from _rolled_back(case)
    for entry in case.of(p.DeploymentPredicate):
        yield from _sent(entry)


def _sent(entry: Entry[p.DeploymentPredicate]) -> Iterator[str]:
    """Files are named where something was sent, each once; what they say is checked by who has them."""
    for target in entry.predicate.targets:
        names = [file.name for file in target.sent or ()]
        if names and (target.retire or not target.touched):
            yield f"{entry}: files were sent to {target.name}, where nothing was changed"
        if len(set(names)) != len(names):
            yield f"{entry}: two files that were sent to {target.name} have one name"


RULES = (
    Rule("deployment", "what was deployed is the plan, and a rollback what its statement says", _deployments),
    Rule("observation", "what was seen and called well is what was deployed", _observation),
    Rule("verification", "what passed had succeeded, and was seen well on every target", _verification),
)
