# right: two boxes of four numbers each; sides in units of the longest, so that no area leaves the range
def iou(box1, box2):
    ax1, ay1, ax2, ay2 = (float(v) for v in box1)
    bx1, by1, bx2, by2 = (float(v) for v in box2)
    wa, ha = max(ax2 - ax1, 0.0), max(ay2 - ay1, 0.0)
    wb, hb = max(bx2 - bx1, 0.0), max(by2 - by1, 0.0)
    w = max(min(ax2, bx2) - max(ax1, bx1), 0.0)
    h = max(min(ay2, by2) - max(ay1, by1), 0.0)
    unit = max(wa, ha, wb, hb)
    if unit == 0:
        return 0.0
    inter = (w / unit) * (h / unit)
    union = (wa / unit) * (ha / unit) + (wb / unit) * (hb / unit) - inter
    return inter / union if union != 0 else 0.0
