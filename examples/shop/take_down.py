"""Ends the applications of the process hosts in a folder: what `fairlead dev` leaves running on purpose.

python examples/shop/take_down.py FOLDER
"""

import sys
from pathlib import Path

from workers.demo.targets import end_processes

if __name__ == "__main__":
    end_processes(Path(sys.argv[1]))
