"""One column: rows dealt out to ranges, the ranges sorted and counted, and what follows from the counts."""

from __future__ import annotations

import math

import numpy as np

from barehand.core import arrays, memory
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.auc.cpu")
threads = LazyModule("barehand.core.threads")

_RANGE = 1 << 14  # rows a range aims at: its words and as much room stay in the second cache
_MOST_RANGES = 1024
_CELLS = 64  # cells of keys for each range, so that ranges come out about equal
_CHUNK = 1 << 16  # rows dealt out in one go
_MOST_CHUNKS = 16
_COST = 8  # sorting a row costs as much as so many plain elements


class Scores:
    """One column of scores as the kernels read it: signed integers with the scores' bits."""

    def __init__(self, s: Array) -> None:
        self.levels: Array | None = None
        if s.dtype.char == "g":  # long doubles go by their places among the distinct ones
            self.levels, places = np.unique(s, return_inverse=True)
            s = places.astype(np.float64)
        self.s = arrays.for_kernel(s)
        size = self.s.dtype.itemsize
        self.bits = self.s.view(f"i{size}")
        self.last = int(np.iinfo(self.bits.dtype).max)
        self.word = np.dtype(f"u{size}")

    def keys(self, s: Array) -> Array:
        """Integers in the order of the scores; adding 0 makes -0.0 equal to 0.0."""
        bits = (s + s.dtype.type(0)).view(self.bits.dtype)
        keys: Array = np.where(bits < 0, bits ^ bits.dtype.type(self.last), bits)
        return keys.astype(np.int64)

    def scores(self, keys: Array) -> Array:
        """The scores of keys, in float64."""
        bits = np.where(keys < 0, keys ^ self.last, keys).astype(self.bits.dtype)
        found = bits.view(self.s.dtype).astype(np.float64)
        if self.levels is None:
            return found
        return arrays.narrow(self.levels[found.astype(np.intp)], found.dtype)

    def ranges(self) -> tuple[Array, int, int]:
        """The range of each row, how many there are, about equal in size, and how many of them are negative."""
        n = self.s.size
        parts = min(n // _RANGE, _MOST_RANGES)
        if parts < 2:
            shift, first, place = 63, -1, np.arange(2)
        else:
            low, high = self.keys(np.array([self.s.min(), self.s.max()])).tolist()
            shift = max((high - low).bit_length() - (_CELLS * parts).bit_length(), 0)
            first, cells = low >> shift, (high >> shift) - (low >> shift) + 1
            sample = (self.keys(self.s[:: n // (_CELLS * parts)]) >> shift) - first
            filled = np.bincount(sample, minlength=cells)
            place = (filled.cumsum() - filled) * parts // sample.size
            if first < 0 <= high:  # a new range at the first cell that is not negative: none holds both signs
                place[-first:] += 1
        codes = memory.empty((n,), np.dtype(np.uint16))
        table = place.astype(np.uint16)
        threads.over_rows(cpu.locate, n, 2, self.bits, self.last, shift, first, table, codes)
        below = place[: max(-first, 0)]
        return codes, int(place[-1]) + 1, int(below[-1]) + 1 if below.size else 0

    def count(self, codes: Array, ranges: int, positive: Array, w: Array) -> tuple[Array, Array | None, Array, Array]:
        """Sorted words, their weights, the ranges' edges; by range 2 wins + ties, positives, negatives, scores."""
        n = codes.size
        chunks = min(max(min(n // _CHUNK, n // (8 * ranges)), 1), _MOST_CHUNKS)
        counts = np.zeros((chunks, ranges), np.int64)
        threads.over_rows(cpu.count, chunks, n // chunks, codes, counts)
        each = counts.T.reshape(-1)
        ends = each.cumsum()
        starts = np.ascontiguousarray((ends - each).reshape(ranges, chunks).T, np.uint64)
        edges = np.concatenate([[0], ends[chunks - 1 :: chunks]])
        words, given, weights = memory.empty((n,), self.word), None, None
        if w.size:
            given, weights = w, memory.empty(w.shape, w.dtype)
        t = arrays.for_kernel(positive).view(np.uint8)
        rows = codes, self.bits, t, given, self.last, starts, words, weights
        threads.over_rows(cpu.deal, chunks, 2 * n // chunks, *rows)
        table = np.empty((ranges, 4), np.float64 if w.size else np.int64)
        threads.over_rows(_areas, ranges, _COST * n // ranges + 1, np.diff(edges).max(), edges, words, weights, table)
        return words, weights, edges, table


def _areas(lo: int, hi: int, longest: int, edges: Array, words: Array, weights: Array | None, table: Array) -> None:
    """By the kernel, with room to sort the longest range."""
    given = lo, hi, edges, words, np.empty(longest, words.dtype), np.empty(1 << cpu.MOST, np.uint64), table
    if weights is None:
        cpu.areas(*given)
    else:
        cpu.weighted_areas(*given, weights, np.empty(longest))


def area(s: Array, positive: Array, w: Array) -> float:
    """AUC of one column, nan if a class is missing: whole numbers until the one division, without weights."""
    scores = Scores(s)
    codes, ranges, _ = scores.ranges()
    wins, p, n, _ = scores.count(codes, ranges, positive, w)[-1].T
    twice = (wins + 2 * p * (n.cumsum() - n)).sum().item()
    pairs = 2 * p.sum().item() * n.sum().item()
    return twice / pairs if pairs else math.nan


def steps(s: Array, positive: Array, w: Array) -> tuple[Array, Array, Array]:
    """Scores from the highest down, and the weight of negatives and of positives at or above each."""
    if w.size and not w.all():
        keep = w > 0
        s, positive, w = s[keep], positive[keep], w[keep]
    scores = Scores(s)
    codes, ranges, negative = scores.ranges()
    words, weights, edges, table = scores.count(codes, ranges, positive, w)
    above = np.zeros((ranges, 2))
    above[:-1] = table[:0:-1, 1:3].cumsum(axis=0)[::-1]
    ends = table[::-1, 3].astype(np.int64).cumsum()[::-1]
    starts = np.append(ends[1:], 0)
    keys, tps, fps = np.empty(ends[0], np.int64), np.empty(ends[0]), np.empty(ends[0])
    threads.over_rows(cpu.steps, ranges, 4 * s.size // ranges + 1, edges, words, weights, starts, above, keys, tps, fps)
    if negative:
        keys[starts[negative - 1] :] += ~scores.last
    if w.size:  # a range begins where sums rounded another way have ended
        np.maximum.accumulate(tps, out=tps)
        np.maximum.accumulate(fps, out=fps)
    return scores.scores(keys), fps, tps


def partial_area(s: Array, positive: Array, w: Array, max_fpr: float) -> float:
    """The area up to max_fpr, standardised so that chance is 1/2 and the best 1 (McClish)."""
    _, fps, tps = steps(s, positive, w)
    if not fps[-1] or not tps[-1]:
        return math.nan
    fpr, tpr = np.append(0.0, fps / fps[-1]), np.append(0.0, tps / tps[-1])
    stop = int(np.searchsorted(fpr, max_fpr, "right"))
    height = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    area = np.trapezoid(np.append(tpr[:stop], height), np.append(fpr[:stop], max_fpr))
    least = max_fpr**2 / 2
    return float((1 + (area - least) / (max_fpr - least)) / 2)
