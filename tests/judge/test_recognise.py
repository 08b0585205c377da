"""Which block a definition is: by name, heading, arguments and body, and what must not be taken for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

import barehand
from barehand.judge.aliases import JUDGED, claims, mentioned
from barehand.judge.intake import read
from barehand.judge.recognise import recognise_all

VARIANTS = sorted((Path(barehand.__file__).parent / "judge" / "variants").glob("*/*/*.py"))

Blocks = dict[str, str]  # name of a piece -> its block


@pytest.fixture
def recognised(tmp_path: Path) -> Callable[[str], Blocks]:
    def blocks(text: str) -> Blocks:
        path = tmp_path / "answers.py"
        path.write_text(dedent(text), encoding="utf-8")
        return {piece.name: guess.block for piece, guess in recognise_all(read(str(path)).pieces)}

    return blocks


SPELLINGS = {
    "softmax": "softmax SoftMax my_softmax softmax_v2 _softmax_rows SoftmaxLayer "
    "numpy_softmax softmax1 软最大 softmax函数",
    "batch_norm": "BatchNorm1d BatchNorm2d bn bn_forward batchnorm_forward BatchNormalization batch_normalize 批归一化",
    "layer_norm": "LayerNorm MyLayerNorm layer_norm_v2 layernorm ln LN LayerNormalization 层归一化",
    "contrastive_loss": "ContrastiveLoss contrastive siamese_loss contrastive_loss_np 对比损失",
    "pairwise_margin_loss": "triplet_loss triplet hinge_rank two_tower_loss "
    "MarginRankingLoss pairwise_hinge 三元组损失",
    "cross_entropy": "cross_entropy CELoss softmax_cross_entropy SoftmaxCrossEntropyLoss softmax_loss xent 交叉熵",
    "focal_loss": "FocalLoss focal sigmoid_focal_loss LossFocal softmax_focal MultiClassFocalLoss",
    "iou": "IoU iou compute_iou calculate_IoU box_iou bbox_iou bb_intersection_over_union get_iou 交并比",
    "multi_head_attention": "MultiHeadAttention MultiheadAttention MHA mha "
    "multi_head MultiHeadSelfAttention 多头自注意力",
    "adam": "Adam adam AdamW MyAdam adam_step adam_update AdamOptimizer update_parameters_with_adam",
    "roc_auc_score": "auc AUC roc_auc AUC_ROC compute_auc auc_score auroc auc_by_rank calc_auc_v2",
    "bpr_loss": "bpr BPRLoss bpr_loss_v2 BPR bayesian_personalized_ranking_loss",
    "linear_regression": "LinearRegression LinearRegressionGD GDLinearRegression gd_linear_regression "
    "linreg LinReg 线性回归",
    "logistic_regression": "LogisticRegression sgd_logistic LogReg train_logistic_regression "
    "SoftmaxRegression 逻辑回归",
    "self_attention": "SelfAttention self_attention SelfAttentionHead single_head_self_attention 自注意力",
}


@pytest.mark.parametrize(("block", "name"), [(b, n) for b, names in SPELLINGS.items() for n in names.split()])
def test_a_name_claims_its_block(block: str, name: str) -> None:
    assert claims(name) == block


def test_every_judged_block_has_names() -> None:
    assert set(SPELLINGS) == set(JUDGED)


NOT_OURS = """
log_softmax gumbel_softmax masked_softmax softmax_backward softmax_grad plot_softmax test_softmax main check_softmax
cross_entropy_backward binary_cross_entropy BCELoss nt_xent NTXentLoss InfoNCE info_nce_loss SupConLoss
giou mIoU iou_loss nms
attention_weights scaled_dot_product_attention cross_attention initialize_adam RMSNorm GroupNorm norm bn_backward
layernorm_backward roc_curve pr_auc gauc linear logistic logistic_regression_predict predict sigmoid f forward Solution
"""


@pytest.mark.parametrize("name", NOT_OURS.split())
def test_other_names_claim_none(name: str) -> None:
    assert claims(name) not in JUDGED


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("1. Softmax", {"softmax"}),
        ("一、Softmax 函数（数值稳定）", {"softmax"}),
        ("Softmax and cross entropy", {"softmax", "cross_entropy"}),
        ("Softmax cross-entropy", {"cross_entropy"}),
        ("Softmax 回归", {"logistic_regression"}),
        ("多头自注意力 (Multi-Head Self-Attention)", {"multi_head_attention"}),
        ("ROC 曲线下面积 AUC", {"roc_auc_score"}),
        ("ROC 曲线", {"other"}),
        ("二分类交叉熵", {"other"}),
        ("Contrastive loss (NT-Xent)", {"contrastive_loss", "other"}),
        ("the head of a function", set()),
    ],
)
def test_what_a_heading_names(line: str, found: set[str]) -> None:
    assert mentioned(line) == found


BODY = {
    "softmax": "e = np.exp(x - x.max())\n    return e / e.sum()",
    "hinge": "return np.maximum(0, margin - pos + neg).mean()",
    "log": "return -np.log(1 / (1 + np.exp(neg - pos))).mean()",
    "step": "w = 0 * X[0]\n    for _ in range(9):\n        w = w - X.T @ (X @ w - y)\n    return w",
    "sigmoid step": "w = 0 * X[0]\n    for _ in range(9):\n        w -= X.T @ (np.exp(X @ w) - y)\n    return w",
    "attend": "return softmax(x @ wq @ (x @ wk).T) @ x @ wv",
}


@pytest.mark.parametrize(
    ("definition", "block"),
    [
        (f"def ranking_loss(pos, neg, margin=1):\n    {BODY['hinge']}", "pairwise_margin_loss"),
        (f"def pairwise_loss(pos, neg):\n    {BODY['log']}", "bpr_loss"),
        (f"def gradient_descent(X, y, lr):\n    {BODY['step']}", "linear_regression"),
        (f"def train(X, y, lr):\n    {BODY['sigmoid step']}", "logistic_regression"),
        ("def sgd(params, lr):\n    for p in params: p -= lr * p.grad", ""),
        ("def train(model, X, y):\n    for p in model: p -= X @ y", ""),
        ("def linreg(X, w, b):\n    return X @ w + b", ""),
        ("def ce(x):\n    return x", ""),
        ("def ln(x):\n    return np.log(x)", ""),
        ("def auc(fpr, tpr):\n    return np.trapezoid(tpr, fpr)", ""),
        ("def iou(mask1, mask2):\n    return (mask1 & mask2).sum() / np.maximum(mask1, mask2).sum()", ""),
        ("def contrastive_loss(z1, z2, temperature):\n    return np.exp(z1 @ z2.T / temperature)", ""),
        ("def contrastive_loss(z1, z2, same, margin=1.0):\n    return np.exp(z1 @ z2.T)", "contrastive_loss"),
        (f"def self_attention(x, wq, wk, wv, num_heads):\n    {BODY['attend']}", "multi_head_attention"),
        (f"def self_attention(x, wq, wk, wv):\n    {BODY['attend']}", "self_attention"),
        ("def attention(q, k, v):\n    return softmax(q @ k.T) @ v", ""),
        (
            "class Attention:\n    def __init__(self, d):\n        self.wq = nn.Linear(d, d)\n"
            "    def forward(self, x):\n        return softmax(self.wq(x) @ x.T) @ x",
            "self_attention",
        ),
        (
            "class Attention:\n    def __init__(self, d, n_heads):\n        self.wq = nn.Linear(d, d)\n"
            "    def forward(self, x):\n        return softmax(self.wq(x) @ x.T) @ x",
            "multi_head_attention",
        ),
    ],
)
def test_arguments_and_body_decide_between_blocks(
    recognised: Callable[[str], Blocks], definition: str, block: str
) -> None:
    text = f"import numpy as np\nfrom torch import nn\nfrom lib import softmax as softmax\n\n{definition}\n"
    assert set(recognised(text).values()) == ({block} if block else set())


SOFTMAX = BODY["softmax"]


@pytest.mark.parametrize(
    "heading", ["# 1. Softmax", "# ===== 第一题：归一化指数 =====", "# %% Softmax", "# softmax of the rows"]
)
def test_a_heading_names_what_has_no_telling_name(recognised: Callable[[str], Blocks], heading: str) -> None:
    assert recognised(f"import numpy as np\n{heading}\ndef f(x):\n    {SOFTMAX}\n") == {"f": "softmax"}


@pytest.mark.parametrize(
    "definition",
    [
        "def plot_curve(x):\n    {}",
        "def f(x):\n    return x + 1",
        "def relu(x):\n    {}",
        "def f(x):\n    '''Softmax's backward pass.'''\n    {}",
        "def log_softmax(x):\n    {}",
    ],
)
def test_a_heading_does_not_name_all_below_it(recognised: Callable[[str], Blocks], definition: str) -> None:
    assert recognised(f"import numpy as np\n# 1. Softmax\n{definition.format(SOFTMAX)}\n") == {}


@pytest.mark.parametrize("heading", ["# 1. Tests of softmax", "# 1. Softmax and cross entropy", "# 1. Softmax 测试"])
def test_headings_that_name_no_task(recognised: Callable[[str], Blocks], heading: str) -> None:
    assert recognised(f"import numpy as np\n{heading}\ndef f(x):\n    {SOFTMAX}\n") == {}


def test_under_a_heading_the_outermost_counts(recognised: Callable[[str], Blocks]) -> None:
    text = f"import numpy as np\n# 1. Softmax\ndef g(x):\n    {SOFTMAX}\ndef f(x):\n    return g(x)\n"
    assert recognised(text) == {"f": "softmax"}


def test_under_a_heading_the_last_of_equals_counts(recognised: Callable[[str], Blocks]) -> None:
    text = f"import numpy as np\n# 1. Softmax\ndef g(x):\n    {SOFTMAX}\n\n# 1. Softmax\ndef f(x):\n    {SOFTMAX}\n"
    assert recognised(text) == {"f": "softmax"}


def test_a_helper_is_left_to_what_calls_it(recognised: Callable[[str], Blocks]) -> None:
    text = f"""
