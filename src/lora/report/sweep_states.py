"""The words for the states of a hypothesis."""

from __future__ import annotations

from lora.records.sweep import State

NOT_RUN = "not run"
STATES: dict[State, str] = {
    "supported": "supported",
    "refuted": "refuted",
    "undecided": "undecided",
    "not_run": NOT_RUN,
}
