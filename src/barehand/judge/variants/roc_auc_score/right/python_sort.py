# right: plain Python over sorted pairs, walking through each group of equal scores; weights if wanted
def roc_auc_score(y_true, y_score, sample_weight=None):
    if sample_weight is None:
        sample_weight = [1.0] * len(y_true)
    rows = sorted(zip((float(s) for s in y_score), y_true, (float(w) for w in sample_weight)), key=lambda r: r[0])
    heaviest = max(r[2] for r in rows)
    area = 0.0
    neg_below = pos_total = 0.0
    i = 0
    while i < len(rows):
        j = i
        pos = neg = 0.0
        while j < len(rows) and rows[j][0] == rows[i][0]:
            if rows[j][1] == 1:
                pos += rows[j][2] / heaviest
            else:
                neg += rows[j][2] / heaviest
            j += 1
        area += pos * (neg_below + neg / 2)
        neg_below += neg
        pos_total += pos
        i = j
    return area / (pos_total * neg_below)
