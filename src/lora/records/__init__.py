"""The typed records that files of a study hold (facts, transcripts, settings, verdict), and their way to and from JSON.

Every stage of the workflow writes records, and only `lora.diagnosis` judges them: this package is the contract between
all wings and imports none of them. Durations are seconds, WER is a fraction (0.12 = 12 %), losses are nats a token.
A fact that could not be computed because of a diagnosable cause has `status: impossible`, the cause code and a message.
"""
