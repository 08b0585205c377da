"""Beside PyTorch: its own sample inputs, what it and its libraries get wrong, its workers, and the memory it takes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import barehand as bh

torch = pytest.importorskip("torch", reason="torch is not installed")
F = torch.nn.functional

Skip = str  # the reason why a sample cannot be said with our arguments


def close(left: Any, right: Any, **options: Any) -> None:
    torch.testing.assert_close(left, right, equal_nan=True, **options)


# torch's own sample inputs: our function on each that it has arguments for, against torch's


def _softmax(ours: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, axis: int, *, dtype: Any = None) -> Any:
        return ours(x if dtype is None else x.to(dtype), axis=axis)

    return run


def _layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    if eps < 0:
        return "eps below 0 is refused"
    return bh.layer_norm(x, weight, bias, axis=x.ndim - len(shape), eps=eps)


def _batch_norm(
    x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None, training: bool = False, momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:  # fmt: skip
    if not 0 <= momentum <= 1:
        return "momentum outside [0, 1] is refused"
    if x.ndim < 2:
        return "torch takes an empty vector for a batch"
    if training and x.numel() == x.shape[1]:
        return "one value a channel is refused, as torch's own module does"
    running = {} if mean is None else {"running_mean": mean.clone(), "running_var": var.clone()}
    return bh.batch_norm(x, weight, bias, **running, training=training, momentum=momentum, eps=eps)


def _cross_entropy(x: Any, target: Any, **options: Any) -> Any:
    if target.is_floating_point() and not bool(((target >= 0) & (target <= 1)).all()):
        return "a target outside [0, 1] is refused"
    if "weight" in options and bool((options["weight"] < 0).any()):
        return "a class weight below 0 is refused"
    return bh.cross_entropy(x, target, axis=1 if x.ndim > 1 else 0, **options)


def _attention(
    q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False, scale: Any = None,
    enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if dropout_p:
        return "dropout is left to its own function"
    if enable_gqa:
        return "shared keys are expanded by the caller"
    return bh.attention(q, k, v, mask=attn_mask, causal="top_left" if is_causal else False, scale=scale)


OURS = {
    "softmax": _softmax(bh.softmax),
    "log_softmax": _softmax(bh.log_softmax),
    "nn.functional.layer_norm": _layer_norm,
    "nn.functional.batch_norm": _batch_norm,
    "nn.functional.cross_entropy": _cross_entropy,
    "nn.functional.scaled_dot_product_attention": _attention,
}


@pytest.fixture(scope="module")
def samples() -> dict[str, list[Any]]:
    pytest.importorskip("expecttest", reason="torch.testing's sample inputs need expecttest")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return {name: [op for op in op_db if op.name == name] for name in OURS}


def _wide(x: Any) -> Any:
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        return x
    return x.detach().double().requires_grad_(x.requires_grad)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", OURS)
def test_torchs_sample_inputs(name: str, dtype: Any, samples: dict[str, list[Any]]) -> None:
    skipped: Counter[Skip] = Counter()
    done = 0
    torch.manual_seed(0)
    # The terms of a gradient are up to 300 in the samples, those of a norm's over one feature, and may cancel.
    bound = {"rtol": 16 * torch.finfo(dtype).eps, "atol": 1600 * torch.finfo(dtype).eps}
    for op in samples[name]:
        for sample in op.sample_inputs("cpu", dtype, requires_grad=True):
            result = OURS[name](sample.input, *sample.args, **sample.kwargs)
            if isinstance(result, Skip):
                skipped[result] += 1
                continue
            # torch's answer in float64: in float32 it is the less exact of the two
            wide = [_wide(a) for a in (sample.input, *sample.args)]
            named = {k: _wide(v) for k, v in sample.kwargs.items()}
            expected = op(*wide, **named)
            if "cross_entropy" in name and expected.isnan().all():
                skipped["torch's mean over nothing is nan (pytorch#70348)"] += 1
                assert float(result.detach()) == 0.0
                continue
            close(result, expected.to(result.dtype), **bound)
            leaves = [t for t in (sample.input, *sample.args) if isinstance(t, torch.Tensor) and t.requires_grad]
            if result.requires_grad:
                g = torch.randn_like(result)
                ours = torch.autograd.grad(result, leaves, g, allow_unused=True)
                wide = [t for t in wide if isinstance(t, torch.Tensor) and t.requires_grad]
                theirs = torch.autograd.grad(expected, wide, g.double(), allow_unused=True)
                for a, b in zip(ours, theirs, strict=True):
                    if a is not None and b is not None:
                        close(a, b.to(dtype), **bound)
            done += 1
    print(f"{name}: {done} samples, skipped {dict(skipped)}")
    assert done >= 3
    assert done > sum(skipped.values()) / 2, skipped


# Known defects of the libraries people use: ours is right there


def test_layer_norm_far_from_zero() -> None:
    """torch 2.13, float32, CPU: 2e-2 off; its shift is subtracted after the scale."""
    x = 1e4 + 1e-3 * torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    right = F.layer_norm(x.double(), (64,))
    assert (bh.layer_norm(x) - right).abs().max() < 2e-6
    assert (F.layer_norm(x, (64,)) - right).abs().max() > 1e-3


def test_batch_norm_far_from_zero() -> None:
    """torch 2.13, float32, CPU: 3e-2 off."""
    x = 1e4 + 1e-3 * torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    right = F.batch_norm(x.double(), None, None, training=True)
    assert (bh.batch_norm(x) - right).abs().max() < 2e-6
    assert (F.batch_norm(x, None, None, training=True) - right).abs().max() > 1e-3


def test_cross_entropy_of_ignored_rows_alone() -> None:
    """pytorch#70348: nan."""
    x = torch.randn(3, 4, requires_grad=True)
    nothing = torch.full((3,), -100)
    value = bh.cross_entropy(x, nothing)
    value.backward()
    close(value, torch.tensor(0.0))
    close(x.grad, torch.zeros(3, 4))
    assert F.cross_entropy(x, nothing).isnan()


