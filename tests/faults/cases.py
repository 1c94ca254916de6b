"""Cases of planted faults: what is planted in a copy of the healthy study, and the expected verdict.

A *fault* names the cause that must come first. A *neighbour* looks like a fault but is none: nothing may block, and the
cause it guards against must not be raised. A *whole study* is another healthy study, computed from scratch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from small_study import Study

Plant = Callable[[Study], Study | None]  # returns the study to run if it is not the given one


@dataclass(frozen=True)
class Case:
    """One planted fault, neighbour or whole study.

    Attributes:
        first: Cause that must come first; empty where nothing is wrong.
        guards: Cause that a neighbour must not raise.
        also: Other blocking causes that the planted fault really has.
        source: A public report of the fault, such as `huggingface/peft#515`.
        fresh: Compute the study from scratch.
    """

    name: str
    plant: Plant
    first: str = ""
    guards: str = ""
    also: tuple[str, ...] = ()
    source: str = ""
    fresh: bool = False

    @property
    def area(self) -> str:
        """data, headroom, labels, training, adapter, parity; whole for whole studies."""
        return "whole" if self.fresh else (self.first or self.guards).partition(".")[0]

    @property
    def kind(self) -> str:
        return "whole study" if self.fresh else "fault" if self.first else "neighbour"


class Cases(list[Case]):
    """Cases in the order of their definition, each added by the decorator of its plant."""

    def fault(self, code: str, name: str, also: tuple[str, ...] = (), source: str = "") -> Callable[[Plant], Plant]:
        return self._adds(name, first=code, also=also, source=source)

    def neighbour(self, code: str, name: str) -> Callable[[Plant], Plant]:
        return self._adds(name, guards=code)

    def whole_study(self, name: str, first: str = "") -> Callable[[Plant], Plant]:
        return self._adds(name, first=first, fresh=True)

    def _adds(self, name: str, **about: object) -> Callable[[Plant], Plant]:
        def add(plant: Plant) -> Plant:
            self.append(Case(name, plant, **about))  # type: ignore[arg-type]
            return plant

        return add


CASES = Cases()
fault, neighbour, whole_study = CASES.fault, CASES.neighbour, CASES.whole_study
