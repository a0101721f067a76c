"""Arguments and results of the activities that seal statements."""

from datetime import datetime

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.steps import Observed
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Verdict


class SealDecision(Frozen):
    """Seal the verdicts it rests on, the votes and the decision. `result`: allow | deny."""

    promotion: str
    time: datetime
    result: str
    plan: Digest | None = None
    verdicts: tuple[Verdict, ...] = ()
    approval: ApprovalTerms | None = None
    code: str | None = None


class SealDeployment(Frozen):
    """Seal what a deployment did, then what was seen: the deployment, its observations and its verification statement.

    `ok`: whether the verification passed.
    """

    deployment: str
    time: datetime
    ok: bool
    observed: tuple[Observed, ...] = ()
    code: str | None = None
    detail: str = ""


class SealRollback(Frozen):
    """Seal, before the first change of a rollback, why it happens and where each target goes back to."""

    deployment: str
    rollback: str
    time: datetime
    code: str
    detail: str = ""


class SealOutcome(Frozen):
    promotion: str
    time: datetime
    state: PromotionState
    code: str | None = None
    detail: str = ""


class Sealed(Frozen):
    """Digests of the statements that were sealed, in ledger order; the last is the one asked for."""

    statements: tuple[Digest, ...]
