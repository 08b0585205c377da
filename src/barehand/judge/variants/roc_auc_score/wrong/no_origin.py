# mistake: the curve without (0, 0)
import numpy as np


def roc_auc(y_true, y_score):
    points = []
    for threshold in sorted(set(y_score.tolist()), reverse=True):
        chosen = y_score >= threshold
        tpr = (chosen & (y_true == 1)).sum() / (y_true == 1).sum()
        fpr = (chosen & (y_true == 0)).sum() / (y_true == 0).sum()
        points.append((fpr, tpr))
    area = 0.0
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        area += (x1 - x0) * (y0 + y1) / 2
    return area
