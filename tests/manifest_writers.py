"""The small study's manifests, written as other tools would have written them.

Each writer takes the study, the name of a manifest and its rows, and returns the entry for `manifests` in config.yaml.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import soundfile
from small_study import Study

Rows = list[dict[str, Any]]


def audio_of(study: Study, row: dict[str, Any]) -> Path:
    return study.folder / "data" / row["audio"]


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def nemo(study: Study, name: str, rows: Rows) -> Any:
    path = study.folder / f"data/{name}.nemo.json"
    lines(
        path,
        [
            {"audio_filepath": r["audio"], "duration": r["duration"], "text": r["text"], "speaker": r["speaker_id"]}
            for r in rows
        ],
    )
    return f"data/{name}.nemo.json"


def lhotse(study: Study, name: str, rows: Rows) -> Any:
    """Relative to the study, as a recipe that runs there would write; the cased text is in a custom field."""
    cuts = []
    for row in rows:
        info = soundfile.info(str(audio_of(study, row)))
        seconds = info.frames / info.samplerate
        part = {"id": f"{row['id']}-s", "recording_id": row["id"], "start": 0.0, "duration": seconds, "channel": 0}
        part |= {"text": row["text"].upper(), "speaker": row["speaker_id"], "custom": {"cased": row["text"]}}
        source = {"type": "file", "channels": [0], "source": f"data/{row['audio']}"}
        recording = {"id": row["id"], "sources": [source], "sampling_rate": info.samplerate, "num_samples": info.frames}
        cuts.append(
            {
                "id": row["id"],
                "start": 0,
                "duration": seconds,
                "channel": 0,
                "supervisions": [part],
                "recording": recording | {"duration": seconds},
                "type": "MonoCut",
            }
        )
    path = study.folder / f"data/{name}_cuts.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(cut) + "\n" for cut in cuts)
    return {"path": f"data/{name}_cuts.jsonl.gz", "columns": {"text": "cased"}}


def kaldi(study: Study, name: str, rows: Rows) -> Any:
    """Usually there is one long recording per speaker; here every recording has one segment."""
    folder = study.folder / f"data/kaldi/{name}"
    folder.mkdir(parents=True)
    written = {
        "wav.scp": [f"rec-{r['id']} data/{r['audio']}" for r in rows],
        "text": [f"{r['id']} {r['text']}" for r in rows],
        "utt2spk": [f"{r['id']} {r['speaker_id']}" for r in rows],
        "segments": [f"{r['id']} rec-{r['id']} 0.00 {r['duration']}" for r in rows],
    }
    for file, text in written.items():
        (folder / file).write_text("\n".join(text) + "\n")
    return f"data/kaldi/{name}"


def common_voice(study: Study, name: str, rows: Rows) -> Any:
    folder = study.folder / "data/cv/en"
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    table = ["client_id\tpath\tsentence\tup_votes"]
    for row in rows:
        file = Path(row["audio"]).name
        shutil.copy(audio_of(study, row), folder / "clips" / file)
        table.append(f"{row['speaker_id']}\t{file}\t{row['text']}\t2")
    (folder / f"{name}.tsv").write_text("\n".join(table) + "\n")
    return {"path": "data/cv/en", "split": name}


def librispeech(study: Study, name: str, rows: Rows) -> Any:
    """Speakers are numbers; audio files stay as they are, because FLAC would contain other samples."""
    speakers = sorted({row["speaker_id"] for row in rows})
    chapters: dict[Path, list[str]] = {}
    for number, row in enumerate(rows):
        speaker = 100 + speakers.index(row["speaker_id"])
        folder = study.folder / f"data/LibriSpeech/{name}/{speaker}/7"
        folder.mkdir(parents=True, exist_ok=True)
        key = f"{speaker}-7-{number:04d}"
        shutil.copy(audio_of(study, row), folder / f"{key}{Path(row['audio']).suffix}")
        chapters.setdefault(folder / f"{speaker}-7.trans.txt", []).append(f"{key} {row['text']}")
    for path, text in chapters.items():
        path.write_text("\n".join(text) + "\n")
    return {"path": "data/LibriSpeech", "split": name}


def audiofolder(study: Study, name: str, rows: Rows) -> Any:
    folder = study.folder / f"data/folder/{name}"
    folder.mkdir(parents=True)
    for row in rows:
        shutil.copy(audio_of(study, row), folder / Path(row["audio"]).name)
    lines(
        folder / "metadata.jsonl",
        [
            {"file_name": Path(r["audio"]).name, "transcription": r["text"], "speaker": r["speaker_id"], "id": r["id"]}
            for r in rows
        ],
    )
    return f"data/folder/{name}"


def table_of(study: Study, rows: Rows) -> pyarrow.Table:
    columns = {
        "audio": [{"bytes": audio_of(study, r).read_bytes(), "path": Path(r["audio"]).name} for r in rows],
        "sentence": [r["text"] for r in rows],
        "speaker_id": [r["speaker_id"] for r in rows],
    }
    info = {"info": {"features": {"audio": {"_type": "Audio"}}}}
    return pyarrow.table(columns).replace_schema_metadata({"huggingface": json.dumps(info)})


def datasets(study: Study, name: str, rows: Rows) -> Any:
    """The layout of `DatasetDict.save_to_disk`, in two shards."""
    folder = study.folder / f"data/saved/{name}"
    folder.mkdir(parents=True)
    (folder.parent / "dataset_dict.json").write_text(json.dumps({"splits": [name]}))
    table, half = table_of(study, rows), len(rows) // 2
    files = []
    for shard, part in enumerate([table.slice(0, half), table.slice(half)]):
        files.append(f"data-{shard:05d}-of-00002.arrow")
        with pyarrow.ipc.new_stream(folder / files[-1], table.schema) as stream:
            stream.write_table(part, max_chunksize=3)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": file} for file in files]}))
    (folder / "dataset_info.json").write_text("{}")
    return {"path": "data/saved", "split": name}


def parquet(study: Study, name: str, rows: Rows) -> Any:
    folder = study.folder / "data/hub/data"
    folder.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table_of(study, rows), folder / f"{name}-00000-of-00001.parquet")
    (folder / "other-00000-of-00001.parquet").write_bytes(b"")
    return {"path": "data/hub", "split": name}


def csv_of_any_columns(study: Study, name: str, rows: Rows) -> Any:
    path = study.folder / f"data/{name}.csv"
    table = ["wav_path,raw,normalized,who"]
    table += [f'{r["audio"]},x,"{r["text"]}",{r["speaker_id"]}' for r in rows]
    path.write_text("\n".join(table) + "\n")
    columns = {"audio": "wav_path", "text": "normalized", "speaker_id": "who"}
    return {"path": f"data/{name}.csv", "columns": columns}


def inline_samples(study: Study, name: str, rows: Rows) -> Any:
    written = []
    for row in rows:
        samples, rate = soundfile.read(audio_of(study, row), dtype="float32")
        written.append({"samples": samples.tolist(), "sampling_rate": rate, "text": row["text"]})
        written[-1] |= {"id": row["id"], "speaker_id": row["speaker_id"]}
    lines(study.folder / f"data/{name}.inline.jsonl", written)
    return f"data/{name}.inline.jsonl"


WRITERS: dict[str, Callable[[Study, str, Rows], Any]] = {
    "nemo": nemo,
    "lhotse": lhotse,
    "kaldi": kaldi,
    "common_voice": common_voice,
    "librispeech": librispeech,
    "audiofolder": audiofolder,
    "datasets": datasets,
    "parquet": parquet,
    "csv": csv_of_any_columns,
    "jsonl": inline_samples,
}
