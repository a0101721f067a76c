"""A worker's hands as a process of their own: `python -m tests.fire.racer TYPE HOSTS LAYOUTS FAIL_POINTS`.

One order on each line of stdin, `[claim, specification]`; one word on each line of stdout, `applied` or the code of the error.
"""

import json
import sys
from pathlib import Path

from agents.docker_host import DockerHost
from agents.process_host.host import ProcessHost
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import TargetSpec
from fairlead.domain.errors import FairleadError
from fairlead.domain.fence import Claim
from fairlead.ports import Executor
from workers.fail_points import FileFailPoints


def build(type: str, hosts: str, layouts: str, points: str) -> Executor:
    """The executor that a worker has for this type of target."""
    images, fail_points = ImageStore(Path(layouts)), FileFailPoints(Path(points))
    return DockerHost(images, fail_points) if type == "docker_host" else ProcessHost(Path(hosts), images, fail_points)


def obey(executor: Executor, order: str) -> str:
    """What came of it."""
    claim, spec = json.loads(order)
    try:
        executor.apply(TargetSpec.model_validate(spec), Claim.parse(claim), lambda: None)
    except FairleadError as error:
        return str(error.code)
    return "applied"


def main() -> None:
    """Until stdin ends."""
    executor = build(*sys.argv[1:])
    for order in sys.stdin:
        sys.stdout.write(obey(executor, order) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
