"""The gates: pure rules over gathered facts, each answering a Verdict (design decision 5).

What a gate is given is one JSON value `{"gate", "policy", "facts"}`; its digest is the verdict's `facts`, so that the same
value and the same instant give the same verdict later (`fairlead evidence replay`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fairlead.domain.verdict import Verdict

PREVIOUS_ENVIRONMENT = "previous_environment"
FREEZE = "freeze"
APPROVAL = "approval"
SECURITY = "security"

GateInput = Mapping[str, Any]
Digester = Callable[[Any], str]


def judge(given: GateInput, now: datetime, digest: Digester) -> Verdict:
    """Let the gate that `given` names answer; facts it cannot read are an `error`, never an allow."""
    raise NotImplementedError
