"""The one table of what every executor does, real or in memory (design decision 8)."""

from tests.targets.drifting import DRIFTING
from tests.targets.failing import FAILING
from tests.targets.handing import HANDING
from tests.targets.keeping import KEEPING
from tests.targets.mending import MENDING
from tests.targets.running import RUNNING
from tests.targets.telling import TELLING

BEHAVIOURS = (*RUNNING, *FAILING, *MENDING, *KEEPING, *HANDING, *DRIFTING, *TELLING)
