"""Decides the hypotheses of a sweep from its comparisons."""
