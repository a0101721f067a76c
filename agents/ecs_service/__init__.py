"""Targets that are ECS services, reached over AWS's API."""

from agents.ecs_service.host import EcsService

__all__ = ["EcsService"]
