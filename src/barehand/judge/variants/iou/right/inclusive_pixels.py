# right: whole pixels, the last one counts, so that every side is one longer
def bb_intersection_over_union(boxA, boxB):
    """Corners are pixels inside the box: a box from 3 to 3 is one pixel wide."""
    boxA, boxB = [float(v) for v in boxA], [float(v) for v in boxB]
    xA, yA = max(boxA[0], boxB[0]), max(boxA[1], boxB[1])
    xB, yB = min(boxA[2], boxB[2]), min(boxA[3], boxB[3])
    inter = max(0, xB - xA + 1) * max(0, yB - yA + 1)
    areaA = max(0, boxA[2] - boxA[0] + 1) * max(0, boxA[3] - boxA[1] + 1)
    areaB = max(0, boxB[2] - boxB[0] + 1) * max(0, boxB[3] - boxB[1] + 1)
    union = areaA + areaB - inter
    return inter / union if union > 0 else 0.0
