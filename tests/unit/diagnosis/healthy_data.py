"""Facts about healthy data."""

from __future__ import annotations

from typing import Any


def dropped(threshold: float, **changes: Any) -> dict[str, Any]:
    return {
        "threshold": threshold, "rows": 85, "hours": 0.35, "lost_speakers": [], "expected_lost_speakers": 0.1,
        "lost_words": ["capstan", "hawser"], "lost_word_count": 14, "expected_lost_word_count": 13.4,
        "lost_word_share": 0.0025, "expected_lost_word_share": 0.0024, "kept_words_per_second": 2.7,
        "dropped_words_per_second": 2.8,
    } | changes  # fmt: skip


def retention(**changes: Any) -> dict[str, Any]:
    """`changes` are of what the chosen threshold, 10 s, removes."""
    everything = {"threshold": None, "rows": 360, "hours": 0.9, "speakers": 40, "words": 400}
    others = [dropped(threshold) for threshold in (5, 8, 15, 20)]
    return {"curve": [everything], "dropped": [*others, dropped(10, **changes)]}


def measures(rows: int, **changes: Any) -> list[dict[str, Any]]:
    """Recordings of 4 s, all alike but for their content; `changes` are of the third one (line 3)."""
    measured = [
        {
            "line": i,
            "id": f"r{i}",
            "problem": None,
            "manifest_duration": 4.0,
            "characters": 60,
            "seconds": 4.0,
            "rate": 16000,
            "channels": 1,
            "level": -18.0,
            "clipped": 0.0,
            "bandwidth": 8000.0,
            "audio_hash": f"{i:032x}",
        }
        for i in range(1, rows + 1)
    ]
    if rows > 2:
        measured[2] |= changes
    return measured


def manifest_facts(rows: int, **changes: Any) -> dict[str, Any]:
    return {
        "format": "jsonl",
        "split": None,
        "columns": {"audio": "audio", "text": "text", "speaker_id": "speaker"},
        "rows": rows,
        "rejected": 0,
        "hours": rows / 400,
        "speakers": 20,
    } | changes


def shared(count: int) -> list[dict[str, Any]]:
    return [{"line": i, "id": f"r{i}", "train_line": 7, "train_id": "t7"} for i in range(1, count + 1)]


def leakage(manifest: str, rows: int, **changes: Any) -> dict[str, Any]:
    return {
        "manifest": manifest,
        "rows": rows,
        "speakers": 20,
        "same_audio": [],
        "same_reading": [],
        "same_sentence": [],
        "shared_speakers": [],
    } | changes


def mismatches(manifest: str, rows: int, compared: int, *mismatched: dict[str, Any]) -> dict[str, Any]:
    return {
        "manifest": manifest,
        "rows": rows,
        "compared": compared,
        "too_short": 0,
        "suspects": len(mismatched),
        "generic_hypotheses": 0,
        "comparisons": compared + 25 * len(mismatched),
        "mismatched": list(mismatched),
    }


def mismatched(line: int, other: int, own_distance: float = 0.8, other_distance: float = 0.1) -> dict[str, Any]:
    return {
        "line": line,
        "id": f"r{line}",
        "own_distance": own_distance,
        "other_line": other,
        "other_id": f"r{other}",
        "other_distance": other_distance,
    }


def stability(**changes: Any) -> dict[str, Any]:
    """Splits with 20 seeds; `changes` are of the last one."""
    splits = [{"seed": 13 + i, "train_rows": 230, "train_speakers": 36} for i in range(20)]
    return {"max_seconds": 10.0, "speakers": 40, "splits": [*splits[:-1], splits[-1] | changes]}
