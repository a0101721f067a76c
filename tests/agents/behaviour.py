"""The one table of what every executor does, real or in memory (design decision 8)."""

from tests.agents.drifting import DRIFTING
from tests.agents.failing import FAILING
from tests.agents.handing import HANDING
from tests.agents.keeping import KEEPING
from tests.agents.mending import MENDING
from tests.agents.running import RUNNING
from tests.agents.telling import TELLING

BEHAVIOURS = (*RUNNING, *FAILING, *MENDING, *KEEPING, *HANDING, *DRIFTING, *TELLING)
