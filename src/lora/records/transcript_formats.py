"""Formats of transcript files: the names that `format` may have in config.yaml and on command lines, and what they are.

The readers are in `lora.data.transcripts.files`. The schema of config.yaml takes its choices from here.
"""

from __future__ import annotations

TRANSCRIPT_FORMATS = {
    "predictions": "One JSON object of lists, `predictions` and `references`, as evaluation scripts write it.",
    "segments": "`start`, `end`, `text` of one recording: Whisper JSON, faster-whisper JSON, CSV, TSV; or a folder.",
    "jsonl": 'JSON lines or one JSON list: `{"id": "u1", "hypothesis": "..."}`; or one object of texts by id: '
    '`{"u1": "...", "u2": "..."}`.',
    "trn": "sclite: `words of the hypothesis (u1)`, comments `;;`.",
    "recogs": "icefall: `u1: ref=['the', 'words']` and `u1: hyp=['the', 'words']`.",
    "ctm": "NIST: `file channel start duration word [confidence]`, comments `;;`.",
    "stm": "NIST: `file channel speaker start end <labels> words`, comments `;;`.",
    "tsv": "A header, then a row per line; tabs.",
    "csv": "A header, then a row per line; commas or the separator of the header.",
    "parquet": "A Parquet file with a row per utterance.",
    "lines": "One text per line without ids, matched by line.",
    "text": "Kaldi: `u1 words of the hypothesis`; an id alone is an empty hypothesis.",
}
