"""A case of the bench: what is planted in a copy of the healthy study, and what the verdict must say of it.

A *fault* names the cause that must stand first. A *neighbour* looks like a fault and is none: nothing may block, and
the cause it guards against must not be raised. A *whole study* is another healthy study altogether, computed from
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from small_study import Study

Plant = Callable[[Study], Study | None]  # the study to run where it is another one than was given


@dataclass(frozen=True)
class Case:
    """`first` is the cause that must stand first, empty where nothing is wrong. `guards` is the code a neighbour must
    not raise. `also` are further blocks that the planted fault truly brings with it. `fresh` computes everything anew.
    """

    name: str
    plant: Plant
    first: str = ""
    guards: str = ""
    also: tuple[str, ...] = ()
    fresh: bool = False

    @property
    def wing(self) -> str:
        """data, headroom, labels, training, adapter, parity; whole for whole studies."""
        return "whole" if self.fresh else (self.first or self.guards).partition(".")[0]

    @property
    def kind(self) -> str:
        return "whole study" if self.fresh else "fault" if self.first else "neighbour"


CASES: list[Case] = []


def fault(code: str, name: str, also: tuple[str, ...] = ()) -> Callable[[Plant], Plant]:
    return _registered(name, first=code, also=also)


def neighbour(code: str, name: str) -> Callable[[Plant], Plant]:
    return _registered(name, guards=code)


def whole_study(name: str, first: str = "") -> Callable[[Plant], Plant]:
    return _registered(name, first=first, fresh=True)


def _registered(name: str, **about: object) -> Callable[[Plant], Plant]:
    def add(plant: Plant) -> Plant:
        CASES.append(Case(name, plant, **about))  # type: ignore[arg-type]
        return plant

    return add