def test_cross_entropy_of_a_share_of_zero() -> None:
    """torch 2.13: 0 times -inf is nan."""
    x = torch.tensor([[0.0, -torch.inf, 1.0]], requires_grad=True)
    q = torch.tensor([[0.5, 0.0, 0.5]])
    value = bh.cross_entropy(x, q)
    value.backward()
    assert value.isfinite()
    assert x.grad.isfinite().all()
    assert F.cross_entropy(x, q).isnan()


@pytest.mark.parametrize("return_weights", [False, True])
def test_a_query_with_nothing_to_attend_to(return_weights: bool) -> None:
    """pytorch#41508: nan, or not, by need_weights."""
    q, k, v = (torch.randn(2, 3, 4, requires_grad=True) for _ in range(3))
    mask = torch.ones(2, 3, 3, dtype=torch.bool)
    mask[0, 1] = False
    found = bh.attention(q, k, v, mask=mask, return_weights=return_weights)
    result = found[0] if return_weights else found
    close(result[0, 1], torch.zeros(4))
    result.sum().backward()
    assert all(x.grad.isfinite().all() for x in (q, k, v))
    close(q.grad[0, 1], torch.zeros(4))


def test_masks_have_one_polarity() -> None:
    """pytorch#118972: True is masked in nn.MultiheadAttention and may attend in scaled_dot_product_attention."""
    x = torch.randn(1, 3, 4)
    only_first = torch.tensor([[True, False, False]]).expand(3, 3)
    close(bh.attention(x, x, x, mask=only_first), x[:, :1].expand(1, 3, 4))
    w = bh.AttentionWeights(*(torch.eye(4) for _ in range(4)))
    close(bh.multi_head_attention(x, x, x, w, num_heads=2, mask=only_first), x[:, :1].expand(1, 3, 4))


def test_causal_alignment_is_named() -> None:
    """pytorch#108108: top-left in one library, bottom-right in another."""
    q, k = torch.randn(2, 4), torch.randn(3, 4)
    with pytest.raises(ValueError, match="top_left"):
        bh.attention(q, k, k, causal=True)
    close(bh.attention(q, k, k, causal="top_left")[0], k[0])
    close(bh.attention(q, k, k, causal="bottom_right")[1], bh.attention(q, k, k)[1])


def test_nan_under_a_mask_stays_there() -> None:
    """pytorch#101967: it leaks."""
    q, k, v = (torch.randn(3, 4, requires_grad=True) for _ in range(3))
    with torch.no_grad():
        k[2], v[2] = torch.nan, torch.nan
    mask = torch.tensor([True, True, False]).expand(3, 3)
    result = bh.attention(q, k, v, mask=mask)
    close(result, bh.attention(q, k[:2], v[:2]))
    result.sum().backward()
    assert all(x.grad.isfinite().all() for x in (q, k, v))
    assert F.scaled_dot_product_attention(q, k, v, attn_mask=mask).isnan().any()


