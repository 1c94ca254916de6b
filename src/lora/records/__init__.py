"""Typed records of the files of a study (facts, transcripts, settings, verdict), and their JSON.

Every stage of the workflow writes records, and only `lora.diagnosis` judges them. This package is the contract between
all other packages and imports none of them. `lora.layout` lists the files that contain the records, docs/results.md
describes their keys. Durations are seconds, WER is a fraction (0.12 is 12 %), losses are nats per token. A fact that
could not be computed for a diagnosable reason has `status: impossible`, a cause code and a message.
"""
