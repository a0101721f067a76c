"""What the server finds wrong with itself."""

from fastapi import APIRouter

from api.deps import CallerDep, ServicesDep
from api.doctor import examine
from api.route import Route
from fairlead.domain.grades import Findings

router = APIRouter(prefix="/doctor", tags=["system"], route_class=Route)


@router.get("")
async def doctor(caller: CallerDep, services: ServicesDep) -> Findings:
    """Everything that was looked at, with how to mend what is wrong."""
    return Findings(items=await examine(services, caller))
