"""Simulated Sentinel scenes of simulated mines: for the demo, for tests, and for training chips.

Nothing here is observed: every item, place and file says that it is simulated.
"""

from deploy.simulate.chips import make_chips
from deploy.simulate.scenes import make

__all__ = ["make", "make_chips"]
