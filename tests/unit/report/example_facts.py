"""Facts of the example study: plausible records with numbers that agree with each other."""

from __future__ import annotations

import random

from lora.records.comparisons import BudgetLine, ErrorBudget, PairedFacts, PairedScore, WordPair
from lora.records.durations import Dropped, DurationDecision, RetentionFacts, RetentionPoint, SplitOption
from lora.records.effect import EffectFacts, FileStage, LoadStage, LogitsStage, ModuleDelta, TextStage
from lora.records.integrity import AudioMeasure, LeakageFacts, MismatchedTranscript, MismatchFacts, SharedRow
from lora.records.labels import (
    ChangedText,
    GreedyHypotheses,
    LabelFacts,
    LabelStructure,
    LabelVariant,
    LossComparison,
    NumberStyle,
    StyleProfile,
)
from lora.records.parity import ParityFacts, SettingDifference
from lora.records.reachable import CandidateChange, ReachableFacts, Respelling, SuspectedReference, WordCount
from lora.records.scores import Interval, Loop, NormalizerIdentity, Power, WerFacts, WerScore
from lora.records.splits import SeededSplit, StabilityFacts
from lora.records.training import TrainFacts, ValidationPoint

MANIFESTS = {"train": 360, "heldout": 120, "domain": 200, "test": 6}
THRESHOLDS = (5.0, 8.0, 10.0, 15.0, 20.0)
BASELINE = {"heldout": (0.031, 0.021, 0.042), "domain": (0.312, 0.279, 0.346), "test": (0.25, 0.08, 0.42)}
TUNED = {"heldout": (0.034, 0.023, 0.046), "domain": (0.206, 0.178, 0.235), "test": (0.19, 0.04, 0.34)}
DELTA = {
    "heldout": (0.003, -0.004, 0.010, "underpowered"),
    "domain": (-0.106, -0.127, -0.085, "better"),
    "test": (-0.06, -0.2, 0.08, "underpowered"),
}
MAPSSWE = {"heldout": {"z": 0.9, "p": 0.39}, "domain": {"z": -9.1, "p": 1e-19}, "test": {"z": -2.1, "p": 0.036}}


def durations() -> list[float]:
    """Seeded: 131 rows up to 8 s, 248 up to 10 s, 360 in all."""
    rng = random.Random(5)
    spread = [(90, 1, 5), (75, 5, 8), (83, 8, 10), (52, 10, 15), (35, 15, 20), (25, 20, 25)]
    return [round(rng.uniform(low + 0.01, high), 2) for n, low, high in spread for _ in range(n)]


def decision() -> DurationDecision:
    lengths = durations()
    options = []
    for threshold in THRESHOLDS:
        kept = [d for d in lengths if d <= threshold]
        train = round(0.88 * len(kept))
        options.append(
            SplitOption(
                threshold=threshold,
                rows=len(kept),
                hours=sum(kept) / 3600,
                train_rows=train,
                val_rows=len(kept) - train,
                speakers=24,
                seeded_train_rows=[train] * 20 if threshold == 10 else [],
                fewest_train_speakers=20 if threshold == 10 else None,
            )
        )
    return DurationDecision(
        max_seconds=10.0,
        configured=None,
        status="chosen",
        sufficient=10.0,
        min_train_samples=200,
        model_window_seconds=30.0,
        options=options,
        reason="10 s is the smallest threshold that leaves at least 200 training rows: "
        f"{options[2].train_rows} training rows and {options[2].val_rows} for validation (26 min); "
        f"8 s would leave {options[1].train_rows}.",
    )


def _measure(line: int, seconds: float) -> AudioMeasure:
    return AudioMeasure(
        line=line,
        id=f"t{line}",
        manifest_duration=seconds,
        characters=round(16 * seconds),
        seconds=seconds,
        rate=16000,
        channels=1,
        level=-18.0 - line % 3,
        clipped=0.0,
        bandwidth=7750.0,
        audio_hash=f"{line:032x}",
    )


