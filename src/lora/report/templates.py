"""The human part of the two documents, for studies that have none yet. From then on people own every word of it."""

PROTOCOL = """\
## Protocol

1. All model work goes through the unified runner, `python -m lora.runners.experiment`. Scripts that the study already
   has are neither edited nor bypassed.
2. Baseline and tuned runs are compared only under the identical manifest, text normalisation, audio preprocessing and
   decoding. Every setting is recorded with the transcripts and compared field by field.
3. The diagnostics D1 to D4 and P are finished before H1 to H4 are rerun. Until the verdict says *ready for the sweep*,
   no result of a tuning run counts as evidence for or against a hypothesis.
4. A failed diagnostic is recorded and answered by a change of manifest (other rows, more rows, another evaluation set),
   not by a change of hyperparameters. Hyperparameters change only as entries of a sweep, and only after D3 gave a valid
   result.
5. One comparison is primary: the gate run on the evaluation manifest that the verdict names, counting rows within
   `max_seconds`. All others are secondary; they are reported and not decided by.
6. Exact commands, seeds and output paths are kept with every result. Device fallbacks and manual adjustments are
   written into `notes.md` with date and reason. Negative results stay.

WER is corpus WER: all word errors over all reference words. Intervals are 95 % unless a table says otherwise. "No
difference" is said only when the whole interval lies within the equivalence margin.
"""

HYPOTHESES = """\
## Hypotheses

### Diagnostics: why tuning may fail before it begins

**D1. Too few rows survive the duration filter, so training overfits and WER stays flat.** Confirmed if the training
split at `max_seconds` has fewer rows than `durations.min_train_samples`. The answer is another limit or more rows.
Shown in `results/durations/decision.json` and `results/splits/sizes.tsv`.

**D2. The baseline has no headroom, or the evaluation set is too small to show a gain.** Confirmed if no domain manifest
has a baseline WER above `headroom.min_wer`, or if the smallest difference that the evaluation manifest can show exceeds
`statistics.target_gain`. The answer is a harder or a larger manifest. Shown in `results/wer/base/`,
`results/reachable/` and `results/hardened.json`.

**D3. The adapter is not applied, too weak, or too strong.** Confirmed at the first stage that shows no change: the
adapter's file, the loaded weights, the size of the weight change, the logits, the text. A gain in WER without a change
on a stage below would be an error of the measurement. Shown in `results/effect/` and `results/adapters/*/train.json`.

**D4. Labels are written differently from what the model writes, or the loss is computed on the wrong tokens.**
Confirmed if labels lack their end token, if the model disagrees with labels made of its own hypotheses, or if the
trainer's loss is not the cross entropy by hand at shift 0. Shown in `results/labels.json`.

**P. Baseline and tuned run differ in more than the adapter.** Confirmed if any recorded setting differs. A setting
that nobody recorded counts as unknown, never as equal. Shown in `results/parity/`.

### Tuning: what the sweep is to find out

H1 to H3 are decided on the evaluation manifest of the verdict, H4 on the general manifest, each from the paired
interval of a WER difference. One run speaks of one adapter only; so every setting is run with at least three seeds, and
the difference is that of the means over seeds. Whatever is neither supported nor rejected is undecided, and is answered
by more evaluation rows rather than by another look at the same ones.

**H1. LoRA lowers the WER of the domain by at least the target gain** (`statistics.target_gain`). Supported if the
interval of tuned minus baseline lies below minus the target; rejected if it lies above it. Shown in
`results/paired/<run>/<domain manifest>.json`.

**H2. A larger rank, or more steps, lowers it further.** Rank and number of steps are varied one at a time, all else
equal. Supported if the interval of larger minus smaller lies below 0; rejected if it lies above minus the equivalence
margin (`statistics.equivalence_margin`). Shown in the same files, one run per rank and per number of steps.

**H3. Adapting the MLP layers too beats adapting attention alone.** Compared at a similar number of trainable
parameters, so that place and not size is tested. Supported if the interval of both minus attention alone lies below 0;
rejected if it lies above minus the equivalence margin. Shown in the same files, one run per set of target modules.

**H4. The general set does not suffer** (non-inferiority). Supported if the upper end of the interval of tuned minus
baseline (with fewer than six changed utterances the exact bound `harm_bound`) lies below the equivalence margin;
rejected if its lower end lies above the margin. Shown in
`results/paired/<run>/<general manifest>.json`. H1 and H4 belong together: a gain in the domain that is paid for
elsewhere is reported as such.
"""

GENERATED = """\
The rest of this page is written by `snakemake publish`, which replaces all text between its two markers. Write above or
below them.
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

A dated log. Write down what you tried, saw and changed, with date and reason; keep negative results. Every diagnosis
adds one entry at the end, between two markers: verdict, device, fallbacks, adjustments, versions. Entries are never
rewritten, and the text around them is never touched.
"""
