"""How fast the blocks are beside what people use today: `barehand bench`.

Peers are taken at their best: torch with huge pages for its results (`THP_MEM_ALLOC_ENABLE=1`, set before torch loads)
and also compiled, the same number of threads and the same arrays. Each peer is timed turn by turn with ours, and the
figure is the median, because machines are shared.
"""

from barehand.bench.run import Row, bench

__all__ = ["Row", "bench"]
