"""Adam for PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from barehand.blocks.adam import launch
from barehand.core.arrays import Array

_MEANS = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
_PLAIN = (Tensor, torch.nn.Parameter)  # subclasses have their own way with torch's operations
_KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Options of torch's Adam that change nothing here. They ride along, so that its state dicts fit ours and ours fit it.
_OF_TORCH = {"foreach": None, "capturable": False, "differentiable": False, "fused": None}


class Adam(torch.optim.Optimizer):
    """Gradient steps scaled, number by number, to the size of recent gradients: `barehand.Adam` for PyTorch.

    m = beta1 m + (1 - beta1) g and v = beta2 v + (1 - beta2) g²; then
    p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps), with t counted for each parameter.

    Args:
        params: parameters, named parameters, or groups of them with options of their own; float16, bfloat16, float32 or
            float64, of any shape and strides, on any device.
        lr: the step size, at least 0; a number or a tensor of one.
        betas: how much of the old means stays at a step, each in [0, 1).
        eps: added to the root, at least 0.
        weight_decay: how strongly parameters are drawn to 0, at least 0: added to the gradient as weight_decay p, or,
            with `decoupled`, taken off directly as lr weight_decay p (AdamW).
        decoupled: see weight_decay. Groups and state dicts call it `decoupled_weight_decay`, as torch does.
        amsgrad: divide by the largest v so far.
        maximize: climb instead of descend.
        stochastic_rounding: round bfloat16 parameters up or down at random, in proportion to how near either is, so
            that steps too small to see add up in the mean; torch's generator draws. Other types round to nearest.

    Returns:
        `step` returns what its closure returned. `state_dict` and `load_state_dict` are exchanged with
        torch.optim.Adam and AdamW, and with `barehand.Adam`, in both directions; what is loaded is copied.

    Raises:
        TypeError: a parameter that is complex, not floating, or sparse.
        ValueError: an option out of its range; a state of another shape than its parameter. A step that raises has
            changed nothing.

    Edge cases: a gradient of None leaves its parameter and its means alone, and does not count as a step. So, in its
    own rows, does a sparse gradient: only rows that it has move, and their means, while t counts every step of the
    parameter (as in torch.optim.SparseAdam, but with eps, decay and amsgrad as above). 0 / 0 (eps and gradients 0) is
    no step. float16 and bfloat16 parameters keep their means and do their arithmetic in float32.

    Cost: on the CPU one pass over parameters, gradients and means a step, in their own memory where parameters are
    dense and float32 or float64; elsewhere torch's operations on lists. Two numbers of state a parameter, three with
    amsgrad.

    Source: D. P. Kingma, J. Ba (2015), arXiv:1412.6980, algorithm 1; I. Loshchilov, F. Hutter (2019),
    arXiv:1711.05101, for decoupled decay; S. J. Reddi, S. Kale, S. Kumar (2018), arXiv:1904.09237, for amsgrad;
    S. Gupta and others (2015), arXiv:1502.02551, section 3, for stochastic rounding.

    >>> import torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([ 0.9000, -1.9000])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        decoupled: bool = False,
        amsgrad: bool = False,
        maximize: bool = False,
        stochastic_rounding: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "decoupled_weight_decay": decoupled, "stochastic_rounding": stochastic_rounding,
        }  # fmt: skip
        _options(defaults)
        super().__init__(params, {**defaults, **_OF_TORCH})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize these, too; options that the group lacks are the optimizer's."""
        if isinstance(param_group, dict):
            _rename(param_group)
        super().add_param_group(param_group)
        try:
            _options(param_group)
            for i, p in enumerate(param_group["params"]):
                if p.dtype not in _KINDS:
                    kinds = "float16, bfloat16, float32 or float64"
                    hint = "; optimize its real and imaginary parts as tensors" if p.is_complex() else ""
                    raise TypeError(f"Adam: params[{i}] has dtype {p.dtype}; use {kinds}{hint}")
                if p.layout != torch.strided:
                    raise TypeError(f"Adam: params[{i}] has layout {p.layout}; use .to_dense()")
        except Exception:
            self.param_groups.pop()
            raise

    @torch.compiler.disable  # type: ignore[untyped-decorator] # torch gives it no types
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient, in place; `closure` computes the gradients anew, and the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        todo = []
        for group in self.param_groups:
            moving = [p for p in group["params"] if p.grad is not None]
            todo.append((_options(group), moving, group["stochastic_rounding"]))
        for options, moving, stochastic in todo:
            if moving:
                self._move(moving, options, stochastic)
        return loss

    def _move(self, moving: list[Tensor], options: dict[str, Any], stochastic: bool) -> None:
        """A step of one group. What kernels can take as it lies goes there by the shortest way: small ones are many."""
        states = [self._state(p, options["amsgrad"]) for p in moving]
        one = torch.ones((), device="cpu")  # as a tensor: a number is wrapped for each
        torch._foreach_add_([s["step"] for s in states], one)
        names, elsewhere = _MEANS[: 2 + options["amsgrad"]], []
        numbers = cache(lambda t, kind: launch.numbers(options, t, kind))
        for p, state in zip(moving, states, strict=True):
            t = int(state["step"].item())
            tensors = [p, p.grad, *(state[name] for name in names)]
            if _lies_ready(tensors):
                _through_kernel([x.numpy(force=True) for x in tensors], t, numbers)
                continue
            part = _Part(p, tensors[1], tensors[2:], t, stochastic)
            if p.is_cpu and type(p) in _PLAIN:
                _through_kernel([x.numpy() for x in part.tensors], t, numbers)
                part.put_back()
            else:
                elsewhere.append(part)
        if elsewhere:
            _through_torch(elsewhere, options)
            for part in elsewhere:
                part.put_back()
        torch.autograd.graph.increment_version(moving)  # autograd is to know that they have changed

    def _state(self, p: Tensor, amsgrad: bool) -> dict[str, Any]:
        state: dict[str, Any] = self.state[p]
        if "step" not in state:  # it stays on the CPU, where reading it waits for nobody
            state["step"] = torch.zeros((), dtype=torch.float32, device="cpu")
        for name in _MEANS[: 2 + amsgrad]:
            if name not in state:
                state[name] = torch.zeros_like(p, dtype=_computing(p), memory_format=torch.preserve_format)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state dict of this class, of torch.optim.Adam or AdamW, or of `barehand.Adam`."""
        last = self.register_load_state_dict_pre_hook(_take_states)
        try:
            super().load_state_dict(state_dict)
        finally:
            last.remove()
            self.__dict__.pop("_taken", None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.state.update(self.__dict__.pop("_taken", {}))
        for group in self.param_groups:
            for name, value in self.defaults.items():
                group.setdefault(name, value)


def _computing(p: Tensor) -> torch.dtype:
    """The type the arithmetic runs in."""
    return torch.float64 if p.dtype == torch.float64 else torch.float32


def _rename(group: dict[str, Any]) -> None:
    if "decoupled" in group:
        group["decoupled_weight_decay"] = group.pop("decoupled")


def _options(group: dict[str, Any]) -> dict[str, Any]:
    """The options as `launch` takes them: checked, and numbers for tensors."""
    if group.get("differentiable"):
        raise ValueError("Adam: differentiable is True, and a step has no gradient here; use torch.optim.Adam for it")

    def number(name: str, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if value.numel() != 1:
            raise ValueError(f"Adam: {name} is a tensor of shape {tuple(value.shape)}; use one number")
        return value.item()

    found = {k: number(k, group["decoupled_weight_decay" if k == "decoupled" else k]) for k in launch.OPTIONS}
    if isinstance(found["betas"], (tuple, list)):
        found["betas"] = tuple(number(f"betas[{i}]", b) for i, b in enumerate(found["betas"]))
    return launch.check_options(found)


def _take_states(optimizer: torch.optim.Optimizer, state_dict: dict[str, Any]) -> dict[str, Any]:
    """Hold the parameters' states back from the base class, which would narrow float32 means to float16 parameters'."""
    groups = [dict(g) for g in state_dict["param_groups"]]
    for group in groups:
        _rename(group)
    numbers = [i for g in groups for i in g["params"]]
    params = [p for g in optimizer.param_groups for p in g["params"]]
    states = dict(state_dict["state"])
    taken = zip(params, (states.pop(i, {}) for i in numbers), strict=False)  # the base class compares their counts
    optimizer.__dict__["_taken"] = {p: _placed(p, saved) for p, saved in taken if saved}
    return {**state_dict, "state": states, "param_groups": groups}


def _placed(p: Tensor, saved: dict[str, Any]) -> dict[str, Any]:
    """A copy of a parameter's saved state, laid out as the parameter is; of tensors, arrays or numbers."""
    found = dict(saved)
    found["step"] = torch.tensor(float(saved["step"]), dtype=torch.float32, device="cpu")
    for name in _MEANS:
        if name in saved:
            mean = torch.as_tensor(saved[name])
            if mean.shape != p.shape:
                shapes = f"{tuple(mean.shape)}, its parameter {tuple(p.shape)}"
                raise ValueError(f"Adam: state_dict's {name} has shape {shapes}; load it into parameters of one shape")
            found[name] = torch.empty_like(p, dtype=_computing(p)).copy_(mean)
    return found


