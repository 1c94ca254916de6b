"""The listening page by the workflow: no model work, and sound that is prepared once."""

from __future__ import annotations

from small_study import Study


def test_the_page_costs_no_model_work_and_sound_is_prepared_once(study: Study) -> None:
    assert study.run("listen").none
    page = study.results / "listen"
    assert {path.name for path in (page / "data").iterdir()} == {"study.js", "heldout", "domain", "test", "train"}
    assert (page / "aligned.txt").read_text(encoding="utf-8").count("\nScores lora:") == 10 + 24 + 3
    addresses = (page / "data/domain/texts.js").read_text(encoding="utf-8")
    assert "../../data/audio/domain/" in addresses
    assert "Nothing to be done" in study.snakemake("-n", "results/listen").stdout
    sounds = {path: path.stat().st_mtime_ns for path in study.results.glob("sounds/*/sounds.jsonl")}
    assert len(sounds) == 4
    reviews = page / "reviews.tsv"
    reviews.write_text("my judgements", encoding="utf-8")
    (study.folder / ".snakemake/backups/results/listen").mkdir(parents=True)  # a run was killed
    study.configure({"normalizer": "none"})
    assert study.run("listen").none
    assert reviews.read_text(encoding="utf-8") == "my judgements"
    assert {path: path.stat().st_mtime_ns for path in sounds} == sounds
    assert "Who " in (page / "data/domain/texts.js").read_text(encoding="utf-8")
