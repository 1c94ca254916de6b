"""Choices of an adapter, as the configuration names them. Torch-free."""

from __future__ import annotations

import re

# Module groups in the order data flows; `mlp` is that of the decoder, `other` are projectors and heads.
PARTS = ("encoder", "decoder_self", "cross", "mlp", "other")
# Initialisations that move components of the base weights into the new adapter.
TAKEN_FROM_BASE = re.compile(r"olora|pissa(_niter_\d+)?")


def takes_from_base(initialisation: str) -> bool:
    return TAKEN_FROM_BASE.fullmatch(initialisation) is not None
