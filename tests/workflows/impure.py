"""A workflow that does what none may, for the test that the sandbox is on."""

import random  # noqa: TID251
import uuid
from datetime import datetime

from temporalio import workflow


@workflow.defn
class ImpureWorkflow:
    """Reads the clock, rolls dice or opens files."""

    @workflow.run
    async def run(self, what: str) -> str:
        """Do it."""
        match what:
            case "clock":
                return str(datetime.now())  # noqa: DTZ005, TID251
            case "uuid":
                return str(uuid.uuid4())  # noqa: TID251
            case "random":
                return str(random.random())
            case _:
                with open("/dev/null") as file:
                    return file.read()
