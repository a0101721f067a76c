"""Which tests one process of a run takes together: those of a file, and all that look at the one whole system."""

from xdist.scheduler import LoadFileScheduling

ONE_SYSTEM = "tests/system/"
"""Its servers take a sixth of a core each even when nobody asks them anything, so a run starts them once, and ends them with its tests."""


class ByWhatIsShared(LoadFileScheduling):
    """What is slow to start is started by one process only."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_SYSTEM if nodeid.startswith(ONE_SYSTEM) else super()._split_scope(nodeid)
