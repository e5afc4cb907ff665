import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from exposures import repository

__all__ = ["repository"]
