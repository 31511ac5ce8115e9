"""What all tests share: property tests are repeatable and judge results, not the machine's speed."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("flowkit", deadline=None, derandomize=True)
settings.load_profile("flowkit")