def _lies_ready(tensors: list[Tensor]) -> bool:
    """Whether kernels can work in the tensors' own memory: parameter, gradient and means in one layout and type."""
    kind = tensors[0].dtype
    return (kind is torch.float32 or kind is torch.float64) and all(
        x.dtype is kind and type(x) in _PLAIN and x.is_cpu and x.layout is torch.strided and x.is_contiguous()
        for x in tensors
    )


def _through_kernel(arrays: list[Array], t: int, numbers: Callable[[int, type], tuple[Any, ...]]) -> None:
    p, *others = (a if a.ndim == 1 else a.reshape(-1) for a in arrays)
    kernel = launch.cpu.adam if len(others) == 3 else launch.cpu.amsgrad
    launch.threads.over_rows(kernel, p.size, launch.COST, p, *others, *numbers(t, p.dtype.type))


class _Part:
    """What moves of one parameter: all of it, or the rows of a sparse gradient.

    `tensors`, of parameter, gradient and means, are laid out for the kernel: copies, where they are not so already.
    """

    def __init__(self, p: Tensor, g: Tensor, means: list[Tensor], t: int, stochastic: bool) -> None:
        self.t, self.stochastic = t, stochastic and p.dtype == torch.bfloat16
        self.wholes = [p.detach(), *means]
        self.rows: tuple[Tensor, ...] | None = None
        g, parts = g.detach(), self.wholes
        if g.is_sparse:
            g = g.coalesce()
            self.rows, g = tuple(g.indices()), g.values()
            parts = [x[self.rows] for x in self.wholes]
        elif not p.is_contiguous():
            order = sorted(range(p.ndim), key=p.stride, reverse=True)  # as it lies in memory
            self.wholes = parts = [x.permute(order) for x in self.wholes]
            g = g.permute(order)
        kind = _computing(p)
        moved, *means = (x.to(kind).contiguous() for x in parts)
        self.tensors = [moved, g.to(kind).contiguous().resolve_neg(), *means]

    def put_back(self) -> None:
        """Write what was copied to where it belongs."""
        moved, _, *means = self.tensors
        if self.stochastic:
            moved = _rounded_at_random(moved)
        for whole, part in zip(self.wholes, (moved, *means), strict=True):
            if self.rows is not None:
                whole[self.rows] = part.to(whole.dtype)
            elif part is not whole:
                whole.copy_(part)


