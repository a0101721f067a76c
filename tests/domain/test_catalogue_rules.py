"""What a catalogue document may say, and what is refused where."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalogue import StrategyType, TargetType
from fairlead.domain.catalogue_document import document, template
from fairlead.domain.catalogue_links import find_cycle
from fairlead.domain.catalogue_rules import read
from fairlead.domain.codes import Code
from fairlead.domain.component_rules import read_template
from tests.domain.documents import GOOD, MISSING, good_with

BAD: list[tuple[str, object, Code]] = [
    ("project", MISSING, Code.MISSING_FIELD),
    ("project", "", Code.MISSING_FIELD),
    ("project", "Shop", Code.BAD_NAME),
    ("project", "-shop", Code.BAD_NAME),
    ("project", "a" * 41, Code.BAD_NAME),
    ("enviroments", {}, Code.UNKNOWN_FIELD),
    ("people", ["ana"], Code.BAD_VALUE),
    ("people/ana/groups", "sre", Code.BAD_VALUE),
    ("people/ana/groups", ["S R E"], Code.BAD_NAME),
    ("people/ana/keys", ["nonsense"], Code.BAD_VALUE),
    ("components/Web", {"repository": "localhost:5000/x"}, Code.BAD_NAME),
    ("components/web", "image", Code.BAD_VALUE),
    ("components/web/repository", MISSING, Code.MISSING_FIELD),
    ("components/web/repository", "nginx", Code.BAD_VALUE),
    ("components/web/repository", "localhost:5000/web:1.0", Code.BAD_VALUE),
    ("components/web/repository", "localhost:5000/web@sha256:abc", Code.BAD_VALUE),
    ("components/web/repository", "https://localhost:5000/web", Code.BAD_VALUE),
    ("components/web/repository", "oci-layout:../web", Code.BAD_VALUE),
    ("components/web/repository", "oci-layout:/etc", Code.BAD_VALUE),
    ("components/web/repository", "oci-layout:a/../../b", Code.BAD_VALUE),
    ("components/web/command", "./serve", Code.BAD_VALUE),
    ("components/web/command", [True], Code.BAD_VALUE),
    ("components/web/ports", ["8080"], Code.BAD_VALUE),
    ("components/web/ports", ["0:8080"], Code.BAD_VALUE),
    ("components/web/ports", ["8080:65536"], Code.BAD_VALUE),
    ("components/web/ports", ["8080:1", "8080:2"], Code.BAD_VALUE),
    ("components/web/ports", ["8081:8080"], Code.BAD_VALUE),
    ("components/web/env/DEBUG", True, Code.BAD_VALUE),
    ("components/web/env/DEBUG", None, Code.BAD_VALUE),
    ("components/web/env/A B", "x", Code.BAD_NAME),
    ("components/web/env/NUL", "a\0b", Code.BAD_VALUE),
    ("components/web/env/LONE", "\ud800", Code.BAD_VALUE),
    ("components/web/secrets/DB", "vault://kv/x", Code.BAD_VALUE),
    ("components/web/secrets/DB", "hunter2", Code.BAD_VALUE),
    ("components/web/secrets/D B", "env://DB", Code.BAD_NAME),
    ("components/web/secrets/GREETING", "env://DB", Code.DUPLICATE_KEY),
    ("components/web/docker/secrets", "volumes", Code.BAD_VALUE),
    ("environments/dev/drift", {"policy": "shout"}, Code.BAD_VALUE),
    ("environments/dev/drift", {"every": "10ms"}, Code.BAD_DURATION),
    ("environments/dev/drift", {"per_hour": 0}, Code.BAD_VALUE),
    ("environments/dev/drift", {"give_up": 3}, Code.UNKNOWN_FIELD),
    ("config", {"components": {"wbe": {"command": ["x"]}}}, Code.UNKNOWN_NAME),
    ("config/env/A B", None, Code.BAD_NAME),
    ("label_config", {}, Code.BAD_VALUE),
    ("label_config", [{"config": {"env": {"A": "1"}}}], Code.MISSING_FIELD),
    ("label_config", [{"labels": {"a": "b"}, "config": {"ports": {"wbe": []}}}], Code.UNKNOWN_NAME),
    ("label_config", [{"labels": {"a": "b\nc"}, "config": {"env": {"A": "b"}}}], Code.BAD_VALUE),
    ("targets/prod-1/labels", {"site": "ams\x1b[2J"}, Code.BAD_VALUE),
    ("components/web/depends_on", ["apis"], Code.UNKNOWN_NAME),
    ("components/web/depends_on", ["web"], Code.CYCLE),
    ("components/api/depends_on", ["web"], Code.CYCLE),
    ("components/web/health", None, Code.MISSING_FIELD),
    ("components/web/health/port", 70_000, Code.BAD_VALUE),
    ("components/web/health/port", True, Code.BAD_VALUE),
    ("components/web/health/http", "healthz", Code.BAD_VALUE),
    ("components/web/health/interval", "1 second", Code.BAD_DURATION),
    ("components/web/health/interval", "0s", Code.BAD_DURATION),
    ("components/web/health/interval", 1, Code.BAD_DURATION),
    ("components/web/health/retries", 0, Code.BAD_VALUE),
    ("components/web/stop_grace", "2h", Code.BAD_DURATION),
    ("environments/dev/targets", MISSING, Code.MISSING_FIELD),
    ("environments/dev/targets", ["dev-2"], Code.UNKNOWN_NAME),
    ("environments/dev/targets", ["dev-1", "dev-1"], Code.BAD_VALUE),
    ("environments/dev/targets", ["prod-1"], Code.BAD_VALUE),
    ("environments/dev/targets", {"select": {}}, Code.MISSING_FIELD),
    ("environments/dev/targets", {"labels": {"site": "ams"}}, Code.UNKNOWN_FIELD),
    ("environments/dev/targets", {"select": {"site": "asm"}}, Code.BAD_VALUE),
    ("environments/dev/targets", {"select": ["site"]}, Code.BAD_VALUE),
    ("environments/dev/after", ["prod"], Code.CYCLE),
    ("environments/prod/after", ["stage"], Code.UNKNOWN_NAME),
    ("environments/dev/soak", "2000d", Code.BAD_DURATION),
    ("environments/dev/production", "true", Code.BAD_VALUE),
    ("environments/prod/gates/securty", {}, Code.UNKNOWN_FIELD),
    ("environments/prod/gates/security/block", "severe", Code.BAD_VALUE),
    ("environments/prod/gates/security/reachable", 1, Code.BAD_VALUE),
    ("environments/prod/approval", None, Code.MISSING_FIELD),
    ("environments/prod/approval/count", MISSING, Code.MISSING_FIELD),
    ("environments/prod/approval/count", 0, Code.BAD_VALUE),
    ("environments/prod/approval/count", 3, Code.BAD_VALUE),
    ("environments/prod/approval/count", True, Code.BAD_VALUE),
    ("environments/prod/approval/groups/sre", 2, Code.BAD_VALUE),
    ("environments/prod/approval/groups/ops", 1, Code.UNKNOWN_NAME),
    ("environments/prod/approval/requester", "may", Code.BAD_VALUE),
    ("environments/prod/approval/expires", "0s", Code.BAD_DURATION),
    ("environments/prod/strategy/type", "canary", Code.NOT_SUPPORTED_YET),
    ("environments/prod/strategy/type", "quick", Code.BAD_VALUE),
    ("environments/prod/strategy/batch", 0, Code.BAD_VALUE),
    ("environments/prod/strategy/min_healthy_time", "5m", Code.BAD_VALUE),
    ("environments/prod/on_failure", "pause", Code.NOT_SUPPORTED_YET),
    ("environments/prod/on_failure", "stop", Code.NOT_SUPPORTED_YET),
    ("environments/prod/on_failure", "ignore", Code.BAD_VALUE),
    ("environments/prod/config/ports/wbe", ["1:2"], Code.UNKNOWN_NAME),
    ("environments/prod/config/replicas", 2, Code.UNKNOWN_FIELD),
    ("targets/prod-1/type", MISSING, Code.MISSING_FIELD),
    ("targets/prod-1/type", "docker", Code.BAD_VALUE),
    ("targets/prod-1/endpoint", MISSING, Code.MISSING_FIELD),
    ("targets/prod-1/endpoint", "tcp://1.2.3.4:2375", Code.PLAINTEXT_REFUSED),
    ("targets/dev-1/endpoint", "process:///var/../etc", Code.BAD_VALUE),
    ("targets/dev-1/endpoint", "process:Dev", Code.BAD_VALUE),
    ("targets/prod-1/config/ports/web", ["8081:8080"], Code.BAD_VALUE),
]


# What clashes with something declared elsewhere is told at one of the two.
TOLD_ELSEWHERE: list[tuple[str, object, Code]] = [
    ("components/web/ports", ["8081:8080"], Code.BAD_VALUE),
    ("components/api/depends_on", ["web"], Code.CYCLE),
    ("environments/dev/targets", ["prod-1"], Code.BAD_VALUE),
    ("environments/prod/strategy/min_healthy_time", "5m", Code.BAD_VALUE),
    ("targets/prod-1/config/ports/web", ["8081:8080"], Code.BAD_VALUE),
]


def test_a_good_document_has_no_flaws() -> None:
    reading = read(GOOD)
    assert reading.flaws == ()
    prod = reading.catalogue.environments["prod"]
    assert (prod.strategy.type, prod.strategy.batch, prod.on_failure) == (StrategyType.ROLLING, 1, "rollback")
    assert reading.catalogue.environments["dev"].soak == 600.0
    assert reading.catalogue.targets["dev-1"].type is TargetType.PROCESS_HOST


@pytest.mark.parametrize(("path", "value", "code"), BAD)
def test_each_rule_refuses_with_its_own_code(path: str, value: object, code: Code) -> None:
    assert code in {flaw.code for flaw in read(good_with(path, value)).flaws}


@pytest.mark.parametrize(("path", "value", "code"), [bad for bad in BAD if bad not in TOLD_ELSEWHERE])
def test_a_flaw_points_at_what_is_wrong_or_at_what_it_is_missing_from(path: str, value: object, code: Code) -> None:
    at = "/" + path
    pointers = [flaw.pointer for flaw in read(good_with(path, value)).flaws if flaw.code is code]
    assert any(p.startswith(at) or (value is MISSING and at.startswith(p)) for p in pointers)


@pytest.mark.parametrize(
    ("path", "value", "pointer", "says"),
    [
        ("environments/prod/after", ["devv"], "/environments/prod/after/0", "did you mean dev?"),
        ("components/web/prots", [], "/components/web/prots", "did you mean ports?"),
        ("components/web/env", {"A~B/C": "x"}, "/components/web/env/A~0B~1C", "not the name"),
        ("environments/dev/after", ["prod"], "/environments/dev/after", "dev -> prod -> dev"),
        ("environments/prod/approval/groups/sra", 1, "/environments/prod/approval/groups/sra", "did you mean sre?"),
    ],
)
def test_a_flaw_says_where_and_what_was_meant(path: str, value: object, pointer: str, says: str) -> None:
    flaws = {flaw.pointer: flaw.detail for flaw in read(good_with(path, value)).flaws}
    assert says in flaws[pointer]


def test_numbers_become_text_where_text_is_wanted() -> None:
    web = read(GOOD).catalogue.components["web"]
    assert web.env["WORKERS"] == "2"
    assert web.command == ("./serve", "--port", "8080")


def test_an_empty_security_gate_is_a_gate() -> None:
    assert read(good_with("environments/prod/gates/security", None)).catalogue.environments["prod"].security is not None


def test_every_flaw_is_told_at_once() -> None:
    document = good_with("components/web/ports", ["x"])
    document["environments"]["dev"]["soak"] = "soon"
    document["unknown"] = 1
    assert {flaw.code for flaw in read(document).flaws} == {Code.BAD_VALUE, Code.BAD_DURATION, Code.UNKNOWN_FIELD}


@pytest.mark.parametrize("value", [None, [], "text", 7, {"project": {"a": 1}}, {"project": ["shop"]}])
def test_what_is_no_catalogue_is_a_flaw_and_never_an_error(value: object) -> None:
    assert read(value).flaws


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([path for path, *_ in BAD]), json_values)
def test_no_value_anywhere_breaks_the_reader(path: str, value: Any) -> None:
    reading = read(good_with(path, value))
    if not reading.flaws:
        assert read(document(reading.catalogue)).catalogue == reading.catalogue


def test_the_normalised_document_reads_back_and_stays_the_same() -> None:
    catalogue = read(GOOD).catalogue
    normal = document(catalogue)
    assert read(normal).flaws == ()
    assert read(normal).catalogue == catalogue
    assert document(read(normal).catalogue) == normal


def test_two_ways_to_write_it_give_one_document() -> None:
    other = good_with("environments/dev/soak", "600s")
    other["components"]["web"]["health"].pop("timeout")
    assert document(read(other).catalogue) == document(read(GOOD).catalogue)


def test_a_template_is_the_block_without_repository_and_reads_back() -> None:
    web = read(GOOD).catalogue.components["web"]
    frozen = template(web)
    assert "repository" not in frozen
    assert read_template("web", web.repository, frozen) == web


def test_what_is_no_template_is_refused() -> None:
    with pytest.raises(ValueError, match="/ports"):
        read_template("web", "oci-layout:web", {"ports": ["x"]})


@given(st.dictionaries(st.integers(0, 6), st.lists(st.integers(0, 6))))
def test_a_cycle_is_a_real_one(graph: dict[int, list[int]]) -> None:
    edges = {str(name): [str(n) for n in followers] for name, followers in graph.items()}
    cycle = find_cycle(edges)
    assert all(after in edges[before] for before, after in pairwise(cycle))
    assert not cycle or cycle[0] == cycle[-1]


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_a_graph_that_only_goes_down_has_no_cycle(pairs: set[tuple[int, int]]) -> None:
    assert find_cycle({str(a): [str(b) for x, b in pairs if x == a and b < a] for a, _ in pairs}) == ()
