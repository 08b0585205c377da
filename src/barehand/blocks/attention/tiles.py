"""Attention tile by tile: BLAS multiplies, the kernels do the rest, and no more than a tile of scores exists at once.

Forward, a tile is some queries against some keys: the softmax is put together online, from tile to tile (Milakov and
Gimelshein 2018). Backward, it is some queries against all keys, so that one sweep has the whole row's sum: five
products for the gradient where a second look at the keys would take seven.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from barehand.core import memory, threads
from barehand.core.arrays import Array
from barehand.core.blas import one_thread
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.attention.cpu")

# Rows and keys of a tile, by measurement: large enough for BLAS, small enough for the cache.
_QUERIES, _CAUSAL_QUERIES, _KEYS = 512, 256, 1024
_BACKWARD = 1 << 19  # scores in a tile of the backward pass, which spans all keys
_FEWEST_QUERIES = 64
_SMALL = 1 << 22  # multiplications below which one task does everything
_TASKS = 8  # what larger work is cut into at least, where it can be

_A_RANGE = 1 << 17  # so costly is a task in the eyes of the pool that each becomes a range of its own
_UNLIMITED = np.empty(0, np.int64)


@dataclass(frozen=True)
class Units:
    """A stack of matrices read in an order: unit b is flat[order[b]], so nothing is copied where axes are broadcast."""

    flat: Array
    order: Array | None = None

    def take(self, lo: int, hi: int) -> Array:
        """Units lo to hi."""
        if self.order is None:
            return self.flat[lo:hi]
        first = self.order[lo]
        return self.flat[first : first + 1] if hi - lo == 1 else self.flat[self.order[lo:hi]]

    def finite(self) -> Units:
        """The same with zeros for nan and infinities; a sum finds out whether there are any."""
        if math.isfinite(np.add.reduce(self.flat, axis=None)):
            return self
        return Units(np.where(np.isfinite(self.flat), self.flat, self.flat.dtype.type(0)), self.order)

    def strays(self) -> Units:
        """The same with zeros for all that is finite."""
        return Units(np.where(np.isfinite(self.flat), self.flat.dtype.type(0), self.flat), self.order)


class Problem:
    """Queries, keys, values and what hides them, as units of one number; `diagonal` is None or where causal starts."""

    def __init__(
        self, units: int, q: Units, k: Units, v: Units, mask: Units | None, diagonal: int | None, scale: float
    ) -> None:
        self.units, self.q, self.k, self.v, self.mask, self.diagonal = units, q, k, v, mask, diagonal
        self.queries, self.keys, self.width = q.flat.shape[1], k.flat.shape[1], v.flat.shape[2]
        self.dtype = q.flat.dtype
        self.scale = self.dtype.type(scale)
        with np.errstate(all="ignore"):
            self.tame_v = v.finite()
            self.strays = None if self.tame_v is v else v.strays()

    def seen(self, query: int) -> int:
        """How many keys a query may see at most."""
        return self.keys if self.diagonal is None else int(min(max(query + 1 + self.diagonal, 0), self.keys))

    def limits(self, i0: int, i1: int, j0: int, j1: int) -> Array:
        """How many of the keys j0 to j1 each of the queries i0 to i1 may see."""
        if self.diagonal is None or self.seen(i0) >= j1:
            return _UNLIMITED
        return np.clip(np.arange(i0 + 1 + self.diagonal - j0, i1 + 1 + self.diagonal - j0), 0, j1 - j0)

    def scaled(self, b0: int, b1: int, i0: int, i1: int) -> Array:
        """Queries times the scale: cheaper than the scores times the scale."""
        scaled: Array = self.q.take(b0, b1)[:, i0:i1] * self.scale
        return scaled

    def scores(self, q: Array, at: tuple[int, int, int, int], j0: int, j1: int, s: Array) -> None:
        """s = q K^T for the scaled queries q of the tile `at`, with -inf or the mask's bias where it says so."""
        b0, b1, i0, i1 = at
        np.matmul(q, self.k.take(b0, b1)[:, j0:j1].swapaxes(1, 2), out=s)
        if self.mask is not None:
            tile = np.ascontiguousarray(np.broadcast_to(self.mask.take(b0, b1)[:, i0:i1, j0:j1], s.shape))
            apply = cpu.hide if tile.dtype == bool else cpu.shift
            apply(_rows(s), _rows(tile))

    def averages(self, p: Array, b0: int, b1: int, j0: int, j1: int, out: Array) -> None:
        """out = P V, where a weight of 0 takes nothing, not even nan."""
        np.matmul(p, self.tame_v.take(b0, b1)[:, j0:j1], out=out)
        if self.strays is None:
            return
        strays = self.strays.take(b0, b1)[:, j0:j1]
        wild = np.flatnonzero((strays != 0).any(axis=(0, 2)))
        for j in wild[(p[:, :, wild] != 0).any(axis=(0, 1))]:
            w = p[:, :, j, None]
            out += np.where(w == 0, 0, w * strays[:, None, j])


