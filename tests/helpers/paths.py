"""Where the repository and the real images are."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AVP = ROOT.parent / "shared" / "avp"  # Alien vs. Predator, which is not ours to copy into the repository
needs_avp = pytest.mark.skipif(not AVP.is_dir(), reason=f"the real images are not in {AVP}")
