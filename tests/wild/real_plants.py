"""Faults planted into the study of a real Whisper on accented English, as people have reported them, and neighbours.

What is planted in labels and adapters is judged with the trained adapter as an external candidate, so that nothing is
trained again.
"""

from __future__ import annotations

import real_adapters  # noqa: F401  (each adds its cases)
import real_labels  # noqa: F401
import real_training  # noqa: F401
import real_transcripts  # noqa: F401
from real_cases import REAL

__all__ = ["REAL"]
