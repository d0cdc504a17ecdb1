"""What tests ask of the processor."""

import pytest

from versus.frameworks import devices

needs_bfloat16 = pytest.mark.skipif(not devices.has_bfloat16(), reason="this processor has no bfloat16")
