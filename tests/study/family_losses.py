"""The training loss of each family in the installed transformers against the cross entropy by hand.

    python tests/study/family_losses.py

prints a row a family for the table in docs/models.md. Models are random and tiny, of the real architecture: a loss that
is computed on the wrong tokens, or counts the tokens of an accumulated step wrongly, does not depend on how well they
recognise.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "src"), str(HERE.parent / "unit" / "asr")]
warnings.filterwarnings("ignore")

import torch  # noqa: E402
import transformers  # noqa: E402
from tiny_families import ASKED, MAKERS  # noqa: E402
from tiny_models import make_moonshine, noise  # noqa: E402

from lora.asr.families.speech_model import SpeechModel  # noqa: E402
from lora.asr.labels.build import Labelled  # noqa: E402
from lora.asr.labels.loss import compare_loss  # noqa: E402
from lora.asr.model_files import describe_model  # noqa: E402
from lora.asr.model_loading import load_model  # noqa: E402
from lora.asr.training.data import SpeechRows  # noqa: E402
from lora.records.base import UserError  # noqa: E402
from lora.records.labels import LossComparison  # noqa: E402
from lora.records.manifests import Utterance  # noqa: E402

TEXTS = ["Go on", "Hello there friend", "What", "Yes"]
TOLERANCE = 1e-3  # of the loss


def main() -> int:
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    print(
        f"| transformers {transformers.__version__} | loss, nats a token: trainer (by hand) | two batches accumulated |"
    )
    print("|---|---|---|")
    for name, make in ({"moonshine": make_moonshine} | MAKERS).items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                speech = load_model(describe_model(str(make(Path(folder) / name)), **ASKED.get(name, {})))
            except (ImportError, AttributeError, ValueError, OSError, UserError) as error:
                print(f"| `{name}` | not in this version ({str(error).splitlines()[0][:60]}) | |")
                continue
            print(f"| `{name}` | {' | '.join(losses_at(speech, count) for count in (1, 2))} |")
    return 0


def losses_at(speech: SpeechModel, accumulated: int) -> str:
    lengths = (1.1, 1.9, 1.5, 1.3)
    rows = [
        Utterance(id=str(n), text=text, duration=length, sampling_rate=16000, samples=noise(n, length).tolist())
        for n, (text, length) in enumerate(zip(TEXTS, lengths, strict=True))
    ]
    labelled = Labelled(SpeechRows(rows, Path(), 16000, None), TEXTS, [[0, 1], [2, 3]])
    loss = compare_loss(speech, labelled, gradient_accumulation=accumulated)
    assert loss is not None
    return f"{loss.trainer:.4f} ({loss.shift_0:.4f}){verdict(loss)}"


def verdict(loss: LossComparison) -> str:
    """What the trainer's loss equals: by hand, one token off, or batches averaged or added up whatever their tokens."""
    count = loss.gradient_accumulation
    known = [(loss.shift_0, ""), (loss.shift_1, ": **one token off**"), (loss.mean_of_batches, ": averaged")]
    known += [(value * count, f"{what}: **added up**") for value, what in known if value is not None and count > 1]
    for value, what in known:
        if value is not None and loss.trainer is not None and abs(loss.trainer - value) < TOLERANCE * value:
            return what.replace(": averaged: ", ": ")
    return ": **wrong**"


if __name__ == "__main__":
    sys.exit(main())
