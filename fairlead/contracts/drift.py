"""Arguments and results of looking for drift. Digests and names only, like those in contracts.steps."""

from datetime import datetime

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest


class Watch(Frozen):
    """What to look at. `number`: of the environment's newest deployment; a newer one makes what is seen meanwhile mean nothing."""

    number: int = 0
    targets: tuple[str, ...] = ()


class Sight(Frozen):
    """Look at one target now."""

    project: str
    environment: str
    target: str
    time: datetime


class Sighted(Frozen):
    """What was seen of a target at `time`, by the kept observation's digest."""

    target: str
    time: datetime
    observation: Digest


class LooksTaken(Frozen):
    """One look at every target of an environment, to be judged at `time`. `number`: as it was before."""

    project: str
    environment: str
    time: datetime
    number: int
    seen: tuple[Sighted, ...]


class Watched(Frozen):
    """What a look came to. `silent`: nothing was judged, a deployment is or was under way. `drifted`: targets that differ, by now twice in a row.

    `changed`: targets whose drift is not what it was. `reconverge`: the promotion that is to put it right.
    """

    silent: bool = False
    drifted: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reconverge: str | None = None
