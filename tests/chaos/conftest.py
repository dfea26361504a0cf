"""As campaign.py, which is a program, finds its modules and the cluster's."""

import sys
from pathlib import Path

for folder in (Path(__file__).parents[2], Path(__file__).parents[1]):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
