"""Imports a clean Trivy report for each image of the newest release, as CI would after scanning. Reports go to FOLDER.

python examples/shop/scan.py FOLDER
"""

import json
import subprocess
import sys
from pathlib import Path

from workers.demo.reports import trivy


def fairlead(*words: str) -> str:
    """What the `fairlead` command prints."""
    return subprocess.run(
        [sys.executable, "-m", "fairlead.cli.main", *words], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    newest = json.loads(fairlead("release", "list", "--json"))["items"][0]
    for component, pinned in newest["manifest"]["components"].items():
        report = Path(sys.argv[1]) / f"trivy-{component}.json"
        report.write_text(json.dumps(trivy(component, pinned["digest"], cve=None)))
        sys.stdout.write(fairlead("report", "import", pinned["digest"], str(report)))