def test_the_distance_of_identical_rows_has_no_slope() -> None:
    """F.pairwise_distance adds 1e-6 to the difference and has a full unit gradient there; sqrt of a sum has nan."""
    row = torch.randn(1, 4)
    for loss in (
        lambda x: bh.contrastive_loss(x, row, torch.zeros(1)),
        lambda x: bh.pairwise_margin_loss(x, row, row),
    ):
        x = row.clone().requires_grad_()
        loss(x).backward()
        close(x.grad, torch.zeros(1, 4))
    x = row.clone().requires_grad_()
    (1 - F.pairwise_distance(x, row)).clamp_min(0).square().sum().backward()
    assert x.grad.norm() > 1


def test_focal_loss_of_confident_examples() -> None:
    """torchvision.ops.sigmoid_focal_loss: the gradient is nan for gamma 0.5 from logit 17 on."""
    x = torch.tensor([17.0, 30.0, 100.0], requires_grad=True)
    bh.focal_loss(x, torch.ones(3), gamma=0.5).backward()
    assert x.grad.isfinite().all()


def test_focal_loss_over_classes() -> None:
    """Asked for in vision#3250; with gamma 0 it is the cross-entropy."""
    x, t = torch.randn(5, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1])
    close(bh.softmax_focal_loss(x, t, gamma=0.0), F.cross_entropy(x, t))
    assert bh.softmax_focal_loss(x, t) < F.cross_entropy(x, t)


def test_iou_of_degenerate_boxes() -> None:
    """vision#3404: nan."""
    nothing = torch.zeros(1, 4, requires_grad=True)
    value = bh.iou(nothing, torch.zeros(1, 4))
    value.sum().backward()
    close(value, torch.zeros(1))
    close(nothing.grad, torch.zeros(1, 4))


def test_iou_of_large_whole_numbers() -> None:
    """torchvision.ops.box_iou: areas overflow int32."""
    boxes = torch.tensor([[0, 0, 60000, 60000]], dtype=torch.int32)
    close(bh.pairwise_iou(boxes, boxes), torch.ones(1, 1))


def test_auc_takes_scores_as_they_are() -> None:
    """torchmetrics#2329: a batch within [0, 1] is taken for probabilities, another for logits."""
    y = torch.tensor([0, 1, 0, 1])
    s = torch.tensor([-3.0, 0.2, 0.1, 4.0])
    close(bh.roc_auc_score(y, s), bh.roc_auc_score(y, s.sigmoid()))


def test_auc_takes_weights() -> None:
    """torchmetrics#3274: it has none."""
    y, s = torch.tensor([0, 1, 0, 1]), torch.tensor([0.3, 0.2, 0.1, 0.4])
    doubled = torch.tensor([0, 1, 1, 2, 3])
    weight = torch.tensor([1.0, 2.0, 1.0, 1.0])
    close(bh.roc_auc_score(y, s, sample_weight=weight), bh.roc_auc_score(y[doubled], s[doubled]))


def test_auc_of_one_class_and_of_bad_options() -> None:
    """torchmetrics: 0.0 for one class, and max_fpr=-0.5 is accepted; scikit-learn#30079: nan and a warning."""
    with pytest.warns(UserWarning, match="one class"):
        assert bh.roc_auc_score(torch.ones(3), torch.randn(3)).isnan()
    with pytest.raises(ValueError, match="max_fpr"):
        bh.roc_auc_score(torch.tensor([0, 1]), torch.tensor([0.1, 0.2]), max_fpr=-0.5)


def test_auc_counts_ties_a_half() -> None:
    """torchrec's AUC has no term for ties."""
    close(bh.roc_auc_score(torch.tensor([0, 1, 0, 1]), torch.zeros(4)), torch.tensor(0.5, dtype=torch.float64))


def test_bpr_of_a_pair_that_is_wrong_by_a_hundred() -> None:
    """RecBole's -log(1e-10 + sigmoid(x)): gradient 0."""
    p = torch.tensor([-100.0], requires_grad=True)
    bh.bpr_loss(p, torch.zeros(1)).backward()
    close(p.grad, torch.tensor([-1.0]))


