"""Files of references and hypotheses as other tools write them."""

from __future__ import annotations

import json
from pathlib import Path

from field_cases import Expected, field_case

WORDS = [
    "harbour lights were low",
    "every ferry came late",
    "he sold nine maps",
    "the engine ran cold",
    "snow lay on roofs",
    "she wrote two letters",
    "our dog found it",
    "rain fell all day",
    "they built a shed",
    "birds left in autumn",
]
SAID = [f"{text.rsplit(' ', 1)[0]} eh" for text in WORDS]
TOTAL = sum(len(text.split()) for text in WORDS)
BETTER = (10 / TOTAL, 0.0)


def write(folder: Path, name: str, lines: list[str]) -> None:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def arguments(manifest: str | None, baseline: str, tuned: str) -> list[str]:
    return [*(["--manifest", manifest] if manifest else []), "--baseline", baseline, "--tuned", tuned]


def timed(texts: list[str]) -> list[str]:
    """ctm of one recording: text n is spoken from 10 n s, a word per half second."""
    return [
        f"show A {10 * n + place / 2:.2f} 0.40 {word}"
        for n, text in enumerate(texts)
        for place, word in enumerate(text.split())
    ]


@field_case(
    name="stm and ctm",
    area="transcripts",
    situation="references as stm of one recording, hypotheses as ctm; one segment is excluded from scoring",
    source="qcri/ArabicASRChallenge2016#6, usnistgov/SCTK#49",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("by the times of their words",)),
)
def stm_and_ctm(folder: Path) -> list[str]:
    segments = [f"show 1 ann {10 * n:.2f} {10 * n + 4:.2f} <o,f0,female> {text}" for n, text in enumerate(WORDS)]
    write(folder, "ref.stm", [";; comment", *segments, "show 1 ann 200 210 IGNORE_TIME_SEGMENT_IN_SCORING"])
    write(folder, "base.ctm", timed(SAID))
    write(folder, "tuned.ctm", timed(WORDS))
    return arguments("ref.stm", "base.ctm", "tuned.ctm")


@field_case(
    name="lines without ids",
    area="transcripts",
    situation="one text per line in all three files, as many lines in each",
    source="usnistgov/SCTK#15, #47",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("by their order, without ids",)),
)
def lines_without_ids(folder: Path) -> list[str]:
    write(folder, "ref.txt", WORDS)
    write(folder, "base.txt", SAID)
    write(folder, "tuned.txt", WORDS)
    return arguments("ref.txt", "base.txt", "tuned.txt")


@field_case(
    name="a line is missing",
    area="transcripts",
    situation="lines without ids, one of them lost in the hypotheses",
    source="usnistgov/SCTK#47",
    command="quick",
    expected=Expected(refused=True, says=("--tuned tuned.txt: its lines have no ids", "9 texts", "10 rows")),
)
def a_line_is_missing(folder: Path) -> list[str]:
    write(folder, "ref.txt", WORDS)
    write(folder, "base.txt", SAID)
    write(folder, "tuned.txt", WORDS[:-1])
    return arguments("ref.txt", "base.txt", "tuned.txt")


@field_case(
    name="Kaldi text with bare words as ids",
    area="transcripts",
    situation="ids are words of letters, which the manifest names: no lines without ids",
    source="neighbour",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("by id",), silent_on=("without ids",)),
)
def bare_words_as_ids(folder: Path) -> list[str]:
    names = ["ada", "bob", "cem", "dan", "eva", "fay", "gus", "hal", "ida", "jon"]
    rows = [{"id": name, "text": text} for name, text in zip(names, WORDS, strict=True)]
    write(folder, "dev.jsonl", [json.dumps(row) for row in rows])
    write(folder, "base.txt", [f"{name} {text}" for name, text in zip(names, SAID, strict=True)])
    write(folder, "tuned.txt", [f"{name} {text}" for name, text in zip(names, WORDS, strict=True)])
    return arguments("dev.jsonl", "base.txt", "tuned.txt")


@field_case(
    name="speaker in front of the id",
    area="transcripts",
    situation="trn ids are speaker_id, the rows have speaker_id and id",
    source="espnet#2518, #2527",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("by speaker and id",)),
)
def speaker_in_front(folder: Path) -> list[str]:
    rows = [
        {"id": f"utt{n}", "text": text, "speaker_id": f"p{n % 4}", "audio": f"wav/utt{n}.wav", "duration": 2}
        for n, text in enumerate(WORDS)
    ]
    write(folder, "dev.jsonl", [json.dumps(row) for row in rows])
    write(folder, "base.trn", [f"{text} (p{n % 4}_utt{n})" for n, text in enumerate(SAID)])
    write(folder, "tuned.trn", [f"{text} (P{n % 4}-UTT{n})" for n, text in enumerate(WORDS)])
    return arguments("dev.jsonl", "base.trn", "tuned.trn")


