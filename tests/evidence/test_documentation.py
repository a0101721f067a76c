"""docs/evidence.md says what the verifier does, rule by rule and kind by kind."""

import re
from pathlib import Path

from fairlead.evidence import limits
from fairlead.evidence.predicates import PREDICATES
from fairlead.evidence.reading import READING_RULES
from fairlead.evidence.rules.signers import AGENT_KINDS
from fairlead.evidence.verify import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()


def _rows(heading):
    section = PAGE.split(f"\n## {heading}")[1].split("\n## ")[0]
    return [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]


def test_every_rule_stands_in_its_order():
    documented = [re.search(r"`(\w+)`", row[0])[1] for row in _rows("Rules")]
    assert documented == [*READING_RULES, *(rule.name for rule in RULES)]


def test_every_kind_stands_with_its_signer():
    rows = [(re.search(r"`(\w+)`", row[0])[1], row[1].strip()) for row in _rows("Statements")]
    assert {kind for kind, _ in rows} == {model.KIND for model in PREDICATES.values()}
    assert {kind for kind, signer in rows if signer == "`agent:<name>`"} == AGENT_KINDS


def test_the_limits_are_those_in_force():
    numbers = (limits.MAX_BUNDLE_BYTES // 2**20, limits.MAX_DEPTH, limits.MAX_ENVELOPES, limits.MAX_VOTES)
    row = next(row[1] for row in _rows("Rules") if "limits" in row[0])
    assert "{} MiB, {} levels, {} envelopes, {} votes".format(*numbers) in row