def _through_torch(parts: list[_Part], options: dict[str, Any]) -> None:
    """The kernel's step as torch's operations on lists."""
    each = [launch.numbers(options, part.t, float) for part in parts]
    keep1, _, keep2, _, _, eps, _, sign, l2, decay = each[0]
    roots, rates = [n[4] for n in each], [n[6] for n in each]
    ps, gs, ms, vs, *largest = (list(tensors) for tensors in zip(*(part.tensors for part in parts), strict=True))
    if sign < 0:
        gs = list(torch._foreach_neg(gs))
    if l2:
        gs = list(torch._foreach_add(gs, ps, alpha=l2))
    torch._foreach_lerp_(ms, gs, keep1)
    torch._foreach_lerp_(vs, torch._foreach_mul(gs, gs), keep2)
    if largest:
        torch._foreach_maximum_(largest[0], vs)
        vs = largest[0]
    sizes = torch._foreach_sqrt(vs)
    torch._foreach_mul_(sizes, roots)
    torch._foreach_add_(sizes, eps)
    steps = list(torch._foreach_div(ms, sizes))
    if eps < torch.finfo(torch.float32).tiny:  # a size may be 0; 0 / 0 is no step
        steps = [torch.where(size == 0, m * 0, s) for size, m, s in zip(sizes, ms, steps, strict=True)]
    torch._foreach_mul_(steps, rates)
    if decay:
        torch._foreach_add_(steps, ps, alpha=decay)
    torch._foreach_sub_(ps, steps)


def _rounded_at_random(x: Tensor) -> Tensor:
    """float32 as bfloat16, its upper 16 bits: the lower ones carry with the probability that they are a fraction of."""
    bits = x.view(torch.int32)
    noise = torch.randint(1 << 16, x.shape, dtype=torch.int32, device=x.device)
    rounded = ((bits + noise) & -(1 << 16)).view(torch.float32)
    return torch.where(x.isfinite(), rounded, x).to(torch.bfloat16)
