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
unless a table says otherwise. Intervals are 95 % unless a table says otherwise. Two runs are called equivalent only if
the entire interval is within the equivalence margin.
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

H1 to H3 are decided on the evaluation manifest of the verdict, H4 on the general manifest, each by the paired interval of
a WER difference. One run is evidence for one adapter only, so every setting is run with at least three seeds, and means
over seeds are compared. A hypothesis that is neither supported nor rejected is undecided; it needs more evaluation rows,
not another analysis of the same ones.

**H1. LoRA lowers the WER of the domain by at least the target gain** (`statistics.target_gain`). Supported if the
interval of tuned minus baseline is below minus the target; rejected if it is above it. Shown in
`results/paired/<run>/<domain manifest>.json`.

**H2. A larger rank, or more steps, lowers it further.** Rank and number of steps are varied one at a time, all else
equal. Supported if the interval of larger minus smaller is below 0; rejected if it is above minus the equivalence
margin (`statistics.equivalence_margin`). Shown in the same files, one run per rank and per number of steps.

**H3. Adapting the MLP layers too beats adapting attention alone.** Compared at a similar number of trainable
parameters, so that the position is tested and not the size. Supported if the interval of both minus attention alone is
below 0; rejected if it is above minus the equivalence margin. Shown in the same files, one run per set of target modules.

**H4. The general set does not suffer** (non-inferiority). Supported if the upper end of the interval of tuned minus
baseline (with fewer than six changed utterances the exact bound `harm_bound`) is below the equivalence margin; rejected if its
lower end is above the margin. Shown in `results/paired/<run>/<general manifest>.json`. H1 and H4 are reported together: a
gain in the domain at the expense of the general set is reported as such.
"""

GENERATED = """\
`snakemake publish` writes the rest of this page and replaces all text between its two markers. Write above or below them.
"""

MARKERS = "\n<!-- BEGIN generated: diagnosis -->\n<!-- END generated: diagnosis -->\n"

ABOUT = """\
# Experiment plan

## Goals

Find out why LoRA tuning leaves the word error rate (WER) flat or makes it worse, before compute is spent on another
sweep. Write here which model is tuned, on what speech, for whom, and which gain would be worth having.
"""

PLAN = "\n".join([ABOUT, PROTOCOL, HYPOTHESES, GENERATED]) + MARKERS

NOTES = """\
# Notes

A dated log. Record what you tried, observed and changed, with date and reason; keep negative results. Every diagnosis
appends one entry between two markers: verdict, device, fallbacks, adjustments, versions. Entries and the text around them
are never changed.
"""
