"""score_run and compare_runs as rules run them, with runs that cannot be scored or compared."""

import json

import compare_runs
import pytest
import score_run
import split_errors

from lora.records.base import write_lines
from lora.records.comparisons import PairedFacts
from lora.records.manifests import Utterance
from lora.records.reachable import ReachableFacts
from lora.records.scores import NormalizerIdentity, WerFacts
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript


@pytest.fixture
def study(tmp_path):
    """Forty rows of ten words, every fourth beyond 8 s; `base` errs once a row, `short` in no row."""
    text = "zero one two three four five six seven eight nine"
    rows = [
        Utterance(id=f"r{i:02}", text=text, duration=9.0 if i % 4 == 3 else 4.0, audio="a", speaker_id=f"s{i % 8}")
        for i in range(40)
    ]
    write_lines(tmp_path / "rows.jsonl", rows)
    write_run(tmp_path, "base", {row.id: text.replace("nine", "mine") for row in rows}, rows)
    write_run(tmp_path, "short", {row.id: text for row in rows}, rows)
    return tmp_path


def write_run(folder, run, hypotheses, rows):
    write_lines(
        folder / f"{run}.jsonl",
        (
            Transcript(id=r.id, reference=r.text, hypothesis=hypotheses[r.id], duration=r.duration, truncated=False)
            for r in rows
            if r.id in hypotheses
        ),
    )


def score(folder, run, *more, max_seconds="8.0"):
    out = folder / f"wer/{run}.json"
    argv = f"--run {run} --manifest-name domain --max-seconds {max_seconds} --normalizer basic --confidence 0.95"
    argv += " --replicates 100 --assumed-shared-errors 0.8 --target-gain 0.01"
    paths = ["--rows", folder / "rows.jsonl", "--transcripts", folder / f"{run}.jsonl", "--wer", out, *more]
    assert score_run.main([*argv.split(), *map(str, paths)]) == 0
    return WerFacts.read(out)


def compare(folder, run="short"):
    out = folder / "paired.json"
    argv = f"--run {run} --manifest-name domain --margin 0.005 --confidence 0.95 --replicates 100".split()
    paths = ["--baseline-wer", folder / "wer/base.json", "--tuned-wer", folder / f"wer/{run}.json"]
    paths += ["--baseline-transcripts", folder / "base.jsonl", "--tuned-transcripts", folder / f"{run}.jsonl"]
    assert compare_runs.main([*argv, *map(str, paths), "--paired", str(out)]) == 0
    return PairedFacts.read(out)


def test_rows_within_max_seconds_and_all_rows(study):
    facts = score(study, "base")
    assert (facts.status, facts.manifest, facts.max_seconds) == ("ok", "domain", 8.0)
    assert (facts.within.utterances, facts.all.utterances, facts.raw.utterances) == (30, 40, 30)
    assert facts.within.wer == pytest.approx(0.1)
    assert (facts.within.interval.scope, facts.power.utterances) == ("speakers", 30)
    assert len(facts.utterances) == 40
    unlimited = score(study, "base", max_seconds="none")
    assert unlimited.within == unlimited.all


def test_style_shows_in_the_raw_score_only(study):
    lines = [json.loads(line) for line in (study / "short.jsonl").read_text().splitlines()]
    shouted = [Transcript(**line | {"hypothesis": line["hypothesis"].upper()}) for line in lines]
    write_lines(study / "short.jsonl", shouted)
    facts = score(study, "short")
    assert (facts.within.wer, facts.raw.wer) == (0.0, 1.0)
    # of "zero one two three four five six seven eight nine" only the nine blanks stay the same
    assert (facts.within.cer, facts.raw.cer) == (0.0, pytest.approx(40 / 49))


def test_a_better_run_and_the_same_run(study):
    score(study, "base")
    score(study, "short")
    facts = compare(study)
    assert (facts.within.outcome, facts.within.utterances, facts.all.utterances) == ("better", 30, 40)
    assert facts.within.delta == pytest.approx(-0.1)
    assert (facts.missing_ids, facts.extra_ids) == ([], [])
    assert [(pair.reference, pair.hypothesis, pair.change) for pair in facts.budget.lost] == [("nine", "mine", -30)]
    assert facts.within.mapsswe.segments == 30
    same = compare(study, "base")
    assert (same.within.outcome, same.within.changed_hypotheses) == ("unchanged", 0)


def test_two_executions_write_the_same_bytes(study):
    score(study, "base")
    first = (study / "wer/base.json").read_bytes()
    score(study, "base")
    assert (study / "wer/base.json").read_bytes() == first


