"""What the recorded agent told of itself and of its one node."""

from typing import Any

_TTL = 30_000_000_000
SELF: dict[str, Any] = {
    "config": {
        "ACL": {
            "Enabled": False, "PolicyTTL": _TTL, "ReplicationToken": "", "RoleTTL": _TTL, "TokenMaxExpirationTTL": 0,
            "TokenMinExpirationTTL": 0, "TokenTTL": _TTL,
        },
        "Datacenter": "dc1",
        "Region": "global",
        "NodeName": "",
        "Ports": {"HTTP": 14646, "RPC": 14647, "Serf": 14648},
        "Version": {"BuildDate": None, "Revision": "", "Version": "2.0.6", "VersionMetadata": "", "VersionPrerelease": "dev"},
        "Server": {
            "Enabled": True, "BootstrapExpect": 1, "DeploymentGCThreshold": "", "JobGCThreshold": "", "EvalGCThreshold": "",
            "JobTrackedVersions": 6, "JobDefaultPriority": None, "JobMaxPriority": None,
        },
        "DevMode": False,
    },
    "member": {
        "Addr": "127.0.0.1", "DelegateCur": 4, "DelegateMax": 5, "DelegateMin": 2, "Name": "node-1.global", "Port": 14648, "ProtocolCur": 2,
        "ProtocolMax": 5, "ProtocolMin": 1, "Status": "alive",
        "Tags": {
            "raft_vsn": "3", "region": "global", "dc": "dc1", "revision": "", "id": "20cb7528-f188-b08d-68b4-d13f13bf6af1",
            "rpc_addr": "127.0.0.1", "bootstrap": "1", "role": "nomad", "port": "14647", "expect": "1", "build": "2.0.6-dev", "vsn": "1",
        },
    },
    "stats": {
        "client": {},
        "nomad": {"leader": "true", "leader_addr": "127.0.0.1:14647", "bootstrap": "true", "known_regions": "1", "server": "true"},
        "raft": {}, "serf": {}, "runtime": {},
    },
}  # fmt: skip


def _driver(seen: str) -> dict[str, Any]:
    return {"Attributes": {}, "Detected": True, "HealthDescription": "Healthy", "Healthy": True, "UpdateTime": seen}


NODE: dict[str, Any] = {
    "Address": "127.0.0.1", "CreateIndex": 8, "Datacenter": "dc1", "Drain": False,
    "Drivers": {"docker": _driver("2026-11-21T03:42:50.974901694Z"), "raw_exec": _driver("2026-11-21T03:42:50.915888163Z")},
    "HostVolumes": {}, "ID": "3c375e2a-fcf2-ba8b-b6d0-3141ca591944", "LastDrain": None, "ModifyIndex": 992, "Name": "node-1", "NodeClass": "",
    "NodePool": "default", "SchedulingEligibility": "eligible", "Status": "ready", "StatusDescription": "", "Version": "2.0.6-dev",
}  # fmt: skip
