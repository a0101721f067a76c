"""Which tests one process of a run takes together, and which are taken first."""

from xdist.scheduler import LoadFileScheduling

ONE_SYSTEM = "tests/system/"
"""Its servers take memory and a part of a core even when nobody asks them anything, so a run starts them once, and ends them with its tests."""
BY_HARNESS = "tests/targets/test_behaviour.py"
"""One table for all executors: each executor's part of it may go to another process."""
LONG = (ONE_SYSTEM, "tests/fire/", "tests/targets/", "tests/workers/", "tests/rubbish/", "tests/cli/", "tests/agents/")
"""Where tests take longest. They come first, so that at the end of a run no process has to wait for another."""


class ByWhatIsShared(LoadFileScheduling):
    """What is slow to start is started by one process only."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ONE_SYSTEM):
            return ONE_SYSTEM
        return nodeid.partition("-")[0] if nodeid.startswith(BY_HARNESS) else super()._split_scope(nodeid)


def turn(nodeid: str) -> int:
    """When a test's turn comes: the lower the earlier."""
    return next((turn for turn, folder in enumerate(LONG) if nodeid.startswith(folder)), len(LONG))
