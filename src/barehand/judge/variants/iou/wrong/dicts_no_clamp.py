# mistake: boxes in dicts, and sides of no overlap multiplied
def box_iou(first, second):
    width = min(first["x2"], second["x2"]) - max(first["x1"], second["x1"])
    height = min(first["y2"], second["y2"]) - max(first["y1"], second["y1"])
    shared = width * height
    sizes = [(b["x2"] - b["x1"]) * (b["y2"] - b["y1"]) for b in (first, second)]
    union = sum(sizes) - shared
    return shared / union if union > 0 else 0.0
