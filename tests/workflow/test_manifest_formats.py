"""A study with manifests in formats of other tools has the rows, durations and transcripts of one in our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from manifest_writers import WRITERS
from small_study import Study, make_study

COUNTS = {"train": 12, "heldout": 4, "domain": 4, "test": 3}
# Every format once, four manifests per study.
STUDIES = [
    {"train": "kaldi", "heldout": "lhotse", "domain": "nemo", "test": "csv"},
    {"train": "datasets", "heldout": "librispeech", "domain": "common_voice", "test": "audiofolder"},
    {"train": "lhotse", "heldout": "parquet", "domain": "jsonl", "test": "kaldi"},
]


@pytest.fixture(scope="module")
def canonical(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = make_study(tmp_path_factory.mktemp("canonical") / "study", counts=COUNTS)
    study.run("durations", *transcripts(COUNTS))
    return study


def transcripts(manifests: Any) -> list[str]:
    return [f"results/transcripts/base/{name}.jsonl" for name in manifests if name != "train"]


def in_formats(folder: Path, formats: dict[str, str]) -> Study:
    study = make_study(folder, counts=COUNTS)
    written = {}
    for name, format_name in formats.items():
        written[name] = WRITERS[format_name](study, name, study.rows(name))
        study.manifest(name).unlink()
    study.configure({"manifests": written})
    return study


def usable(study: Study, name: str) -> list[tuple[str, float]]:
    """Texts and durations of usable rows, without the order and ids that depend on the format."""
    rows = [json.loads(line) for line in (study.results / f"manifests/{name}.jsonl").read_text().splitlines()]
    return sorted((row["text"], round(row["duration"], 6)) for row in rows)


def speakers(study: Study, name: str) -> int:
    return int(json.loads((study.results / f"manifests/{name}.facts.json").read_text())["speakers"])


@pytest.mark.parametrize("formats", STUDIES, ids=lambda formats: "-".join(formats.values()))
def test_the_same_rows_durations_and_hypotheses(canonical: Study, tmp_path: Path, formats: dict[str, str]) -> None:
    study = in_formats(tmp_path / "a study", formats)
    hypotheses = transcripts(formats) if formats is not STUDIES[0] else []
    study.run("durations", *hypotheses)
    for name, format_name in formats.items():
        facts = json.loads((study.results / f"manifests/{name}.facts.json").read_text())
        assert (facts["format"], facts["rejected"]) == (format_name, 0)
        assert usable(study, name) == usable(canonical, name)
        assert speakers(study, name) == speakers(canonical, name)
    table = "durations/summary.tsv"
    assert (study.results / table).read_text() == (canonical.results / table).read_text()
    for path in hypotheses:
        assert texts(study, path) == texts(canonical, path)
    assert (
        "nothing to be done"
        in study.snakemake(
            "-n", "results/splits/sizes.tsv", "results/durations/summary.tsv", *hypotheses
        ).stdout.lower()
    )


def texts(study: Study, path: str) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in (study.folder / path).read_text().splitlines()]
    return sorted((row["reference"], row["hypothesis"]) for row in rows)


def test_editing_one_file_of_a_folder_makes_only_that_manifest_stale(tmp_path: Path) -> None:
    study = in_formats(tmp_path / "study", STUDIES[0])
    study.run("durations")
    path = study.folder / "data/kaldi/train/utt2spk"
    path.write_text(path.read_text().replace("en-gb", "xx"))
    (study.folder / "data/kaldi/train/README").write_text("a file that nobody reads")
    planned = study.snakemake("-n", "durations").stdout
    assert "results/integrity/train.tsv" in planned
    assert "results/manifests/train.jsonl" in planned
    for name in ("heldout", "domain", "test"):
        assert f"results/manifests/{name}.jsonl" not in planned


def test_recordings_are_unpacked_again_when_their_tables_change(tmp_path: Path) -> None:
    study = in_formats(tmp_path / "study", {"test": "datasets"})
    study.run("results/manifests/test.jsonl")
    assert len(list((study.results / "audio/test").glob("*.ogg"))) == len(usable(study, "test")) == COUNTS["test"]
    state = study.folder / "data/saved/test/state.json"
    first = {"_data_files": json.loads(state.read_text())["_data_files"][:1]}
    state.write_text(json.dumps(first))
    study.run("results/manifests/test.jsonl")
    assert len(list((study.results / "audio/test").glob("*.ogg"))) == len(usable(study, "test")) == 1


def test_a_manifest_that_cannot_be_read_is_one_line_before_anything_runs(tmp_path: Path) -> None:
    study = in_formats(tmp_path / "study", STUDIES[0])
    (study.folder / "data/kaldi/train/text").unlink()
    done = study.snakemake("durations")
    assert done.returncode != 0
    assert "manifests.train: data/kaldi/train: a Kaldi data folder needs wav.scp and text" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (study.results / "integrity").exists()


def test_an_unknown_format_is_one_line_that_lists_the_known_ones(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", counts=COUNTS)
    study.configure({"manifests": {"test": {"path": "data/test_manifest.jsonl", "format": "kalid"}}})
    done = study.snakemake("-n", "durations")
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "manifests.test: format: 'kalid' is not a manifest format; expected one of auto, kaldi," in output
    assert "Traceback" not in output
