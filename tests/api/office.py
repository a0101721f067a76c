"""The shop behind the API, with keys for those who call it."""

import json
from datetime import datetime
from typing import Any

import httpx
import yaml
from fastapi import FastAPI

from api.app import create_app
from api.services import Services
from fairlead.commands import keys
from fairlead.contracts.records import PromotionRecord
from fairlead.store.waiting import Wakeups
from tests.activities.shop import NOW, SHOP, PlayedImages, Shop
from tests.fakes.orchestrator import PlayedOrchestrator
from tests.fixtures.postgres import FreshDatabase

BASE = "/api/v1"
SHOP_PATH = f"{BASE}/projects/shop"


class Office:
    """A shop, its API and its clients. `time` is what the API takes for now."""

    def __init__(self, postgres: FreshDatabase) -> None:
        self.shop = Shop(postgres.db)
        self.time: datetime = NOW
        self.orchestrator = PlayedOrchestrator(postgres.db, self.shop.decision, lambda: self.time)
        self.wakeups = Wakeups(postgres.app_url)
        self.services = Services(
            database=postgres.db,
            wakeups=self.wakeups,
            orchestrator=self.orchestrator,
            images=PlayedImages(),
            decision=self.shop.decision,
            ledger=self.shop.ledger,
            now=lambda: self.time,
            agents={"worker": self.shop.agent},
        )
        self.app: FastAPI = create_app(self.services)

    def key(self, subject: str = "ana", scope: str = "member", project: str | None = "shop") -> str:
        """A new bearer key."""
        made = keys.create_key(self.services.database, project=project, subject=subject, scope=scope, now=NOW)
        return made.secret

    def client(self, subject: str = "ana", **key: Any) -> httpx.AsyncClient:
        """An HTTP client of somebody; without a subject of nobody."""
        headers = {"Authorization": f"Bearer {self.key(subject, **key)}"} if subject else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://fairlead", headers=headers)

    def promotion(self, version: str = "1.0.0", environment: str = "prod", requester: str = "ana") -> PromotionRecord:
        """A promotion that has been asked for."""
        return self.shop.promote(version, environment, requester=requester)

    def open_votes(self, requester: str = "ana") -> tuple[PromotionRecord, str]:
        """A promotion that takes votes, and the plan they are about."""
        promotion = self.promotion(requester=requester)
        return promotion, self.shop.open_votes(promotion)


def catalogue_text(**changes: Any) -> str:
    """The shop's catalogue as YAML, without anchors."""
    return yaml.safe_dump(json.loads(json.dumps({**SHOP, **changes})), sort_keys=False)