def test_missing_and_extra_utterances_are_a_parity_failure(study):
    score(study, "base")
    lines = (study / "short.jsonl").read_text().splitlines()
    other = lines[1].replace("r01", "r99")
    (study / "short.jsonl").write_text("\n".join([lines[0], other, *lines[3:]]) + "\n")
    facts = score(study, "short")
    assert (facts.status, facts.code, facts.within) == ("impossible", "parity.manifest", None)
    assert facts.message == (
        "the transcripts lack 2 utterances of the manifest, first r01; "
        "the transcripts have 1 utterance that the manifest does not have, first r99"
    )
    paired = compare(study)
    assert (paired.status, paired.code, paired.within) == ("impossible", "parity.manifest", None)
    assert (paired.missing_ids, paired.extra_ids) == (["r01", "r02"], ["r99"])


def test_ids_that_differ_between_two_scored_runs(study):
    score(study, "base")
    rows = (study / "rows.jsonl").read_text().splitlines()
    (study / "rows.jsonl").write_text("\n".join(rows[1:]) + "\n")
    lines = (study / "short.jsonl").read_text().splitlines()
    (study / "short.jsonl").write_text("\n".join(lines[1:]) + "\n")
    assert score(study, "short").status == "ok"
    paired = compare(study)
    assert (paired.status, paired.code, paired.missing_ids) == ("impossible", "parity.manifest", ["r00"])


def test_other_references_are_a_parity_failure(study):
    score(study, "base")
    score(study, "short")
    changed = (study / "short.jsonl").read_text().replace('"reference":"zero', '"reference":"null', 1)
    (study / "short.jsonl").write_text(changed)
    paired = compare(study)
    assert (paired.code, paired.message) == (
        "parity.manifest",
        "1 references differ between the runs, first that of r00",
    )


def test_an_impossible_run_stays_impossible_with_its_cause(study):
    score(study, "base")
    settings = RunSettings(run="short", status="impossible", code="training.diverged", message="loss not finite")
    settings.write(study / "short.settings.json")
    (study / "short.jsonl").write_text("")
    facts = score(study, "short", "--settings", study / "short.settings.json")
    assert (facts.status, facts.code, facts.message) == ("impossible", "training.diverged", "loss not finite")
    paired = compare(study)
    assert (paired.status, paired.code) == ("impossible", "training.diverged")
    assert paired.message == "short: loss not finite"
    assert (paired.missing_ids, paired.extra_ids) == ([], [])


def test_a_manifest_without_usable_rows_is_scored_as_empty(study):
    (study / "rows.jsonl").write_text("")
    (study / "base.jsonl").write_text("")
    facts = score(study, "base")
    assert (facts.status, facts.within.utterances, facts.within.wer, facts.power) == ("ok", 0, None, None)
    assert compare(study, "base").within.outcome == "underpowered"


def test_facts_scored_within_other_limits_are_refused(study, capsys):
    score(study, "base")
    score(study, "short", max_seconds="10.0")
    argv = ["--run", "short", "--manifest-name", "domain", "--margin", "0.005", "--confidence", "0.95"]
    argv += ["--replicates", "0", "--baseline-wer", study / "wer/base.json", "--tuned-wer", study / "wer/short.json"]
    argv += ["--baseline-transcripts", study / "base.jsonl", "--tuned-transcripts", study / "short.jsonl"]
    assert compare_runs.main([*map(str, argv), "--paired", str(study / "p.json")]) == 2
    assert "error:" in capsys.readouterr().err


def test_a_second_transcript_of_one_utterance_is_named(study, capsys):
    with (study / "base.jsonl").open("a") as file:
        file.write((study / "base.jsonl").read_text().splitlines()[0] + "\n")
    argv = "--run base --manifest-name domain --max-seconds 8 --normalizer basic --confidence 0.95 --replicates 0"
    argv += " --assumed-shared-errors 0.8 --target-gain 0.01"
    paths = ["--rows", study / "rows.jsonl", "--transcripts", study / "base.jsonl", "--wer", study / "w.json"]
    assert score_run.main([*argv.split(), *map(str, paths)]) == 2
    assert "base.jsonl:41: duplicate transcript of r00" in capsys.readouterr().err


def test_runs_under_different_normalisers_are_scored_again_with_the_baselines(study):
    """Under `none` the tuned run has other words, and errors that no word of the baseline's could hold."""
    shouted = "ZERO one, two three four five six seven eight nine-ten"
    rows = [json.loads(line) for line in (study / "rows.jsonl").read_text().splitlines()]
    (study / "rows.jsonl").write_text("".join(json.dumps(row | {"text": shouted}) + "\n" for row in rows))
    for run, ends in (("base", "nine ten"), ("short", "mine ten")):
        lines = [json.loads(line) for line in (study / f"{run}.jsonl").read_text().splitlines()]
        text = f"zero one two three four five six seven eight {ends}"
        changed = [Transcript(**line | {"reference": shouted, "hypothesis": text}) for line in lines]
        write_lines(study / f"{run}.jsonl", changed)
    base = score(study, "base")
    out = study / "wer/short.json"
    score(study, "short")
    other = NormalizerIdentity(name="none", version="1")
    WerFacts.read(out).model_copy(update={"normalizer": other}).write(out)
    paired = compare(study)
    assert paired.normalizer == base.normalizer
    assert (paired.within.baseline_wer, paired.within.tuned_wer) == (base.within.wer, pytest.approx(1 / 11))
    unknown = NormalizerIdentity(name="basic", version="0")
    for run in ("base", "short"):
        file = study / f"wer/{run}.json"
        WerFacts.read(file).model_copy(
            update={"normalizer": unknown if run == "base" else other.model_copy(update={"version": "0"})}
        ).write(file)
    lost = compare(study)
    assert (lost.status, lost.code, lost.within) == ("impossible", "parity.normalization", None)


