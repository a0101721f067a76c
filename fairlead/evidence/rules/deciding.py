"""The plan, the verdicts and what was decided on them."""

from collections import Counter
from collections.abc import Iterator

from fairlead.contracts.canonical import digest_of
from fairlead.evidence import predicates as p
from fairlead.evidence.case import Case, accepted_digests
from fairlead.evidence.report import Rule


def _plan(case: Case) -> Iterator[str]:
    if not case.decision:
        return
    said = case.decision.predicate
    if (said.plan is None) != (said.plan_document is None):
        yield "the decision has a plan without its document, or a document without its digest"
    if case.plan is None:
        return
    if digest_of(said.plan_document) != said.plan:
        yield "the plan's digest is not the one that was decided on"
    if (case.plan.environment, case.plan.release) != (said.environment, said.release):
        yield "the plan is for another environment or release"
    if max(Counter(target.name for target in case.plan.targets).values(), default=0) != 1:
        yield "the plan has no target, or one twice"
    yield from _planned_components(case)


def _planned_components(case: Case) -> Iterator[str]:
    for target in case.plan.targets if case.plan else ():
        for component in target.components:
            where = f"the plan's {component.name} on {target.name}"
            if component.digest not in accepted_digests(case.manifest, component.name):
                yield f"{where} is not of the release"
            elif case.manifest and case.manifest.templates.get(component.name) != component.template:
                yield f"{where} has another template than the release"


def _verdicts(case: Case) -> Iterator[str]:
    for entry in case.of(p.VerdictPredicate):
        said, ours = entry.predicate, entry.predicate.extension
        allowed = ours.decision == "allow"
        expected = (
            p.verifier_id(case.trust.project),
            p.release_uri(case.trust.project, case.manifest.version) if case.manifest else None,
            p.gate_uri(ours.gate),
            "PASSED" if allowed else "FAILED",
            (p.level_of(ours.gate) if allowed else "FAILED",),
            (p.STATEMENT_URI, p.FACTS_URI),
        )
        found = (
            said.verifier.id,
            said.resource_uri,
            said.policy.uri,
            said.verification_result,
            said.verified_levels,
            tuple(resource.uri for resource in said.input_attestations),
        )
        if found != expected:
            yield f"{entry}: the summary does not say what the gate {ours.gate} said"
        if not said.policy.digest.get("sha256"):
            yield f"{entry} does not name the settings that the gate judged by"
        if said.time_verified > ours.time:
            yield f"{entry} was sealed before the gate was judged"
    gates = Counter(entry.predicate.extension.gate for entry in case.of(p.VerdictPredicate))
    yield from (f"the gate {gate} has {count} verdicts" for gate, count in gates.items() if count > 1)


def _decision(case: Case) -> Iterator[str]:
    if not case.decision:
        if case.of(p.DeploymentPredicate):
            yield "something was deployed without a decision"
        return
    said = case.decision.predicate
    if said.result == "deny":
        if case.of(p.DeploymentPredicate):
            yield "it was denied, and deployed"
        return
    if said.plan is None:
        yield "it was allowed without a plan"
    for entry in case.of(p.VerdictPredicate):
        if entry.predicate.extension.decision != "allow":
            yield f"it was allowed, though the gate {entry.predicate.extension.gate} said {entry.predicate.extension.decision}"
        if said.plan and entry.predicate.extension.plan not in {None, said.plan}:
            yield f"{entry} judged another plan"


RULES = (
    Rule("plan", "the plan has the digest decided on, and is made of the release", _plan),
    Rule(
        "verdict", "every verdict is a verification summary that says what its gate said, one for each gate", _verdicts
    ),
    Rule("decision", "the decision follows from verdicts and plan, and nothing happened without it", _decision),
)
