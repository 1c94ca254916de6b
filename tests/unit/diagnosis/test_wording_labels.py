"""Sentences of the label audit."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of

SPELLED_OUT = {"rows": 64, "only_reference": 20, "only_hypothesis": 0, "both": 3}


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (
            {"structure": {"ends_with_eos": 0.0, "single_start": 0.5}},
            "labels.construction",
            "Of 64 sampled labels, 100 % do not end with EOS and 50.0 % do not start as in generation.",
        ),
        (
            {"losses": [{"trainer": 9.4, "shift_0": 0.812, "shift_1": 9.41}], "transformers": "5.12.0"},
            "labels.loss_misaligned",
            "The trainer's loss is 9.4 nats per token; by hand it is 0.812; it matches labels shifted by one "
            "token (9.41), "
            "so transformers 5.12.0 computes the loss on the wrong tokens.",
        ),
        (
            {"reference_nll": 1.4},
            "labels.style_mismatch",
            "Training transcripts and greedy hypotheses agree in case and final punctuation; rewritten in the "
            "model's style "
            "the transcripts are 0.60 nats per token more likely, which closes 44.4 % of their distance from greedy "
            "hypotheses. lora, trained on them, is 14.80 points better on domain all the same, so this costs training "
            "steps and case or punctuation of the output rather than WER.",
        ),
        (
            {"lost_characters": {"é": 3, "ß": 20}},
            "labels.tokenizer_gaps",
            "20 of 64 sampled rows contain 'ß'; the tokenizer cannot write 'ß' and 'é'.",
        ),
        (
            {"too_long_ids": ["a", "b"], "longest_label": 700},
            "labels.too_long",
            "2 of 64 sampled labels are too long (a and b). The longest sampled label has 700 tokens; the "
            "decoder's limit "
            "is 640.",
        ),
    ],
)
def test_a_cause_is_worded_with_its_numbers(
    study: HealthyStudy, changes: dict[str, Any], code: str, words: str
) -> None:
    study.change("labels.json", changes)
    assert cause_of(study.verdict(), code).because == words


def test_what_was_left_out_of_the_greedy_hypotheses_is_named(study: HealthyStudy) -> None:
    greedy = {"utterances": 0, "positions": 0, "retokenized": 60, "retokenized_leading_space": 60, "truncated": 4}
    study.change("labels.json", {"greedy": greedy | {"argmax_agreement": 0.0}})
    summary = check_of(study.verdict(), "labels.greedy_hypotheses").summary
    assert "(4 truncated by the token cap and 60 tokenized differently from what the model wrote, as if a" in summary


def test_the_remedy_of_a_tokenizer_that_glues_words_together_is_its_files(study: HealthyStudy) -> None:
    changed = [{"id": f"r{i}", "line": i, "text": "a word", "decoded": "aword"} for i in range(9)]
    study.change("labels.json", {"changed_texts": changed})
    remedy = cause_of(study.verdict(), "labels.tokenizer_gaps").remedy
    assert "Where words are glued together or cut, the tokenizer's files are those of another model" in remedy


def test_the_style_remedy_is_python_that_rewrites_a_transcript(study: HealthyStudy) -> None:
    lower = {"lower_case": 1.0, "sentence_case": 0.0, "with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}
    study.change("labels.json", {"hypothesis_style": lower})
    remedy = cause_of(study.verdict(), "labels.style_mismatch").remedy
    assert remedy == (
        "Rewrite the training transcripts in lower case, without final punctuation, as the model writes: "
        '`text = re.sub(r"[^\\w\\s\'-]", "", text); text = text.lower()`. Scoring ignores case and punctuation.'
    )
    study.change("labels.json", {"hypothesis_style": {"lower_case": 0.0}, "numbers": SPELLED_OUT})
    assert "num2words(int(match[0]))" in cause_of(study.verdict(), "labels.style_mismatch").remedy


def test_the_style_remedy_names_what_no_rule_can_restore(study: HealthyStudy) -> None:
    bare = {"lower_case": 1.0, "sentence_case": 0.0, "with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}
    study.change("labels.json", {"reference_style": bare})
    remedy = cause_of(study.verdict(), "labels.style_mismatch").remedy
    assert remedy.startswith("Rewrite the training transcripts in sentence case, with final punctuation,")
    assert "commas and question marks and capitals of names must come from the source" in remedy


def test_the_remedy_of_wrong_labels_names_the_way_that_the_model_agrees_with(study: HealthyStudy) -> None:
    right = {"name": "without BOS", "argmax_agreement": 1.0, "log_probability_gap": 0.00001}
    wrong = {"name": "with one EOS at the end", "argmax_agreement": 0.94, "log_probability_gap": 0.2}
    study.change("labels.json", {"greedy": {"argmax_agreement": 0.94, "variants": [wrong, right]}})
    assert cause_of(study.verdict(), "labels.construction").remedy == (
        "Build labels without BOS, then run the label audit again: the model predicts 100 % of such labels of "
        "its greedy "
        "hypotheses."
    )
    study.change("labels.json", {"greedy": {"variants": [wrong]}})
    remedy = cause_of(study.verdict(), "labels.construction").remedy
    assert remedy.startswith("Fix the label construction: EOS last")
    assert remedy.endswith("The audit tried 1 other way of building labels; none is right.")
