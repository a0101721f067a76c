"""A catalogue document that breaks no rule, to be broken in one place by each test."""

from copy import deepcopy
from typing import Any

GOOD: dict[str, Any] = {
    "project": "shop",
    "people": {"ana": {"groups": ["sre"]}, "ben": {"groups": ["dev"]}},
    "components": {
        "api": {"repository": "localhost:5000/shop/api", "ports": ["8081:8080"]},
        "web": {
            "repository": "oci-layout:shop/web",
            "command": ["./serve", "--port", 8080],
            "ports": ["8080:8080"],
            "env": {"GREETING": "hello", "WORKERS": 2},
            "depends_on": ["api"],
            "health": {"http": "/healthz", "port": 8080, "interval": "1s", "timeout": "2s", "retries": 5},
        },
    },
    "environments": {
        "dev": {"targets": ["dev-1"], "soak": "10m"},
        "prod": {
            "targets": ["prod-1", "prod-2"],
            "after": ["dev"],
            "production": True,
            "gates": {"security": {"block": "high"}},
            "approval": {"count": 2, "groups": {"sre": 1}},
            "strategy": {"type": "rolling", "batch": 1},
            "config": {"env": {"GREETING": "bonjour"}},
            "drift": {"policy": "block", "every": "1m"},
        },
    },
    "targets": {
        "dev-1": {"type": "process_host", "endpoint": "process:dev"},
        "prod-1": {"type": "docker_host", "endpoint": "unix:///var/run/docker.sock"},
        "prod-2": {
            "type": "docker_host",
            "endpoint": "unix:///var/run/docker.sock",
            "labels": {"site": "ams"},
            "config": {"ports": {"web": ["9080:8080"], "api": ["9081:8080"]}},
        },
    },
}

MISSING = object()


def good_with(path: str, value: object) -> dict[str, Any]:
    """The good document with one value, found by a path of names and indexes, put in or (MISSING) taken out."""
    document = deepcopy(GOOD)
    *above, last = path.split("/")
    inner: Any = document
    for step in above:
        inner = inner[int(step)] if isinstance(inner, list) else inner.setdefault(step, {})
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return document
