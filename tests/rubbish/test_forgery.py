"""A real bundle, changed everywhere: by somebody without a key, and by somebody with all of ours. Each change is refused and names its rule."""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from fairlead.contracts.canonical import canonical
from fairlead.evidence import bundle as bundles
from tests.evidence.real import Real, statement_of
from tests.evidence.resealing import Resealed, judged, name_of, promotion_of

NO_SHRINKING = (Phase.explicit, Phase.generate)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
Path = tuple[Any, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every path into a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*path, key)
        yield from places(child, (*path, key))


def other(value: Any) -> Any:
    """A value of the same type that is not the same: of an instant another one, of a digest another digest."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return "21" + value[2:] if INSTANT.match(value) else value[:-1] + ("0" if value[-1:] != "0" else "1")
    return type(value)()


def changed(document: dict[str, Any], path: Path, change: str) -> bool:
    """Remove or change one place; whether that made a difference."""
    *steps, last = path
    for step in steps:
        document = document[step]
    before = document[last]
    document[last] = other(before)
    if change == "removed":
        del document[last]
    return change == "removed" or document[last] != before


@seed(500)
@settings(max_examples=500, deadline=None, phases=NO_SHRINKING, database=None)
@given(st.data())
def test_a_flipped_bit_is_refused(real: Real, data: st.DataObject) -> None:
    flipped = bytearray(bundles.write(real.bundle))
    position = data.draw(st.integers(0, len(flipped) - 1))
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    assert judged(real, bytes(flipped)).failed


@pytest.mark.parametrize("change", ["removed", "changed"])
def test_every_field_of_a_bundle_matters(real: Real, change: str) -> None:
    unnoticed = []
    for path in places(real.bundle):
        if path[-1] != 0 and "proof" in path[:-1]:
            continue  # of each proof the first hash
        document = real.copy()
        if changed(document, path, change) and not judged(real, document).failed:
            unnoticed.append(path)
    assert unnoticed == []


def fields(real: Real) -> Iterator[tuple[str, int, Path]]:
    """Every field of every kind of statement once: the statement's name, its place in the bundle, the path."""
    seen = set()
    for position, item in enumerate(real.bundle["envelopes"]):
        statement = statement_of(item["envelope"])
        for path in places(statement) if promotion_of(statement) == real.went_back else ():
            if changed(statement_of(item["envelope"]), path, "changed") and kind_of(statement, path) not in seen:
                seen.add(kind_of(statement, path))
                yield name_of(statement), position, path


def kind_of(statement: dict[str, Any], path: Path) -> str:
    """The same for all verdicts, all targets, all votes."""
    kind = re.sub(r"^(verdict|observation) \S+", r"\1", name_of(statement))
    return f"{kind} {'/'.join('*' if isinstance(step, int) else step for step in path)}"


def test_no_field_of_a_statement_can_be_changed_without_a_key(real: Real) -> None:
    for _, position, path in fields(real):
        document = real.copy()
        envelope = document["envelopes"][position]["envelope"]
        statement = statement_of(envelope)
        changed(statement, path, "changed")
        envelope["payload"] = base64.b64encode(canonical(statement)).decode()
        failed = judged(real, document).failed
        assert {"inclusion", "signature"} <= set(failed) or failed in {("statement",), ("limits",)}, path


SOMEBODYS_WORD = {
    # the decision key's: who asked, by which rules, on which facts, when, and in words
    "verdict": "policy/digest/sha256 ext/time ext/message ext/details",
    "votes": "time votes/*/groups",
    "decision": "time requester intent approval/requester approval/groups approval/expires",
    "verification": "time code",
    "rollback": "time code",
    "outcome": "time code",
    # an agent's: what it did and saw; it may always say that something was not well
    "deployment": "time code number targets/*/attempt targets/*/touched targets/*/sent",
    "observation": "time ok components/*/created components/*/since components/*/detail components/*/fence "
    "components/*/instance components/*/restarts",
}


def is_somebodys_word(field: str) -> bool:
    """Whether docs/evidence.md says that it is."""
    kind, _, path = field.replace(" of rollback", "").partition(" predicate/")
    path = path.replace("urn:fairlead:vsa-ext:v1", "ext")
    return any(path == free or path.startswith(f"{free}/") for free in SOMEBODYS_WORD.get(kind, "").split())


def test_only_what_stays_somebodys_word_can_be_changed_by_the_holder_of_our_keys(real: Real) -> None:
    unnoticed = [
        kind_of(statement_of(real.bundle["envelopes"][position]["envelope"]), path)
        for name, position, path in fields(real)
        if not judged(real, Resealed(real, {name: changing(path)}).bundle()).failed
    ]
    assert [field for field in unnoticed if not is_somebodys_word(field)] == []
    assert "decision predicate/requester" in unnoticed


def changing(path: Path) -> Callable[[dict[str, Any]], object]:
    return lambda statement: changed(statement, path, "changed")


def inputs_of(real: Real) -> Iterator[tuple[str, int]]:
    """Every input of every statement."""
    for item in real.bundle["envelopes"]:
        statement = statement_of(item["envelope"])
        if promotion_of(statement) == real.went_back:
            said = statement["predicate"]
            yield from ((name_of(statement), n) for n in range(len(said.get("inputs", said.get("inputAttestations")))))


def dropping(index: int) -> Callable[[dict[str, Any]], None]:
    """Leaves out one input, by whoever holds the key."""

    def drop(statement: dict[str, Any]) -> None:
        said = statement["predicate"]
        del said["inputs" if "inputs" in said else "inputAttestations"][index]

    return drop


def test_every_input_is_required(real: Real) -> None:
    for name, index in inputs_of(real):
        failed = judged(real, Resealed(real, {name: dropping(index)}).bundle()).failed
        assert "inputs" in failed or "outcome" in failed, (name, index, failed)


def test_every_statement_is_required(real: Real) -> None:
    for position, item in enumerate(real.bundle["envelopes"]):
        document = real.copy()
        del document["envelopes"][position]
        failed = judged(real, document).failed
        assert {"outcome", "release", "chain"} & set(failed), name_of(statement_of(item["envelope"]))