def split(folder, *candidates, train=("zero one two three",)):
    out = folder / "reachable.json"
    rows = [Utterance(id=f"t{i}", text=text, duration=1.0, audio="a") for i, text in enumerate(train)]
    write_lines(folder / "train.jsonl", rows)
    paths = ["--rows", folder / "rows.jsonl", "--baseline-wer", folder / "wer/base.json", "--reachable", out]
    paths += ["--baseline-transcripts", folder / "base.jsonl", "--train", folder / "train.jsonl"]
    named = [f"{run}={folder / run}.jsonl" for run in candidates]
    scored = [f"{run}={folder / 'wer' / run}.json" for run in candidates if (folder / f"wer/{run}.json").exists()]
    argv = ["--manifest-name", "domain", "--candidate", *named, "--candidate-wer", *scored]
    assert split_errors.main([*argv, *map(str, paths)]) == 0
    return ReachableFacts.read(out)


def test_looping_rows_are_named(study):
    lines = [json.loads(line) for line in (study / "base.jsonl").read_text().splitlines()]
    lines[4]["hypothesis"] = "zero " + "one two, " * 30
    lines[3]["hypothesis"] = "eight " * 30  # beyond max_seconds
    write_lines(study / "base.jsonl", [Transcript(**line) for line in lines])
    assert [(loop.id, loop.words, loop.times) for loop in score(study, "base").loops] == [("r04", "one two", 30)]


def test_errors_are_split_within_max_seconds(study):
    score(study, "base")
    facts = split(study, "short")
    assert (facts.utterances, facts.errors, facts.out_of_vocabulary, facts.rest) == (30, 30, 30, 0)
    assert [(one.word, one.count) for one in facts.out_of_vocabulary_words] == [("nine", 30)]
    assert (facts.agreed, facts.suspected_errors) == (0, 0)
    facts = split(study, "short", train=["eight nine"])
    assert (facts.out_of_vocabulary, facts.rest) == (0, 30)


def test_edits_of_a_candidate_are_those_of_its_score_or_of_a_new_alignment(study):
    lines = [json.loads(line) for line in (study / "rows.jsonl").read_text().splitlines()]
    lines[0]["text"] = lines[0]["text"].replace("one two", "{ one two / mine / @ }")
    write_lines(study / "rows.jsonl", [Utterance(**line) for line in lines])
    texts = [f"zero mine {'three four' if i % 5 else 'three mine'} five six seven eight nine" for i in range(40)]
    write_run(study, "third", {f"r{i:02}": text for i, text in enumerate(texts)}, [Utterance(**line) for line in lines])
    score(study, "base")
    aligned = split(study, "short", "third")
    known = score(study, "third")
    assert split(study, "short", "third") == aligned
    known.model_copy(update={"normalizer": NormalizerIdentity(name="none", version="1"), "utterances": []}).write(
        study / "wer/third.json"
    )
    assert split(study, "short", "third") == aligned


def test_without_candidates_or_training_texts_the_split_says_so(study):
    score(study, "base")
    facts = split(study, train=())
    assert (facts.training_words, facts.out_of_vocabulary, facts.agreed, facts.suspected_errors, facts.rest) == (
        None,
        None,
        None,
        None,
        30,
    )


def test_a_candidate_without_transcripts_takes_no_part(study):
    score(study, "base")
    (study / "gone.jsonl").write_text("")
    facts = split(study, "gone", "short")
    assert [(c.run, c.utterances, c.independent) for c in facts.candidates] == [("gone", 0, False), ("short", 30, True)]
    assert facts.agreed == 0


def test_an_impossible_baseline_has_nothing_to_split(study):
    facts = score(study, "base")
    impossible = {"status": "impossible", "code": "parity.manifest", "message": "other rows", "utterances": []}
    facts.model_copy(update=impossible).write(study / "wer/base.json")
    found = split(study, "short")
    assert (found.status, found.code, found.message) == ("impossible", "parity.manifest", "other rows")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--confidence", "1.5"),
        ("--confidence", "1"),
        ("--replicates", "-3"),
        ("--assumed-shared-errors", "1"),
        ("--target-gain", "0"),
    ],
)
def test_a_number_beyond_the_limits_of_the_configuration_is_a_usage_error(study, option, value, capsys):
    with pytest.raises(SystemExit) as ended:
        score(study, "base", option, value)
    assert ended.value.code == 2
    assert f"argument {option}: '{value}' is not a" in capsys.readouterr().err
    assert not (study / "wer/base.json").exists()