import numpy as np

def _softmax_rows(x):
    {SOFTMAX}

def softmax(x, axis=-1):
    return _softmax_rows(x)

def cross_entropy(logits, target):
    return -np.log(softmax(logits)[target])
"""
    assert recognised(text) == {"softmax": "softmax", "cross_entropy": "cross_entropy"}


def test_versions_of_a_block_are_both_judged(recognised: Callable[[str], Blocks]) -> None:
    text = f"import numpy as np\ndef softmax_v1(x):\n    {SOFTMAX}\ndef softmax_v2(x):\n    {SOFTMAX}\n"
    assert recognised(text) == {"softmax_v1": "softmax", "softmax_v2": "softmax"}


def test_what_only_tries_a_block_is_not_it(recognised: Callable[[str], Blocks]) -> None:
    text = (
        f"import numpy as np\n# 1. Softmax\ndef softmax(x):\n    {SOFTMAX}\ndef run(x):\n    return softmax(x).sum()\n"
    )
    assert recognised(text) == {"softmax": "softmax"}


def test_a_method_outside_its_class_is_recognised(recognised: Callable[[str], Blocks]) -> None:
    assert recognised(f"import numpy as np\n# 1. Softmax\ndef forward(self, x):\n    {SOFTMAX}\n") == {
        "forward": "softmax"
    }
    hung = f"import numpy as np\nclass Softmax: ...\n# 1. Softmax\ndef forward(self, x):\n    {SOFTMAX}\n"
    hung += "Softmax.forward = forward\n"
    assert recognised(hung) == {"Softmax": "softmax"}


SCRIPT = """
import numpy as np
{}
X, y = load()
w, b = np.zeros(X.shape[1]), 0.0
for _ in range(100):
    p = {}
    w -= 0.1 * X.T @ (p - y) / len(y)
    b -= 0.1 * (p - y).mean()
