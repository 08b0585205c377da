# right: one pair of boxes, each a dict with its corners by name
def box_iou(first, second):
    width = min(first["x2"], second["x2"]) - max(first["x1"], second["x1"])
    height = min(first["y2"], second["y2"]) - max(first["y1"], second["y1"])
    shared = max(width, 0.0) * max(height, 0.0)
    sizes = [max(b["x2"] - b["x1"], 0.0) * max(b["y2"] - b["y1"], 0.0) for b in (first, second)]
    union = sum(sizes) - shared
    return shared / union if union > 0 else 0.0
