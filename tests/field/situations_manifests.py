"""Manifests as other tools and spreadsheets write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from field_cases import Expected, field_case

RATE = 8000
SECONDS = (1.5, 2.25)
TEXTS = ("the cat sat", "a dog ran home")
READ = ({"text": TEXTS[0], "duration": SECONDS[0]}, {"text": TEXTS[1], "duration": SECONDS[1]})


def recordings(folder: Path, where: str = "wav") -> list[str]:
    """Write two tones; return their paths from the folder."""
    (folder / where).mkdir(parents=True, exist_ok=True)
    names = []
    for number, seconds in enumerate(SECONDS):
        tone = 0.2 * np.sin(np.arange(int(seconds * RATE)) * 0.3)
        soundfile.write(folder / where / f"u{number}.wav", tone, RATE)
        names.append(f"{where}/u{number}.wav")
    return names


def table(folder: Path, name: str, lines: list[str], encoding: str = "utf-8") -> list[str]:
    (folder / name).write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return ["--manifest", name]


def json_lines(folder: Path, name: str, rows: list[dict[str, Any]]) -> list[str]:
    return table(folder, name, [json.dumps(row, ensure_ascii=False) for row in rows])


@field_case(
    name="DeepSpeech CSV",
    area="manifests",
    situation="columns wav_filename, wav_filesize and transcript",
    source="DeepSpeech, Coqui STT",
    command="convert",
    expected=Expected(rows=READ, silent_on=("warning",)),
)
def deepspeech(folder: Path) -> list[str]:
    lines = [f"{audio},12345,{text}" for audio, text in zip(recordings(folder), TEXTS, strict=True)]
    return table(folder, "train.csv", ["wav_filename,wav_filesize,transcript", *lines])


@field_case(
    name="spreadsheet with semicolons",
    area="manifests",
    situation="semicolons, decimal commas, Windows paths and cp1252",
    source="spreadsheet exports",
    command="convert",
    expected=Expected(rows=({"text": "café naïve", "duration": 1.5},), says=("read as cp1252: line 2",)),
)
def spreadsheet(folder: Path) -> list[str]:
    audio = recordings(folder)[0].replace("/", "\\")
    return table(folder, "train.csv", ["Audio;Text;Duration", f"{audio};café naïve;1,50"], encoding="cp1252")


@field_case(
    name="UTF-16 with tabs",
    area="manifests",
    situation="a spreadsheet saved as Unicode text: UTF-16, tabs, named .csv",
    source="spreadsheet exports",
    command="convert",
    expected=Expected(rows=({"text": "žluťoučký kůň", "duration": 1.5},), says=("UTF-16",)),
)
def utf16(folder: Path) -> list[str]:
    audio = recordings(folder)[0]
    return table(folder, "train.csv", ["AUDIO\tTEXT\tDURATION", f"{audio}\tžluťoučký kůň\t1,5 s"], encoding="utf-16")


@field_case(
    name="comma inside a text",
    area="manifests",
    situation="an ordinary CSV whose texts contain semicolons and commas",
    source="neighbour",
    command="convert",
    expected=Expected(rows=({"text": "well; yes, indeed", "duration": 1.5},), silent_on=("note:", "warning")),
)
def comma_inside(folder: Path) -> list[str]:
    return table(folder, "train.csv", ["audio,text,duration", f'{recordings(folder)[0]},"well; yes, indeed",1.5'])


@field_case(
    name="JSON list",
    area="manifests",
    situation="a NeMo manifest as one pretty-printed JSON list",
    source="NVIDIA-NeMo/Speech#2234",
    command="convert",
    expected=Expected(rows=READ, says=("read as nemo",)),
)
def json_list(folder: Path) -> list[str]:
    rows = [
        {"audio_filepath": audio, "duration": seconds, "text": text}
        for audio, seconds, text in zip(recordings(folder), SECONDS, TEXTS, strict=True)
    ]
    return table(folder, "train.json", json.dumps(rows, indent=2).split("\n"))


@field_case(
    name="audio_filename",
    area="manifests",
    situation="a NeMo manifest with audio_filename",
    source="NVIDIA-NeMo/Speech#108",
    command="convert",
    expected=Expected(rows=READ, says=("read as nemo",)),
)
def audio_filename(folder: Path) -> list[str]:
    rows = [
        {"audio_filename": audio, "duration": seconds, "text": text}
        for audio, seconds, text in zip(recordings(folder), SECONDS, TEXTS, strict=True)
    ]
    return json_lines(folder, "train.json", rows)


@field_case(
    name="durations in samples",
    area="manifests",
    situation="durations counted in samples",
    source="wav2vec2, fairseq",
    command="convert",
    expected=Expected(rows=READ, says=("2 of 2 durations contradict the audio headers: they are in samples",)),
)
def in_samples(folder: Path) -> list[str]:
    return _with_durations(folder, [seconds * RATE for seconds in SECONDS])


@field_case(
    name="durations in milliseconds",
    area="manifests",
    situation="durations counted in milliseconds",
    source="embedded study",
    command="convert",
    expected=Expected(rows=READ, says=("they are in milliseconds",)),
)
def in_milliseconds(folder: Path) -> list[str]:
    return _with_durations(folder, [seconds * 1000 for seconds in SECONDS])


@field_case(
    name="durations in frames",
    area="manifests",
    situation="durations counted in frames of 10 ms, as utt2num_frames has them",
    source="Kaldi utt2num_frames",
    command="convert",
    expected=Expected(rows=READ, says=("they are in frames of 10 ms",)),
)
def in_frames(folder: Path) -> list[str]:
    return _with_durations(folder, [seconds * 100 - 2 for seconds in SECONDS])


@field_case(
    name="durations of other files",
    area="manifests",
    situation="99 s declared for clips of 1.5 and 2.25 s, as no unit explains",
    source="embedded study",
    command="convert",
    expected=Expected(
        rows=({"duration": 99.0},),
        says=("2 of 2 durations contradict the audio headers", "remove the duration column"),
        silent_on=("samples", "milliseconds"),
    ),
)
def wrong_durations(folder: Path) -> list[str]:
    return _with_durations(folder, [99.0, 99.0])


@field_case(
    name="durations as clock times",
    area="manifests",
    situation="durations as 0:01.50, 00:00:02,250",
    source="embedded study",
    command="convert",
    expected=Expected(rows=READ, silent_on=("warning",)),
)
def clock_times(folder: Path) -> list[str]:
    return _with_durations(folder, ["0:01.50", "00:00:02,250"])


@field_case(
    name="rounded durations",
    area="manifests",
    situation="durations rounded to tenths of a second",
    source="neighbour",
    command="convert",
    expected=Expected(rows=({"duration": 1.5}, {"duration": 2.2}), silent_on=("warning",)),
)
def rounded_durations(folder: Path) -> list[str]:
    return _with_durations(folder, [1.5, 2.2])


def _with_durations(folder: Path, durations: list[Any]) -> list[str]:
    rows = [
        {"audio_filepath": audio, "duration": duration, "text": text}
        for audio, duration, text in zip(recordings(folder), durations, TEXTS, strict=True)
    ]
    return json_lines(folder, "train.jsonl", rows)


@field_case(
    name="WeNet data.list",
    area="manifests",
    situation="JSON lines with key, wav and txt",
    source="wenet-e2e/wenet",
    command="convert",
    expected=Expected(rows=({"id": "u0", "text": TEXTS[0], "duration": SECONDS[0]},)),
)
def wenet(folder: Path) -> list[str]:
    rows = [
        {"key": f"u{n}", "wav": audio, "txt": text}
        for n, (audio, text) in enumerate(zip(recordings(folder), TEXTS, strict=True))
    ]
    return json_lines(folder, "data.list", rows)


@field_case(
    name="SpeechBrain CSV",
    area="manifests",
    situation="ID, duration, wav, spk_id, wrd, with $data_root and spaces after the commas",
    source="speechbrain recipes",
    command="convert",
    expected=Expected(
        rows=({"id": "a", "speaker_id": "7", **READ[0]},), says=("read as speechbrain", "$data_root of the audio paths")
    ),
)
def speechbrain_csv(folder: Path) -> list[str]:
    audio = recordings(folder)[0]
    return table(folder, "dev.csv", ["ID, duration, wav, spk_id, wrd", f"a, 1.5, $data_root/{audio}, 7, {TEXTS[0]}"])


@field_case(
    name="SpeechBrain JSON",
    area="manifests",
    situation="one object by id, with {data_root} and length",
    source="speechbrain templates",
    command="convert",
    expected=Expected(rows=({"id": "a", **READ[0]},), says=("read as speechbrain",)),
)
def speechbrain_json(folder: Path) -> list[str]:
    row = {"wav": f"{{data_root}}/{recordings(folder)[0]}", "length": 1.5, "words": TEXTS[0]}
    return table(folder, "dev.json", json.dumps({"a": row}, indent=2).split("\n"))


@field_case(
    name="SpeechBrain without its data",
    area="manifests",
    situation="a data folder that is nowhere near the manifest",
    source="speechbrain recipes",
    command="convert",
    expected=Expected(refused=True, says=("begin with $data_root", "replace $data_root in the file")),
)
def speechbrain_moved(folder: Path) -> list[str]:
    return table(folder, "dev.csv", ["ID,duration,wav,spk_id,wrd", "a,1.5,$data_root/gone/a.wav,7,x"])


@field_case(
    name="fairseq",
    area="manifests",
    situation="a root line of another machine, files and samples, letters in .ltr",
    source="fairseq#2685",
    command="convert",
    expected=Expected(rows=READ, says=("read as fairseq", "no audio in /home/other/wav")),
)
def fairseq(folder: Path) -> list[str]:
    names = [Path(audio).name for audio in recordings(folder)]
    letters = [" ".join(text.replace(" ", "|")) + " |" for text in TEXTS]
    table(folder, "train.ltr", letters)
    return table(folder, "train.tsv", ["/home/other/wav", *(f"{name}\t{12000 + n}" for n, name in enumerate(names))])


@field_case(
    name="fairseq with fewer texts",
    area="manifests",
    situation="one text less than files",
    source="fairseq#2685",
    command="convert",
    expected=Expected(refused=True, says=("train.wrd: 1 texts for 2 files of train.tsv",)),
)
def fairseq_short(folder: Path) -> list[str]:
    names = [Path(audio).name for audio in recordings(folder)]
    table(folder, "train.wrd", [TEXTS[0]])
    return table(folder, "train.tsv", ["wav", *(f"{name}\t12000" for name in names)])


@field_case(
    name="FunASR",
    area="manifests",
    situation="key, source and target, with lengths in frames",
    source="modelscope/FunASR",
    command="convert",
    expected=Expected(rows=({"id": "a", **READ[0]},), says=("read as funasr",), silent_on=("warning",)),
)
def funasr(folder: Path) -> list[str]:
    row = {"key": "a", "source": recordings(folder)[0], "source_len": 150, "target": TEXTS[0], "target_len": 3}
    return json_lines(folder, "train.jsonl", [row])


@field_case(
    name="FunASR messages",
    area="manifests",
    situation="chat messages with the audio path between speech tokens",
    source="modelscope/FunASR",
    command="convert",
    expected=Expected(rows=READ[:1], says=("read as funasr",)),
)
def funasr_messages(folder: Path) -> list[str]:
    said = f"Transcribe: <|startofspeech|>!{recordings(folder)[0]}<|endofspeech|>"
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": said},
        {"role": "assistant", "content": TEXTS[0]},
    ]
    return json_lines(folder, "train.jsonl", [{"messages": messages, "speech_length": 150, "text_length": 3}])


@field_case(
    name="seamless",
    area="manifests",
    situation="source with audio_local_path, target with text",
    source="facebookresearch/seamless_communication",
    command="convert",
    expected=Expected(rows=({"id": "0", **READ[0]},), says=("read as seamless",), silent_on=("translations",)),
)
def seamless(folder: Path) -> list[str]:
    shared = {"id": 0, "lang": "eng", "units": None, "waveform": None, "sampling_rate": 16000}
    source = {**shared, "text": TEXTS[0], "audio_local_path": recordings(folder)[0]}
    return json_lines(folder, "train.json", [{"source": source, "target": {**shared, "text": TEXTS[0]}}])


@field_case(
    name="one split",
    area="manifests",
    situation="a folder with one audiofolder inside, named without its split",
    source="Hugging Face audiofolder",
    command="convert",
    expected=Expected(rows=READ[:1], says=("the only split was taken: train",)),
)
def one_split(folder: Path) -> list[str]:
    recordings(folder, "data/train")
    table(folder, "data/train/metadata.csv", ["file_name,text", f"u0.wav,{TEXTS[0]}"])
    return ["--manifest", "data"]


PIECES = ({"text": TEXTS[0], "offset": 0.25, "duration": 1.0}, {"text": TEXTS[1], "offset": 1.25, "duration": 0.75})


def _pieces(folder: Path, scale: float = 1.0) -> list[str]:
    recordings(folder)
    times = [(0.25, 1.25), (1.25, 2.0)]
    rows = [f"wav/u1.wav,{scale * a:g},{scale * b:g},{text}" for (a, b), text in zip(times, TEXTS, strict=True)]
    return table(folder, "train.csv", ["file,start,end,text", *rows])


@field_case(
    name="pieces by start and end",
    area="manifests",
    situation="start and end in seconds of pieces of one recording",
    source="exports of annotation tools",
    command="convert",
    expected=Expected(
        rows=PIECES, says=("rows are pieces of recordings by 'start' and 'end'",), silent_on=("warning",)
    ),
)
def pieces_by_start_and_end(folder: Path) -> list[str]:
    return _pieces(folder)


@field_case(
    name="pieces in milliseconds",
    area="manifests",
    situation="start and end in milliseconds, which no column name says",
    source="exports of annotation tools",
    command="convert",
    expected=Expected(rows=PIECES, says=("in milliseconds: in seconds, the first 2 would end",)),
)
def pieces_in_milliseconds(folder: Path) -> list[str]:
    return _pieces(folder, 1000)


@field_case(
    name="clips of a longer recording",
    area="manifests",
    situation="start and end say where a clip was in a recording, and the files are the clips",
    source="neighbour",
    command="convert",
    expected=Expected(rows=READ, says=("the files are cut already",), silent_on=("warning",)),
)
def clips(folder: Path) -> list[str]:
    lines = [
        f"{audio},{100},{100 + seconds},{text}"
        for audio, seconds, text in zip(recordings(folder), SECONDS, TEXTS, strict=True)
    ]
    return table(folder, "train.csv", ["file,start,end,text", *lines])
