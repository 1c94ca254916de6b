"""Readers of other people's files under fuzz: what is written, how it is damaged, and what has to hold afterwards."""
