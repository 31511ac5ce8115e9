"""Streams of random numbers, one per (seed, replication, purpose), indexed by case.

The value for a case depends on nothing but these keys: not on the order of events, not on the other
purposes, not on the number of processes. Two scenarios with the same seed therefore face the same
customers (common random numbers), and a run is repeated exactly. Blocks are drawn by numpy and can be
dropped at any time: they are a function of their key. A later visit of the same case (rework) has
streams of its own, with smaller blocks.

Source: L'Ecuyer, *Random number generation*, in Handbooks in Operations Research 13 (2006), on
streams; Law, *Simulation Modeling and Analysis*, 11.2, on synchronisation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stream", "Streams"]

BLOCK_BITS = 12
_MASK = (1 << BLOCK_BITS) - 1
_KEPT = 3
"""Blocks kept per stream: cases that are open at the same time span few blocks."""

Transform = Callable[[NDArray[np.float64]], list[Any]]


class Stream:
    """The values of one purpose; ``transform`` turns a block of uniform numbers into values."""

    __slots__ = ("_again", "_blocks", "_key", "_transform", "draw")

    def __init__(self, key: tuple[int, ...], transform: Transform) -> None:
        self._key = key
        self._transform = transform
        self._blocks: dict[int, list[Any]] = {}
        self._again: dict[tuple[int, int], list[Any]] = {}
        self.draw: Callable[[int], Any] = self._reader()
        """The value for the first visit of the case with that index."""

    def _reader(self) -> Callable[[int], Any]:
        """A closure over the block that was read last: the cheapest way to a value."""
        block: list[Any] = []
        low = high = 0

        def draw(index: int) -> Any:
            nonlocal block, low, high
            if low <= index < high:
                return block[index - low]
            block = self._block(index >> BLOCK_BITS)
            low = index & ~_MASK
            high = low + _MASK + 1
            return block[index - low]

        return draw

    def draw_again(self, index: int, visit: int) -> Any:
        """The value for visit ``visit`` (0 is the first)."""
        if not visit:
            return self.draw(index)
        bits = max(2, BLOCK_BITS - 2 * visit)
        place = (visit, index >> bits)
        block = self._again.get(place)
        if block is None:
            if len(self._again) >= 64:
                del self._again[next(iter(self._again))]
            block = self._again[place] = self._draw_block(visit, place[1], 1 << bits)
        return block[index & ((1 << bits) - 1)]

    def _block(self, number: int) -> list[Any]:
        block = self._blocks.get(number)
        if block is None:
            if len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            block = self._blocks[number] = self._draw_block(0, number, 1 << BLOCK_BITS)
        return block

    def _draw_block(self, visit: int, number: int, size: int) -> list[Any]:
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((*self._key, visit, number))))
        # (0, 1), both ends open: quantile functions are infinite at the ends
        return self._transform(generator.random(size) * (1 - 2**-52) + 2**-53)


class Streams:
    """The streams of one replication."""

    def __init__(self, seed: int, replication: int) -> None:
        if seed < 0:
            raise ValueError(f"a seed is a whole number >= 0, found {seed}")
        self._seed = seed
        self._replication = replication

    def stream(self, purpose: str, transform: Transform) -> Stream:
        """The stream of ``purpose``; the same purpose always gets the same uniform numbers."""
        digest = hashlib.blake2b(purpose.encode(), digest_size=8).digest()
        return Stream((self._seed, self._replication, int.from_bytes(digest)), transform)