@field_case(
    name="speakers in the hypotheses",
    area="transcripts",
    situation="the reverse: reference ids are speaker-id, hypotheses have speaker and id",
    source="espnet#2518",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER),
)
def speakers_in_hypotheses(folder: Path) -> list[str]:
    write(folder, "ref.trn", [f"{text} (p{n % 4}-utt{n})" for n, text in enumerate(WORDS)])
    for name, texts in (("base", SAID), ("tuned", WORDS)):
        rows = [{"id": f"utt{n}", "speaker": f"p{n % 4}", "hyp": text} for n, text in enumerate(texts)]
        write(folder, f"{name}.jsonl", [json.dumps(row) for row in rows])
    return arguments("ref.trn", "base.jsonl", "tuned.jsonl")


@field_case(
    name="pred_str and label_str",
    area="transcripts",
    situation="CSV of an evaluation script, without any ids",
    source="unsloth#3232",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("by their order, without ids",)),
)
def pred_str(folder: Path) -> list[str]:
    for name, texts in (("base", SAID), ("tuned", WORDS)):
        rows = [f"{text},{reference}" for text, reference in zip(texts, WORDS, strict=True)]
        write(folder, f"{name}.csv", ["pred_str,label_str", *rows])
    return arguments(None, "base.csv", "tuned.csv")


@field_case(
    name="predictions and references",
    area="transcripts",
    situation="one JSON object of lists",
    source="Hugging Face evaluation scripts",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER),
)
def predictions(folder: Path) -> list[str]:
    for name, texts in (("base", SAID), ("tuned", WORDS)):
        write(folder, f"{name}.json", [json.dumps({"wer": 0.1, "predictions": texts, "references": WORDS}, indent=1)])
    return arguments(None, "base.json", "tuned.json")


@field_case(
    name="other column names",
    area="transcripts",
    situation="columns that no tool of ours knows, named by --columns",
    source="unsloth#3232",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER),
)
def other_columns(folder: Path) -> list[str]:
    for name, texts in (("base", SAID), ("tuned", WORDS)):
        rows = [f"c{n},{text},{WORDS[n]}" for n, text in enumerate(texts)]
        write(folder, f"{name}.csv", ["clip,asr_output,gold", *rows])
    columns = ["--columns", "id=clip", "hypothesis=asr_output", "reference=gold"]
    return [*arguments(None, "base.csv", "tuned.csv"), *columns]


@field_case(
    name="Buckwalter braces",
    area="transcripts",
    situation="Arabic in Buckwalter's transliteration, where { and } are letters",
    source="qcri/ArabicASRChallenge2016#9",
    command="quick",
    expected=Expected(outcome="better", says=("braces belong to no alternation",)),
)
def buckwalter(folder: Path) -> list[str]:
    write(folder, "ref.trn", [f"{{lktAb {text} $A}} (s-{n})" for n, text in enumerate(WORDS)])
    write(folder, "base.trn", [f"{{lktAb {text} (s-{n})" for n, text in enumerate(SAID)])
    write(folder, "tuned.trn", [f"{{lktAb {text} $A}} (s-{n})" for n, text in enumerate(WORDS)])
    return arguments("ref.trn", "base.trn", "tuned.trn")


@field_case(
    name="icefall recogs",
    area="transcripts",
    situation="recogs-*.txt of icefall: ref and hyp as lists of words",
    source="k2-fsa/icefall store_transcripts",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER),
)
def recogs(folder: Path) -> list[str]:
    for name, texts in (("base", SAID), ("tuned", WORDS)):
        pairs = [(f"cut-{n}:\tref={WORDS[n].split()}", f"cut-{n}:\thyp={text.split()}") for n, text in enumerate(texts)]
        write(folder, f"recogs-{name}.txt", [line for pair in pairs for line in pair])
    return arguments(None, "recogs-base.txt", "recogs-tuned.txt")


@field_case(
    name="folders of Whisper output",
    area="transcripts",
    situation="a folder per run with one JSON file per recording; the rows are pieces of the recordings",
    source="openai/whisper --output_dir, SYSTRAN/faster-whisper",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("read as segments",)),
)
def whisper_folders(folder: Path) -> list[str]:
    rows = [
        {"id": f"r{n}", "text": text, "audio": f"rec{n // 5}.wav", "offset": 10 * (n % 5), "duration": 4}
        for n, text in enumerate(WORDS)
    ]
    write(folder, "dev.jsonl", [json.dumps(row) for row in rows])
    for name, texts in (("base", SAID), ("tuned", WORDS)):
        (folder / name).mkdir()
        for recording in (0, 1):
            segments = [
                {"id": n, "start": 10.0 * n, "end": 10.0 * n + 3.5, "text": f" {texts[5 * recording + n]}"}
                for n in range(5)
            ]
            content = {"text": " ".join(texts), "segments": segments, "language": "en"}
            write(folder / name, f"rec{recording}.json", [json.dumps(content)])
            write(folder / name, f"rec{recording}.txt", ["not read"])
    return arguments("dev.jsonl", "base", "tuned")