def retention() -> RetentionFacts:
    everything = RetentionPoint(threshold=None, rows=360, hours=0.9, speakers=24, words=400)
    dropped = [
        Dropped(
            threshold=threshold,
            rows=112,
            hours=0.5,
            lost_speakers=["ann"],
            expected_lost_speakers=0.2,
            lost_words=["capstan"],
            lost_word_count=14,
            expected_lost_word_count=13.4,
            lost_word_share=0.0025,
            expected_lost_word_share=0.0024,
            kept_words_per_second=2.7,
            dropped_words_per_second=None,
        )
        for threshold in THRESHOLDS
    ]
    return RetentionFacts(curve=[everything], dropped=dropped)


def leakage_facts(manifest: str) -> LeakageFacts:
    twin = SharedRow(line=3, id="t3", train_line=4, train_id="t4")
    return LeakageFacts(
        manifest=manifest,
        rows=MANIFESTS[manifest],
        speakers=20,
        same_audio=[],
        same_reading=[twin],
        same_sentence=[twin],
        shared_speakers=["ann"],
    )


def mismatch_facts(manifest: str) -> MismatchFacts:
    """One text in the wrong row, on domain."""
    wrong = MismatchedTranscript(line=3, id="r3", own_distance=0.81, other_line=9, other_id="r9", other_distance=0.04)
    rows = MANIFESTS[manifest]
    return MismatchFacts(
        manifest=manifest,
        rows=rows,
        compared=rows - 2,
        too_short=2,
        suspects=7,
        generic_hypotheses=0,
        comparisons=rows + 173,
        mismatched=[wrong] if manifest == "domain" else [],
    )


def stability() -> StabilityFacts:
    splits = [SeededSplit(seed=13 + i, train_rows=218 + i % 3, train_speakers=20) for i in range(20)]
    return StabilityFacts(max_seconds=10.0, speakers=24, splits=splits)


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, confidence=0.95, method="ratio estimator by speaker", scope="speakers")


def wer_facts(run: str, manifest: str, numbers: tuple[float, float, float]) -> WerFacts:
    wer, low, high = numbers
    rows = MANIFESTS[manifest]

    def score(value: float) -> WerScore:
        return WerScore(
            utterances=rows,
            speakers=20,
            words=rows * 14,
            errors=round(value * rows * 14),
            substitutions=10,
            deletions=4,
            insertions=3,
            wer=value,
            characters=rows * 70,
            character_errors=round(value * rows * 28),
            cer=0.4 * value,
            interval=interval(low, high),
            empty_references=[],
            truncated=0,
        )

    shows = {"heldout": 0.0064, "domain": 0.0182, "test": 0.117}[manifest]
    power = Power(
        assumed_shared_errors=0.8,
        standard_error=shows / 2.8,
        detectable_difference=shows,
        target_gain=0.01,
        utterances=rows,
        utterances_needed=round(rows * (shows / 0.01) ** 2),
        hours=rows / 400,
        hours_needed=rows / 400 * (shows / 0.01) ** 2,
        speakers=5,
        speakers_needed=round(5 * (shows / 0.01) ** 2),
        units="speakers",
    )
    return WerFacts(
        run=run,
        manifest=manifest,
        normalizer=NormalizerIdentity(name="english", version="1"),
        max_seconds=10.0,
        within=score(wer),
        all=score(wer + 0.01),
        raw=score(wer + 0.05),
        power=power,
        loops=[Loop(id="domain-3", words="so on", times=40)] if manifest == "domain" else [],
    )


def paired_facts(manifest: str) -> PairedFacts:
    delta, low, high, outcome = DELTA[manifest]
    rows = MANIFESTS[manifest]
    score = PairedScore.model_validate(
        {
            "utterances": rows,
            "words": rows * 14,
            "baseline_wer": BASELINE[manifest][0],
            "tuned_wer": TUNED[manifest][0],
            "delta": delta,
            "interval": interval(low, high),
            "changed_hypotheses": rows // 2,
            "changed_errors": rows // 3,
            "substitutions_delta": -3,
            "deletions_delta": 0,
            "insertions_delta": -1,
            "outcome": outcome,
            "within_margin": False,
            "detectable_difference": 0.0182,
            "mapsswe": {"segments": rows, "mean_difference": 14 * delta, **MAPSSWE[manifest]},
        }
    )
    return PairedFacts(
        run="lora",
        manifest=manifest,
        max_seconds=10.0,
        equivalence_margin=0.005,
        within=score,
        all=score,
        budget=error_budget(),
    )


