"""Judgement: pure functions from fact files and the thresholds of the configuration to checks, causes and the verdict.

No other wing holds an opinion, and this one imports only `lora.records`: every judgement is tested without audio or
torch. `volume` decides in mid-flow which `max_seconds` to train with; all else is asked by `verdict`, which is to be
read first: it asks the diagnoses (`data_checks`, `headroom`, `labels`, `training`, `adapter`, `outcomes`, `parity`) for
their findings. `causes` is the table of all cause codes. `hardening` (how a harder manifest is made and entered) only
states facts for others.
"""
