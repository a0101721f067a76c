"""Docker hosts in the catalogue."""

import re

from fairlead.domain.target_kinds.kind import TargetKind

KIND = TargetKind(endpoint=re.compile(r"unix:///[^\s?#]+"), example="unix:///path/docker.sock", key="docker")
