"""AUC kernels: scores become integers of the same order, rows go to ranges, each range is sorted and counted.

The *key* of a score is its bits as a signed integer, with those of negative numbers turned round: keys compare as
scores do. A *range* is a set of rows whose scores have one sign and lie beyond those of the range before it; for
grouped AUC, one group's rows of one sign. Within a range the *word* 2 key + label, its sign bit pushed out, compares
as the scores do, and among equal scores negatives come first.

bits: the scores' bits, signed. last: the largest number of that type. t: labels, 0 or 1. w: weights, or None: what is
done with them is then not even compiled.
"""

from __future__ import annotations

import numpy as np

from barehand.core.jit import inlined, kernel
from barehand.core.rows import fill

ONE = np.uint64(1)
BLOCK = 256  # weights added up before their sum joins a longer one
FEW = 24  # words that insertion sorts faster than counting
MOST = 11  # bits of a digit, at most


@inlined
def key(b, last):
    """The integer in a score's place; -0.0, the only one at -1, joins 0.0."""
    k = np.int64(b) ^ ((np.int64(b) >> 63) & last)
    return k + 1 if k == -1 else k


@kernel
def locate(lo, hi, bits, last, shift, first, place, codes):
    """The range of each row: keys in steps of 2^shift are cells, and `place` has the range of each cell."""
    b, c = bits[lo:hi], codes[lo:hi]
    for i in range(b.size):
        c[i] = place[np.uint64((key(b[i], last) >> shift) - first)]


@kernel
def halve(lo, hi, groups, first, bits, last, codes):
    """Two ranges a group: negative scores in the even one, the others in the odd one."""
    g, b, c = groups[lo:hi], bits[lo:hi], codes[lo:hi]
    for i in range(g.size):
        c[i] = 2 * (np.int64(g[i]) - first) + (1 if key(b[i], last) >= 0 else 0)


