"""The initial text of the two documents. Once they exist, only people change it."""

PROTOCOL = """\
## Protocol

1. All model work goes through the unified runner, `python -m lora.runners.experiment`. Scripts that the study already
   has are neither edited nor bypassed.
2. Baseline and tuned runs are compared only with the same manifest, text normalisation, audio preprocessing and decoding.
   Every setting is recorded with the transcripts and compared field by field.
3. The diagnostics D1 to D4 and P are finished before H1 to H4 are rerun. Until the verdict says *ready for the sweep*,
   no result of a tuning run counts as evidence for or against a hypothesis.
4. A failed diagnostic is recorded and leads to a change of the manifest (other rows, more rows, another evaluation set),
   not of hyperparameters. Hyperparameters change only as entries of a sweep, and only after D3 gave a valid result.
5. One comparison is primary: the gate run on the evaluation manifest that the verdict names, counting rows within
   `max_seconds`. All others are secondary: they are reported, but nothing is decided by them.
6. Exact commands, seeds and output paths are kept with every result. Device fallbacks and manual adjustments are
   recorded in `notes.md` with date and reason. Negative results are kept.

WER is corpus WER: the number of word errors divided by the number of reference words, on rows within `max_seconds`
unless a table says otherwise. Intervals are 95 % unless a table says otherwise. Two runs are called the same only if the
entire interval is within the equivalence margin.
"""

HYPOTHESES = """\
## Hypotheses

### Diagnostics: why tuning may fail before it begins

**D1. Too few rows survive the duration filter, so training overfits and WER stays flat.** Confirmed if the training
split at `max_seconds` has fewer rows than `durations.min_train_samples`. Remedy: another limit or more rows. Shown in `results/durations/decision.json` and `results/splits/sizes.tsv`.

**D2. The baseline has no headroom, or the evaluation set is too small to show a gain.** Confirmed if no domain manifest
has a baseline WER above `headroom.min_wer`, or if the smallest difference that the evaluation manifest can show exceeds
`statistics.target_gain`. Remedy: a harder or a larger manifest. Shown in `results/wer/base/`,
`results/reachable/` and `results/hardened.json`.

**D3. The adapter is not applied, too weak, or too strong.** Confirmed at the first stage that shows no change: the
adapter's file, the loaded weights, the size of the weight change, the logits, the hypotheses. A gain in WER without a
change at an earlier stage would be a measurement error. Shown in `results/effect/` and `results/adapters/*/train.json`.

**D4. Labels are written differently from what the model writes, or the loss is computed on the wrong tokens.**
Confirmed if labels lack EOS, if the model does not predict labels built from its own hypotheses, or if the trainer's loss
differs from the cross entropy at shift 0. Shown in `results/labels.json`.

**P. Baseline and tuned run differ in more than the adapter.** Confirmed if any recorded setting differs. A setting
that is not recorded counts as unknown, never as equal. Shown in `results/parity/`.

### Tuning: questions for the sweep

These are the defaults of `hypotheses` in config.yaml; each can be changed, and others added (docs/sweep.md). They are decided
by `lora-diagnose sweep` once the gate is ready: supported, refuted or undecided, with an interval over seeds and
utterances. A claim about a recipe (settings without the seed) needs at least three seeds. Comparisons of several recipes are
adjusted for their number (Holm).

**H1. The saved adapter is the adapter that was evaluated** (adapter-aware generation). Supported if the saved adapter,
evaluated alone on the same rows with `train.eval_decode`, writes the hypotheses of the last evaluation during training, and
not those of the base model. Refuted if one text differs, or if all equal the base model's. Shown in
`results/in_run/<run>.json`.

**H2. More training, in steps or in data, changes the WER in a predictable trend.** Supported if WER falls from level to
level, or rises beyond a turning point (overfitting), by simultaneous comparisons of all levels; refuted if all levels are
equivalent. Shown in `results/recipes.json` with the learning curve and the data that the target gain would need.

**H3. A higher learning rate converges faster without a loss on the guard set.** Compared at equal steps with the lowest rate.
Supported if one rate has a lower domain WER and its WER on the guard set rises by less than the equivalence margin
(`statistics.equivalence_margin`); refuted if no rate can be better by the margin, or every better one does harm.

**H4. The domain WER falls while the general set is not worse.** Both must be shown for one recipe: the interval of tuned
minus baseline below 0 on the domain, and its upper end (with fewer than six changed utterances the exact bound `harm_bound`)
below the margin on the general set. Refuted if no recipe can be better, or those that are do harm.

The questions that this plan asked before are presets: `gain` (at least the target gain), `larger_adapter` (rank, steps),
`mlp` (MLP layers in addition to attention), `forgetting` (no loss on the general set).
"""

ABOUT = """\
# Experiment plan

## Goals

Find out why LoRA tuning leaves the word error rate (WER) flat or makes it worse, before compute is spent on another
sweep. Write here which model is tuned, on what speech, for whom, and which gain would be worth having.
"""

MARKERS = """\
<!-- BEGIN generated: diagnosis -->
<!-- END generated: diagnosis -->

`lora-diagnose run` writes the diagnosis above, and `lora-diagnose sweep` its results at the end of this page. Both replace all
text between their markers; write anywhere else.
"""

PLAN = "\n".join([ABOUT, MARKERS, PROTOCOL, HYPOTHESES])

NOTES = """\
# Notes

A dated log. Record what you tried, observed and changed, with date and reason; keep negative results. Every diagnosis
appends one entry between two markers: what it found, what changed since the last one, seeds, commit, device, fallbacks,
adjustments. Entries and the text around them are never changed.
"""