# Threads, workers, processes


def _train(seed: int) -> Any:
    g = torch.Generator().manual_seed(seed)
    x, t = torch.randn(256, 300, generator=g), torch.randint(0, 400, (256,), generator=g)
    w = torch.zeros(300, 400, requires_grad=True)
    for _ in range(5):
        loss = bh.cross_entropy(bh.layer_norm(x @ w), t)
        (slope,) = torch.autograd.grad(loss, w)
        with torch.no_grad():
            w -= slope
    return w.detach()


def test_two_threads_train_at_once() -> None:
    expected, found = [_train(seed) for seed in (1, 2)], [None, None]

    def work(i: int) -> None:
        found[i] = _train(i + 1)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=120)
    for a, b in zip(found, expected, strict=True):
        close(a, b)


WORKERS = """
import sys, torch, barehand as bh
from torch.utils.data import DataLoader, Dataset

class Scores(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, i):
        x = torch.randn(512, 512, generator=torch.Generator().manual_seed(i))
        return bh.softmax(x).sum(-1)

def child(rank, queue):
    x = torch.randn(300, 1000, generator=torch.Generator().manual_seed(rank), requires_grad=True)
    loss = bh.cross_entropy(x, torch.arange(300))
    loss.backward()
    bh.softmax(x[:, :200])  # by torch's own operation
    queue.put((rank, float(loss.detach()), float(abs(x.grad.numpy()).sum())))

if __name__ == "__main__":
    start = sys.argv[1]
    bh.softmax(torch.randn(512, 512))  # the parent's threads are awake
    torch.randn(2000, 2000).exp().sum()  # and torch's
    for batch in DataLoader(Scores(), batch_size=4, num_workers=1, multiprocessing_context=start):
        assert torch.allclose(batch, torch.ones(4, 512))
    context = torch.multiprocessing.get_context(start)
    queue = context.Queue()
    workers = [context.Process(target=child, args=(rank, queue)) for rank in range(2)]
    for w in workers:
        w.start()
    found = sorted(queue.get(timeout=100) for _ in workers)
    for w in workers:
        w.join(60)
        assert w.exitcode == 0
    class Queue(list):
        put = list.append
    here = Queue()
    for rank in range(2):
        child(rank, here)
    assert found == here, (found, here)
    print("done")
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers(start: str, tmp_path: Path) -> None:
    """A DataLoader's workers and torch.multiprocessing's, after the parent used its threads."""
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    done = subprocess.run([sys.executable, str(script), start], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "done", done.stderr


# Memory


PEAK = """
import resource, sys, torch, barehand as bh
from torch.nn import functional as F

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def focal(x, t):
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    p_t = p * t + (1 - p) * (1 - t)
    return ((0.25 * t + 0.75 * (1 - t)) * ce * (1 - p_t) ** 2).mean()

def run(function, make):
    function(*make(300)).backward()  # compiled and loaded: 4 would go to torch
    inputs = make(None)
    inputs[0].grad = None
    before = peak()
    function(*inputs).backward()
    print(peak() - before)

def for_focal(n):
    n = n or 10**7
    return torch.randn(n, requires_grad=True), torch.empty(n).bernoulli_()

def for_cross_entropy(n):
    rows, classes = (n, n) if n else (1024, 50000)
    return torch.randn(rows, classes, requires_grad=True), torch.randint(0, classes, (rows,))

torch.manual_seed(0)
which = sys.argv[1]
run({"focal": bh.focal_loss, "torch focal": focal, "cross_entropy": bh.cross_entropy,
     "torch cross_entropy": F.cross_entropy}[which], for_focal if "focal" in which else for_cross_entropy)
"""


def _peak(which: str) -> float:
    done = subprocess.run([sys.executable, "-c", PEAK, which], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
@pytest.mark.parametrize(("name", "share"), [("focal", 0.25), ("cross_entropy", 0.5)])
def test_peak_memory_of_a_loss_and_its_gradient(name: str, share: float) -> None:
    """1e7 logits; 1024 rows of 50000 classes: against torch's eager operations, in megabytes beyond the inputs."""
    ours, theirs = _peak(name), _peak(f"torch {name}")
    assert ours <= share * theirs, f"{ours:.0f} MB against {theirs:.0f} MB"