def reachable_facts(manifest: str) -> ReachableFacts:
    """With words that try to break out of their cells; on `test` the candidate says nothing."""
    rows, known = MANIFESTS[manifest], manifest == "domain"
    words, errors = rows * 14, round(BASELINE[manifest][0] * rows * 14)
    change = CandidateChange(
        run="lora", utterances=rows, changed=rows // 2, poor_hypotheses=9, poor_changed=8, independent=known
    )
    if not known:
        return ReachableFacts(
            manifest=manifest, utterances=rows, words=words, errors=errors, rest=errors, candidates=[change]
        )
    return ReachableFacts(
        manifest=manifest,
        utterances=rows,
        words=words,
        errors=errors,
        english=True,
        style=5,
        respelled=[Respelling(reference="ice|cream", hypothesis="icecream", errors=5)],
        training_words=400,
        out_of_vocabulary=7,
        out_of_vocabulary_words=[WordCount(word="<b>walrus</b>", count=7)],
        out_of_vocabulary_word_count=4,
        candidates=[change],
        agreed=185,
        rest=677,
        suspected_errors=8,
        suspected_rows=8,
        suspected_references=[SuspectedReference(id="d<1>", at=3, reference="pepper", hypothesis="pillow")],
    )


def error_budget() -> ErrorBudget:
    """With a speaker and words that try to break out of their cells."""

    def line(name: str | None, before: int, after: int) -> BudgetLine:
        return BudgetLine(
            name=name,
            utterances=10,
            words=140,
            baseline_errors=before,
            tuned_errors=after,
            substitutions_delta=after - before,
            deletions_delta=0,
            insertions_delta=0,
        )

    return ErrorBudget(
        by_speaker=[line("s|<b>1</b>", 40, 12), line(None, 9, 8), *(line(f"s{n}", 8, 8) for n in range(12))],
        by_duration=[line("5 to 8 s", 49, 21)],
        gained=[WordPair(reference=None, hypothesis="<img src=x onerror=alert(1)>", baseline=0, tuned=3)],
        lost=[
            WordPair(reference="`a|b`", hypothesis="[c](<d e>)", baseline=9, tuned=2),
            WordPair(reference="seven", hypothesis=None, baseline=4, tuned=1),
        ],
    )


def label_facts() -> LabelFacts:
    style = StyleProfile(
        texts=64,
        upper_case=0.0,
        lower_case=0.0,
        sentence_case=1.0,
        with_final_punctuation=1.0,
        punctuation_per_100_words=14.2,
        digits_per_100_words=0.0,
    )
    return LabelFacts(
        sampled=64,
        structure=LabelStructure(
            ends_with_eos=1.0, single_start=1.0, padding_ignored=1.0, prefix_matches_generation=None
        ),
        greedy=GreedyHypotheses(
            utterances=43,
            positions=2210,
            argmax_agreement=1.0,
            log_probability_gap=0.0004,
            truncated=2,
            retokenized=19,
            replay=LabelVariant(name="", argmax_agreement=1.0, log_probability_gap=0.0003),
            variants=[LabelVariant(name="without a BOS in front", argmax_agreement=1.0, log_probability_gap=0.0001)],
        ),
        losses=[
            LossComparison(trainer=0.61234, shift_0=0.61234, shift_1=9.8121),
            LossComparison(
                trainer=1.8074,
                shift_0=1.8074,
                shift_1=7.55,
                label_smoothing=0.1,
                gradient_accumulation=2,
                tokens=[31, 825],
                mean_of_batches=2.77,
            ),
        ],
        numbers=NumberStyle(rows=64, only_reference=5, only_hypothesis=0, both=1),
        changed_texts=[ChangedText(id="r7", line=7, text="a*b", decoded="ab")],
        reference_nll=0.612,
        hypothesis_nll=0.051,
        restyled_nll=0.612,
        reference_style=style.model_copy(update={"final_punctuation": {"": 3, ".": 61}}),
        hypothesis_style=style.model_copy(update={"final_punctuation": {".": 64}}),
        lost_characters={},
        longest_label=171,
        label_limit=512,
        transformers="5.23.0",
    )