@field_case(
    name="segment tables",
    area="transcripts",
    situation="one CSV (seconds) or TSV (Whisper: milliseconds) of segments per recording, which are the rows",
    source="openai/whisper --output_format tsv",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("read as segments",)),
)
def segment_tables(folder: Path) -> list[str]:
    write(folder, "ref.trn", [f"{text} (u{n})" for n, text in enumerate(WORDS)])
    for name in ("base", "tuned"):
        (folder / name).mkdir()
    for n, text in enumerate(WORDS):
        write(folder / "base", f"u{n}.csv", ["start,end,text", f"0.0,2.5,{SAID[n]}"])
        write(folder / "tuned", f"u{n}.tsv", ["start\tend\ttext", f"0\t2500\t{text}"])
    return arguments("ref.trn", "base", "tuned")


@field_case(
    name="fairseq ref.word and hypo.word",
    area="transcripts",
    situation="trn with ids None-N",
    source="fairseq#2573, #3944",
    command="quick",
    expected=Expected(outcome="better", wer=BETTER, says=("by id",)),
)
def fairseq(folder: Path) -> list[str]:
    write(folder, "ref.word-best.txt", [f"{text.upper()} (None-{n})" for n, text in enumerate(WORDS)])
    write(folder, "hypo.word-base.txt", [f"{text.upper()} (None-{n})" for n, text in enumerate(SAID)])
    write(folder, "hypo.word-tuned.txt", [f"{text.upper()} (None-{n})" for n, text in enumerate(WORDS)])
    return arguments("ref.word-best.txt", "hypo.word-base.txt", "hypo.word-tuned.txt")


@field_case(
    name="stm with gaps and optional words",
    area="transcripts",
    situation="the ctm has words before, between and after the segments of the stm; fillers are optional",
    source="sclite manual (SCTK)",
    command="quick",
    expected=Expected(
        outcome="better",
        wer=(13 / TOTAL, 0.0),
        says=("3 words are between segments of the stm and belong to the next one", "1 words are outside"),
    ),
)
def stm_with_gaps(folder: Path) -> list[str]:
    segments = [f"show 1 ann {10 * n:.2f} {10 * n + 4:.2f} <o,f0,female> (uh) {text}" for n, text in enumerate(WORDS)]
    write(folder, "ref.stm", [*segments, "show 1 ann 200 210 IGNORE_TIME_SEGMENT_IN_SCORING"])
    extra = [f"show A {time} 0.4 noise" for time in (4.5, 27, 88, 205)]
    write(folder, "base.ctm", [*timed(SAID), *extra])
    write(folder, "tuned.ctm", timed(WORDS))
    return arguments("ref.stm", "base.ctm", "tuned.ctm")


@field_case(
    name="cp1252 and UTF-16 transcripts",
    area="transcripts",
    situation="references in UTF-8, the baseline saved by a spreadsheet as cp1252 with semicolons, tuned as UTF-16",
    source="spreadsheet exports",
    command="quick",
    expected=Expected(
        outcome="better", wer=(10 / (TOTAL + 10), 0.0), says=("read as cp1252: line 2", "read as UTF-16", "café")
    ),
)
def other_encodings(folder: Path) -> list[str]:
    rows = [(f"u{n}", f"{text} café", f"{said} café") for n, (text, said) in enumerate(zip(WORDS, SAID, strict=True))]
    write(folder, "ref.jsonl", [json.dumps({"id": id, "text": text}) for id, text, _ in rows])
    base = "\r\n".join(["id;hypothesis", *(f"{id};{said}" for id, _, said in rows), ""])
    (folder / "base.csv").write_bytes(base.encode("cp1252"))
    tuned = "\r\n".join(["id\thypothesis", *(f"{id}\t{text}" for id, text, _ in rows), ""])
    (folder / "tuned.tsv").write_bytes(tuned.encode("utf-16"))
    return arguments("ref.jsonl", "base.csv", "tuned.tsv")


@field_case(
    name="two encodings in one file",
    area="transcripts",
    situation="files in two encodings joined into one",
    source="neighbour",
    command="quick",
    expected=Expected(
        refused=True, says=("--tuned tuned.txt:11: broken line: not in the encoding of the other lines",)
    ),
)
def two_encodings(folder: Path) -> list[str]:
    write(folder, "ref.txt", [f"u{n} {text}" for n, text in enumerate([*WORDS, "naïve"])])
    write(folder, "base.txt", [f"u{n} {text}" for n, text in enumerate([*SAID, "naïve"])])
    lines = [f"u{n} {text}" for n, text in enumerate(WORDS)]
    lines[0] += " café"
    (folder / "tuned.txt").write_bytes("\n".join([*lines, ""]).encode() + "u10 naïve\n".encode("cp1252"))
    return arguments("ref.txt", "base.txt", "tuned.txt")
