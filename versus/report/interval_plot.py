"""The difference in accuracy and its interval as a drawing: where they stand to zero and to the margin."""

from typing import Any, NamedTuple

EDGE = 6  # percent of the drawing's width, free at either end
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)  # percentage points between ticks


class IntervalPlot(NamedTuple):
    """Positions from the left, in percent of the width, of what is drawn; ticks have a label, in percentage points.

    points: the margin in words.
    """

    low: float
    high: float
    point: float
    zero: float
    margin: tuple[float, float]
    ticks: list[tuple[float, str]]
    points: str
    alt: str


def interval_plot(result: dict[str, Any], titles: tuple[str, str]) -> IntervalPlot:
    """Place the interval of `comparison.compare`'s result on an axis that holds zero and the margin in its middle."""
    low, high, point = (100 * result[f"accuracy_{name}"] for name in ("low", "high", "difference"))
    margin = 100 * result["margin"]
    largest = 1.1 * max(abs(low), abs(high), margin, 0.1)
    step = next((step for step in STEPS if largest / step <= 5), STEPS[-1])

    def place(points: float) -> float:
        return round(50 + points / largest * (50 - EDGE), 2)

    number = int(largest / step)
    ticks = [(place(each * step), f"{each * step:+g}" if each else "0") for each in range(-number, number + 1)]
    alt = (f"{titles[1]} minus {titles[0]}: {point:+.1f} percentage points of accuracy, 95 % interval {low:+.1f} to "
           f"{high:+.1f}; equivalent means within {margin:g}")
    return IntervalPlot(place(low), place(high), place(point), place(0), (place(-margin), place(margin)), ticks,
                        f"{margin:g} point{'' if margin == 1 else 's'}", alt)
