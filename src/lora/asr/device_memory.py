"""Work in smaller pieces where a device has too little memory for it at once. Imports torch only once it ran out.

Two ways: `Shrinking` goes on with halves where pieces add up to the same result, `in_smaller_batches` begins again
where results of different batch sizes must not be held against each other (sums round otherwise).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

from lora.records.base import UserError

Item = TypeVar("Item")
Made = TypeVar("Made")
Tell = Callable[[str], None]

# What libraries say who raise plain RuntimeErrors.
TOLD = ("MPS backend out of memory", "CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
REMEDY = "use --device cpu, a smaller --dtype, or leave the longest rows out"


def ran_out(error: RuntimeError) -> bool:
    """Whether an error says that the device has no memory left."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in TOLD)


def free_memory() -> None:
    """Give back what the library keeps for later. To be called once the error that held tensors is gone."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


class Shrinking:
    """Runs batches, in halves once and for all from when the device ran out of memory; says so to `tell`."""

    def __init__(self, tell: Tell, remedy: str = REMEDY) -> None:
        self._tell, self._remedy = tell, remedy
        self.largest: int | None = None

    def run(self, rows: Sequence[Item], work: Callable[[Sequence[Item]], Made]) -> list[tuple[int, Made]]:
        """Results of consecutive parts, each with the position it starts at. UserError where one row is too much."""
        results: list[tuple[int, Made]] = []
        start = 0
        while start < len(rows):
            size = min(len(rows) - start, self.largest or len(rows))
            try:
                made = work(rows[start : start + size])
            except RuntimeError as error:
                if not ran_out(error):
                    raise
            else:
                results.append((start, made))
                start += size
                continue
            self.largest = smaller(size, self._tell, self._remedy)
        return results


def in_smaller_batches(size: int, tell: Tell, work: Callable[[int], Made]) -> Made:
    """The result of work with batches of at most `size` rows, done anew with half of it while memory does not do."""
    while True:
        try:
            return work(size)
        except RuntimeError as error:
            if not ran_out(error):
                raise
        size = smaller(size, tell, REMEDY)


def smaller(size: int, tell: Tell, remedy: str) -> int:
    """Half of a batch size that was too much, told; UserError where it was one row."""
    free_memory()
    if size == 1:
        raise UserError(f"not enough memory on the device for one utterance; {remedy}")
    tell(f"out of memory with {size} utterances a batch: at most {size // 2} from here on")
    return size // 2
