"""The FastAPI application, made from its services."""

from fastapi import FastAPI

from api.services import Services


def create_app(services: Services) -> FastAPI:
    """The API of interface.md 4 over these services; `workers` serves it with uvicorn."""
    raise NotImplementedError
