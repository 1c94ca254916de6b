"""What a person may choose of an adapter, by the words of the configuration. Torch-free."""

from __future__ import annotations

import re

# Parts of a model in the order data flows; `mlp` is the decoder's, `other` what belongs to none (projectors, heads).
PARTS = ("encoder", "decoder_self", "cross", "mlp", "other")
BIASES = ("none", "all", "lora_only")
# Those of peft that need no data.
INITIALISATION = re.compile(r"true|false|gaussian|olora|pissa(_niter_[1-9]\d*)?")
# Those that take a part out of the base weights and put it into the fresh adapter.
TAKEN_FROM_BASE = re.compile(r"olora|pissa(_niter_\d+)?")


def takes_from_base(initialisation: str) -> bool:
    return TAKEN_FROM_BASE.fullmatch(initialisation) is not None
