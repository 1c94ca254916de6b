"""The faults and neighbours of a real Whisper, which the modules that plant them add."""

from __future__ import annotations

from cases import Cases

REAL = Cases()
fault, neighbour = REAL.fault, REAL.neighbour
