# right: plain Python, a class for a box, a table of every pair
from dataclasses import dataclass


@dataclass
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def area(self, unit):
        return max(self.right - self.left, 0.0) / unit * (max(self.bottom - self.top, 0.0) / unit)

    def longest(self):
        return max(self.right - self.left, self.bottom - self.top, 0.0)


def iou(a, b):
    unit = max(a.longest(), b.longest())
    if unit == 0:
        return 0.0
    shared = Box(max(a.left, b.left), max(a.top, b.top), min(a.right, b.right), min(a.bottom, b.bottom))
    inter = shared.area(unit)
    union = a.area(unit) + b.area(unit) - inter
    return inter / union if union else 0.0


def pairwise_iou(first, second):
    first = [Box(*map(float, b)) for b in first]
    second = [Box(*map(float, b)) for b in second]
    return [[iou(a, b) for b in second] for a in first]
