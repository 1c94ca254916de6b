"""The exact interval of a share (Clopper & Pearson 1934)."""

from __future__ import annotations


def share_interval(hits: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """Ends of the interval of `hits / rows`; (0, 1) without rows."""
    from scipy.special import betaincinv  # here, because the command lines that only read facts load no numpy

    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, rows - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, rows - hits, 1 - tail)) if hits < rows else 1.0
    return low, high
