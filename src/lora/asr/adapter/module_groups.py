"""Module groups of a model (encoder, decoder self-attention, cross-attention, MLP) by module name. Torch-free."""

from __future__ import annotations

import re

# In the order data flows; `mlp` is the MLP of the decoder, `other` are projectors and output layers.
MODULE_GROUPS = ("encoder", "decoder_self", "cross", "mlp", "other")


def module_group(name: str) -> str:
    """Module group of a module, by its full name. The decoder of a speech language model is its language model."""
    path = f".{name}."
    if re.search(r"\.(projector|multi_modal_projector|qformer)\.", path):
        return "other"
    if re.search(r"\.(encoder|audio_tower)\.", path):
        return "encoder"
    if not re.search(r"\.(decoder|language_model)\.", path):
        return "other"
    if re.search(r"\.(encoder_attn|cross_attn|encoder_decoder_attention)\.", path):
        return "cross"
    if re.search(r"\.(self_attn|self_attention)\.", path):
        return "decoder_self"
    return "mlp" if re.search(r"\.(mlp|ffn|feed_forward|fc\d)\.", path) else "other"
