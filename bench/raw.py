"""A Temporal workflow that does nothing but run activities one after the other: what any product on Temporal pays at the least."""

from datetime import timedelta

from temporalio import workflow

QUEUE = "bench-raw"
NAME = "BenchRaw"
ACTIVITY = "bench_write"


@workflow.defn(name=NAME)
class RawWorkflow:
    """So many activities, each of which writes one row."""

    @workflow.run
    async def run(self, count: int) -> int:
        """One after the other."""
        for number in range(count):
            await workflow.execute_activity(ACTIVITY, number, start_to_close_timeout=timedelta(seconds=30))
        return count
