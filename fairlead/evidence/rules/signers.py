"""Who signed what: every signature holds, by a known key, in its role, in its time."""

from collections.abc import Iterator

from fairlead.evidence.case import Case
from fairlead.evidence.report import Rule
from fairlead.evidence.trust import AGENT_PREFIX, DECISION

AGENT_KINDS = frozenset({"deployment", "observation", "drift"})


def _signatures(case: Case) -> Iterator[str]:
    for entry in case.entries:
        if entry.opened.keyid in case.trust.keys and not case.trust.verifies(entry.opened):
            yield f"{entry}: the signature is not by key {entry.opened.keyid}"


def _known_keys(case: Case) -> Iterator[str]:
    for entry in case.entries:
        if entry.opened.keyid not in case.trust.keys:
            yield f"{entry}: key {entry.opened.keyid} is not in the trust file"


def _roles(case: Case) -> Iterator[str]:
    for entry in case.entries:
        key = case.trust.keys.get(entry.opened.keyid)
        if key and not may_sign(entry.kind, key.roles):
            yield f"{entry}: a key with the roles {', '.join(key.roles)} may not sign it"


def _key_times(case: Case) -> Iterator[str]:
    for entry in case.entries:
        key = case.trust.keys.get(entry.opened.keyid)
        if key and not key.valid_at(entry.predicate.time):
            yield f"{entry}: its key was not valid at {entry.predicate.time.isoformat()}"


def may_sign(kind: str, roles: tuple[str, ...]) -> bool:
    """The table of interface.md 6: agents sign what they did and saw, the decision key all else."""
    if kind in AGENT_KINDS:
        return any(role.startswith(AGENT_PREFIX) for role in roles)
    return DECISION in roles


RULES = (
    Rule("signature", "every statement carries a valid signature", _signatures),
    Rule("known_key", "every statement is signed by a key of the trust file", _known_keys),
    Rule("role", "every key has the role that the kind of statement asks for", _roles),
    Rule("key_time", "every key was valid at the time of what it signed", _key_times),
)