@kernel
def count(lo, hi, codes, counts):
    """How many rows of each chunk belong to each range."""
    chunks = counts.shape[0]
    for chunk in range(lo, hi):
        c = codes[codes.size * chunk // chunks : codes.size * (chunk + 1) // chunks]
        for i in range(c.size):
            counts[chunk, np.uint64(c[i])] += 1


@kernel
def deal(lo, hi, codes, bits, t, w, last, starts, words, weights):
    """Write each row's word, and its weight, to the next free place of its chunk in its range."""
    chunks = starts.shape[0]
    for chunk in range(lo, hi):
        begin, end = codes.size * chunk // chunks, codes.size * (chunk + 1) // chunks
        c, b, u = codes[begin:end], bits[begin:end], t[begin:end]
        at = starts[chunk]
        for i in range(c.size):
            r = np.uint64(c[i])
            p = at[r]
            at[r] = p + ONE
            words[p] = (key(b[i], last) << 1) | u[i]
            if w is not None:
                weights[p] = w[begin + i]


@kernel
def by_digit(a, wa, b, wb, at, shift, width):
    """Write a to b in the order of so many bits from `shift` on, what is equal in the order of a."""
    digits = at[: 1 << width]
    mask, shift = np.uint64(digits.size - 1), np.uint64(shift if shift < 63 else 63)
    fill(digits, 0)
    for i in range(a.size):
        digits[(a[i] >> shift) & mask] += ONE
    p = np.uint64(0)
    for d in range(digits.size):
        p += digits[d]
        digits[d] = p - digits[d]
    for i in range(a.size):
        d = (a[i] >> shift) & mask
        p = digits[d]
        digits[d] = p + ONE
        b[p] = a[i]
        if wa is not None:
            wb[p] = wa[i]


@kernel
def by_insertion(a, wa, budget):
    """Sort a that is nearly sorted; False, with a half done, once it has taken `budget` moves."""
    for i in range(1, a.size):
        x = a[i]
        if a[i - 1] > x:
            j = i
            while j > 0 and a[j - 1] > x:
                a[j] = a[j - 1]
                j -= 1
            a[j] = x
            if wa is not None:
                v = wa[i]
                for k in range(i, j, -1):
                    wa[k] = wa[k - 1]
                wa[j] = v
            budget -= i - j
            if budget < 0:
                return False
    return True


@kernel
def sort(a, wa, b, wb, at):
    """Sort words, and weights along with them; b and wb are room as large, `at` for 2^MOST counts.

    Sorted by the highest two digits of the bits that differ, next to nothing is out of order, unless scores crowd
    together: then every bit is sorted by.
    """
    n = a.size
    differ = np.uint64(0)
    for i in range(n):
        differ |= np.uint64(a[i] ^ a[0])
    top = 0
    while top < 64 and differ >> np.uint64(top):
        top += 1
    most = MOST if n > 4096 else 8 if n > 256 else 6
    low = top if n <= FEW else 0 if top < 2 * most else top - 2 * most
    while True:
        twice = (top - low + 2 * most - 1) // (2 * most)  # an even number of digits ends in a
        width = (top - low + 2 * twice - 1) // (2 * twice) if twice else 0
        for k in range(twice):
            by_digit(a, wa, b, wb, at, low + 2 * k * width, width)
            by_digit(b, wb, a, wa, at, low + (2 * k + 1) * width, width)
        if by_insertion(a, wa, 4 * n + FEW * FEW):
            return
        low = 0


@kernel
def pairs(a):
    """Of sorted words: 2 wins + ties over all pairs, the positives, the negatives, and the distinct scores."""
    wins, positives, below, under = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
    distinct, previous = 0, ~np.uint64(0)
    for i in range(a.size):
        k, t = np.uint64(a[i]) >> ONE, np.uint64(a[i]) & ONE
        under = below if k != previous else under  # the negatives strictly below this score
        distinct += k != previous
        previous = k
        wins += t * (below + under)  # at a positive, its ties are all among those `below`
        positives += t
        below += ONE - t
    return np.int64(wins), np.int64(positives), np.int64(below), distinct


@kernel
def weighted_pairs(a, w):
    """As `pairs`, every pair counted with the product of its weights; sums run over short blocks."""
    total, positives, negatives, under = 0.0, 0.0, 0.0, 0.0
    distinct, previous = 0, ~np.uint64(0)
    for start in range(0, a.size, BLOCK):
        ab = a[start : start + BLOCK]
        wb = w[start : start + BLOCK]
        wins, p, n = 0.0, 0.0, 0.0  # of this block, from whose beginning `under` counts too
        for i in range(ab.size):
            k = np.uint64(ab[i]) >> ONE
            under = n if k != previous else under
            distinct += k != previous
            previous = k
            if ab[i] & ONE:
                wins += wb[i] * (n + under)
                p += wb[i]
            else:
                n += wb[i]
        total += wins + 2.0 * negatives * p
        positives += p
        negatives += n
        under -= n
    return total, positives, negatives, distinct


@kernel
def areas(lo, hi, edges, words, room, at, table):
    """Sort the ranges lo to hi and count their pairs, a row of the table each; room as for `sort`."""
    for r in range(lo, hi):
        a, row = words[edges[r] : edges[r + 1]], table[r]
        sort(a, None, room[: a.size], None, at)
        row[0], row[1], row[2], row[3] = pairs(a)


@kernel
def weighted_areas(lo, hi, edges, words, room, at, table, weights, heavy):
    """As `areas`, with weights; `heavy` is room for them."""
    for r in range(lo, hi):
        a, w, row = words[edges[r] : edges[r + 1]], weights[edges[r] : edges[r + 1]], table[r]
        sort(a, w, room[: a.size], heavy[: a.size], at)
        row[0], row[1], row[2], row[3] = weighted_pairs(a, w)


@kernel
def steps(lo, hi, edges, words, weights, starts, above, keys, tps, fps):
    """The curve over the sorted ranges lo to hi, from the highest score down: after each distinct score, the weight of
    the positives and of the negatives so far. `above` holds what lies in the ranges above; keys lack their sign."""
    for r in range(lo, hi):
        first = edges[r]
        a = words[first : edges[r + 1]]
        j = starts[r]
        tp, fp, p, n = above[r, 0], above[r, 1], 0.0, 0.0
        for i in range(a.size - 1, -1, -1):
            v = 1.0 if weights is None else weights[first + i]
            if a[i] & ONE:
                p += v
            else:
                n += v
            if i == 0 or a[i - 1] >> ONE != a[i] >> ONE:
                keys[j], tps[j], fps[j] = np.int64(a[i] >> ONE), tp + p, fp + n
                j += 1
            if i % BLOCK == 0:
                tp, fp, p, n = tp + p, fp + n, 0.0, 0.0


@kernel
def number(names, codes):
    """Number integer names in the order of their first appearance, by a hash table that doubles; how many there are."""
    bits = 16
    seen = np.empty(1 << bits, np.int64)
    slots = np.zeros(1 << bits, np.int64)  # 0 is free, else the code plus 1
    known = 0
    for i in range(names.size):
        if 2 * known >= slots.size:
            bits += 1
            longer = np.empty(1 << bits, np.int64)
            slots = np.zeros(1 << bits, np.int64)
            for code in range(known):
                longer[code] = seen[code]
                slots[_slot(slots, bits, seen, seen[code])] = code + 1
            seen = longer
        s = _slot(slots, bits, seen, names[i])
        if slots[s] == 0:
            seen[known] = names[i]
            known += 1
            slots[s] = known
        codes[i] = slots[s] - 1
    return known


@inlined
def _slot(slots, bits, seen, name):
    """Where a name is, or where it would go: multiplicative hashing, then the next free place."""
    s = np.int64((np.uint64(name) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits))
    while slots[s] != 0 and seen[slots[s] - 1] != name:
        s = (s + 1) & (slots.size - 1)
    return s