def _rows(tile: Array) -> Array:
    return tile.reshape(tile.shape[0] * tile.shape[1], tile.shape[2])


def _groups(problem: Problem, rows: int, tile: int) -> int:
    """How many units share a tile: many where they are small, since each step costs a call."""
    if rows < problem.queries:
        return 1
    work = problem.units * problem.queries * problem.keys * (problem.width + problem.q.flat.shape[2])
    most = problem.units if work < _SMALL else -(-problem.units // _TASKS)
    return int(max(1, min(most, tile // max(rows * problem.keys, 1))))


def _cuts(n: int, step: int) -> Iterator[tuple[int, int]]:
    return ((lo, min(lo + step, n)) for lo in range(0, n, step))


def _share_out(run: Any, tasks: list[Any], *arguments: Any) -> None:
    """The tasks to the pool, one BLAS thread to each; what a task computes depends on its place in the list alone."""

    def some(lo: int, hi: int) -> None:
        with np.errstate(all="ignore"):  # a thread starts with errors of its own
            for task in tasks[lo:hi]:
                run(task, *arguments)

    if not tasks:
        return
    with one_thread:
        threads.over_rows(some, len(tasks), _A_RANGE)


def forward(problem: Problem, with_weights: bool) -> tuple[Array, Array | None]:
    """The averages of the values (units, queries, width), and the weights (units, queries, keys) where wanted."""
    out = memory.empty((problem.units, problem.queries, problem.width), problem.dtype)
    weights = memory.empty((problem.units, problem.queries, problem.keys), problem.dtype) if with_weights else None
    rows = max(min(problem.queries, _QUERIES if problem.diagonal is None else _CAUSAL_QUERIES), 1)
    span = max(problem.keys, 1) if with_weights else max(_KEYS, _QUERIES * _KEYS // rows)
    group = _groups(problem, rows, _QUERIES * _KEYS)
    tasks = [(b0, b1, *q) for b0, b1 in _cuts(problem.units, group) for q in _cuts(problem.queries, rows)]
    _share_out(_attend, tasks, problem, span, out, weights)
    return out, weights


def _attend(at: tuple[int, int, int, int], problem: Problem, span: int, out: Array, weights: Array | None) -> None:
    """One tile's queries against their keys, `span` at a time."""
    b0, b1, i0, i1 = at
    shape = b1 - b0, i1 - i0
    rows = shape[0] * shape[1]
    q, o = problem.scaled(*at), out[b0:b1, i0:i1]
    m, z = np.full(rows, -np.inf, problem.dtype), np.zeros(rows)
    shrink, part = np.empty_like(m), None
    end = problem.seen(i1 - 1) if weights is None else problem.keys
    room = memory.empty((rows * min(span, end) if weights is None else 0,), problem.dtype)
    for j0, j1 in _cuts(end, span):
        s = room[: rows * (j1 - j0)].reshape(*shape, j1 - j0) if weights is None else weights[b0:b1, i0:i1]
        problem.scores(q, at, j0, j1, s)
        cpu.weigh(_rows(s), problem.limits(i0, i1, j0, j1), m, z, shrink)
        if j0 == 0:
            problem.averages(s, b0, b1, j0, j1, o)
        else:
            part = np.empty_like(o) if part is None else part
            problem.averages(s, b0, b1, j0, j1, part)
            cpu.gather(_rows(o), _rows(part), shrink)
    cpu.divide(_rows(o), z)
    if weights is not None and problem.keys:
        cpu.divide(_rows(weights[b0:b1, i0:i1]), z)


@dataclass(frozen=True)
class Pulled:
    """What the backward pass fills: gradients for each unit, and the result and weights where they are wanted."""

    dq: Array
    dk: Array
    dv: Array
    out: Array | None
    weights: Array | None


def backward(problem: Problem, g: Array, g_weights: Array | None, with_value: bool, with_weights: bool) -> Pulled:
    """The gradients for queries, keys and values of each unit, and the values and weights where wanted."""
    p, kind = problem, problem.dtype
    rows = max(min(p.queries, _QUERIES, max(_FEWEST_QUERIES, _BACKWARD // max(p.keys, 1))), 1)
    group = _groups(p, rows, _BACKWARD)
    chunk = rows * max(1, -(-p.queries // (rows * -(-_TASKS // max(p.units, 1)))))
    chunks = max(1, -(-p.queries // chunk))
    pulled = Pulled(
        memory.empty((p.units, p.queries, p.q.flat.shape[2]), kind),
        memory.empty((chunks, p.units, p.keys, p.k.flat.shape[2]), kind),
        memory.empty((chunks, p.units, p.keys, p.width), kind),
        memory.empty((p.units, p.queries, p.width), kind) if with_value else None,
        np.zeros((p.units, p.queries, p.keys), kind) if with_value and with_weights else None,
    )
    with np.errstate(all="ignore"):
        tame = p.q.finite(), p.k.finite()
    tasks = [
        (b0, b1, c, [*_cuts(p.queries, rows)][c * chunk // rows : (c + 1) * chunk // rows])
        for b0, b1 in _cuts(p.units, group)
        for c in range(chunks)
    ]
    _share_out(_pull, tasks, p, tame, g, g_weights, pulled)
    if chunks > 1:
        return Pulled(pulled.dq, pulled.dk.sum(axis=0), pulled.dv.sum(axis=0), pulled.out, pulled.weights)
    return Pulled(pulled.dq, pulled.dk[0], pulled.dv[0], pulled.out, pulled.weights)


def _pull(
    task: tuple[int, int, int, list[tuple[int, int]]],
    problem: Problem,
    tame: tuple[Units, Units],
    g: Array,
    g_weights: Array | None,
    pulled: Pulled,
) -> None:
    """Some queries of some units, tile by tile, against all their keys; from the last, which sees the most of them."""
    b0, b1, c, cuts = task
    dk, dv = pulled.dk[c, b0:b1], pulled.dv[c, b0:b1]
    filled = 0
    for i0, i1 in reversed(cuts):
        at = b0, b1, i0, i1
        end = problem.seen(i1 - 1)
        p, z = _exponentials(problem, at, end)
        gi = g[b0:b1, i0:i1]
        if pulled.out is not None:  # in the order of the forward pass, so that the values are the same
            problem.averages(p, b0, b1, 0, end, pulled.out[b0:b1, i0:i1])
            cpu.divide(_rows(pulled.out[b0:b1, i0:i1]), z)
        cpu.divide(_rows(p), z)
        if pulled.weights is not None:
            pulled.weights[b0:b1, i0:i1, :end] = p
        ds = np.matmul(gi, problem.v.take(b0, b1)[:, :end].swapaxes(1, 2), out=memory.empty_like(p))
        if g_weights is not None:
            ds += g_weights[b0:b1, i0:i1, :end]
        cpu.slopes(_rows(p), _rows(ds))
        np.matmul(ds, tame[1].take(b0, b1)[:, :end], out=pulled.dq[b0:b1, i0:i1])
        pulled.dq[b0:b1, i0:i1] *= problem.scale
        q = tame[0].take(b0, b1)[:, i0:i1] * problem.scale
        if filled:
            dk[:, :end] += ds.swapaxes(1, 2) @ q
            dv[:, :end] += p.swapaxes(1, 2) @ gi
        else:
            np.matmul(ds.swapaxes(1, 2), q, out=dk[:, :end])
            np.matmul(p.swapaxes(1, 2), gi, out=dv[:, :end])
            dk[:, end:] = dv[:, end:] = 0
            filled = 1
    if not cuts:
        dk[...] = dv[...] = 0


def _exponentials(problem: Problem, at: tuple[int, int, int, int], keys: int) -> tuple[Array, Array]:
    """A tile's weights over its first `keys` keys before they are divided by z, and z."""
    b0, b1, i0, i1 = at
    p = memory.empty((b1 - b0, i1 - i0, keys), problem.dtype)
    m, z = np.full(p.shape[0] * p.shape[1], -np.inf, problem.dtype), np.zeros(p.shape[0] * p.shape[1])
    if p.size:
        problem.scores(problem.scaled(*at), at, 0, keys, p)
        cpu.weigh(_rows(p), problem.limits(i0, i1, 0, keys), m, z, np.empty_like(m))
    return p, z


def linear(x: Array, w: Array | None, b: Array | None) -> Array:
    """x W^T + b for rows x; x itself without a W."""
    if w is None:
        return x
    y = memory.empty((len(x), len(w)), x.dtype)

    def some(cut: tuple[int, int]) -> None:
        lo, hi = cut
        np.matmul(x[lo:hi], w.T, out=y[lo:hi])
        if b is not None:
            y[lo:hi] += b

    _share_out(some, _shares(len(x), w.size))
    return y


def linear_backward(x: Array, w: Array | None, b: Array | None, g: Array) -> tuple[Array, Array | None, Array | None]:
    """dx = G W, dW = G^T x, db = sum G; a row of x whose gradient is 0 may hold nan."""
    if w is None:
        return g, None, None
    dx, dw = memory.empty_like(x), memory.empty_like(w)
    if not math.isfinite(np.add.reduce(x, axis=None)):
        x = np.where((g != 0).any(axis=1, keepdims=True), x, x.dtype.type(0))

    def rows(cut: tuple[int, int]) -> None:
        lo, hi = cut
        np.matmul(g[lo:hi], w, out=dx[lo:hi])

    def units(cut: tuple[int, int]) -> None:
        lo, hi = cut
        np.matmul(g[:, lo:hi].T, x, out=dw[lo:hi])

    with np.errstate(all="ignore"):
        _share_out(rows, _shares(len(x), w.size))
        _share_out(units, _shares(len(w), x.size))
        return dx, dw, None if b is None else g.sum(axis=0, dtype=np.float64)


def _shares(rows: int, cost: int) -> list[tuple[int, int]]:
    """Rows of so many multiplications each, in up to so many shares as there are tasks."""
    shares = _TASKS if rows * cost > _SMALL else 1
    return [*_cuts(rows, max(-(-rows // shares), 1))]