def train_facts() -> TrainFacts:
    losses = {0: 0.72, 20: 0.61, 40: 0.49, 60: 0.43, 80: 0.405, 100: 0.41}
    return TrainFacts(
        run="lora",
        settings={"max_steps": 100, "learning_rate": 0.001, "rank": 8, "alpha": 16, "seed": 13},
        base_model_hash="a" * 32,
        train_rows=218,
        val_rows=30,
        trainable_parameters=122880,
        total_parameters=1923456,
        fully_trained=["proj_out.weight"],
        target_modules=36,
        adapted={"encoder": {"k_proj": 8, "q_proj": 8}, "cross": {"q_proj": 20}},
        planned_steps=100,
        optimizer_steps=100,
        learning_rate_peak=0.001,
        gradient_norm_median=0.83,
        first_train_loss=0.74,
        final_train_loss=0.31,
        validation=[ValidationPoint(step=step, loss=loss) for step, loss in losses.items()],
        best_step=80,
        best_kept=True,
    )


def loss_table() -> str:
    """One row per step; the training facts have the validation losses."""
    rng = random.Random(3)
    lines = ["step\ttrain_loss\tvalidation_loss\tlearning_rate"]
    for step in range(1, 101):
        loss = 0.30 + 0.45 * 0.97**step + rng.gauss(0, 0.035)
        lines.append(f"{step}\t{loss:.5f}\t\t0.001")
    return "\n".join(lines) + "\n"


def effect_facts() -> EffectFacts:
    rng = random.Random(11)
    kinds = [("encoder", 4, "encoder.layers.{}.self_attn.{}"), ("decoder_self", 2, "decoder.layers.{}.self_attn.{}")]
    kinds += [("cross", 2, "decoder.layers.{}.encoder_attn.{}")]
    names = [
        (part, pattern.format(layer, projection))
        for part, layers, pattern in kinds
        for layer in range(layers)
        for projection in ("q_proj", "k_proj", "v_proj", "o_proj")
    ]
    names += [
        ("mlp", f"{side}.layers.{n}.mlp.{fc}")
        for side, k in (("encoder", 4), ("decoder", 2))
        for n in range(k)
        for fc in ("fc1", "fc2")
    ]
    weights = [
        ModuleDelta(
            name=f"model.{name}",
            module_group=part,
            delta_norm=0.3,
            base_norm=6.0,
            relative_norm=0.045 * 2 ** rng.gauss(0, 0.7),
            stable_rank=2.4,
        )
        for part, name in names
    ]
    norms = sorted(m.relative_norm or 0.0 for m in weights)
    return EffectFacts(
        run="lora",
        adapter="results/adapters/lora/best",
        file=FileStage(
            peft_type="LORA",
            rank=8,
            alpha=16,
            tensors=2 * len(weights),
            finite=True,
            lora_b=len(weights),
            lora_b_zero=0,
            initialisation="true",
            bias="none",
        ),
        load=LoadStage(
            tensors_in_file=2 * len(weights),
            tensors_loaded=2 * len(weights),
            missing_keys=[],
            unexpected_keys=[],
            active=True,
            base_matches=True,
            base_trained_on="a" * 32,
            modules_by_group={"encoder": 16, "decoder_self": 8, "cross": 8, "mlp": 12},
        ),
        weights=weights,
        median_relative_norm=norms[len(norms) // 2],
        logits=LogitsStage(
            utterances=30,
            positions=1180,
            kl_mean=0.093,
            argmax_flips=0.066,
            largest_difference=7.1,
            off_equals_base=True,
        ),
        text=TextStage(utterances=30, changed=21, adapter_calls=9120, adapter_calls_off=0, merged_changed=0),
    )


def parity_facts(differing: bool = False) -> ParityFacts:
    fields = ["decode.num_beams", "decode.max_new_tokens", "preprocess.target_rms", "normalizer.name", "model.hash"]
    settings = [
        SettingDifference(manifest=manifest, field=field, baseline=1, candidate=1, same=True, code="parity.decode")
        for manifest in DELTA
        for field in fields
    ]
    if differing:
        settings += [
            SettingDifference(
                manifest=manifest,
                field="decode.repetition_penalty",
                baseline=1.0,
                candidate=1.2,
                same=False,
                code="parity.decode",
            )
            for manifest in DELTA
        ]
    return ParityFacts(run="lora", settings=settings)