"""


@pytest.mark.parametrize(
    ("heading", "p", "block"),
    [
        ("", "X @ w + b", "linear_regression"),
        ("", "1 / (1 + np.exp(-(X @ w + b)))", "logistic_regression"),
        ("# 1. 线性回归", "X * w", "linear_regression"),
        ("# 1. Batch norm", "X @ w + b", ""),
    ],
)
def test_a_script_is_a_regression(recognised: Callable[[str], Blocks], heading: str, p: str, block: str) -> None:
    assert recognised(SCRIPT.format(heading, p)) == ({"answers": block} if block else {})


def test_a_script_that_trains_a_class_is_not_judged(recognised: Callable[[str], Blocks]) -> None:
    text = "class LinearRegression:\n    def fit(self, X, y): ...\n    def grad(self, X, y): ...\n"
    text += "X, y = load()\nm = LinearRegression()\nw = 0\nfor _ in range(9):\n    w -= 0.1 * m.grad(X @ w, y)\n"
    assert recognised(text) == {"LinearRegression": "linear_regression"}


@pytest.mark.parametrize("path", VARIANTS, ids=lambda p: "/".join(p.parts[-3:]))
def test_programs_as_people_write_them_are_recognised(path: Path) -> None:
    intake = read(str(path))
    assert not intake.broken
    assert not [hint for piece in intake.pieces for hint in piece.hints]
    blocks = [guess.block for _, guess in recognise_all(intake.pieces)]
    assert blocks.count(path.parts[-3]) == 1
    assert set(blocks) <= {path.parts[-3], "softmax"}  # a helper that is judged by itself
