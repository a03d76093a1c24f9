"""Where plates go in a picture, so that they hide neither faces nor each other.

All boxes are left, top, right, bottom in pixels; a picture's edge and a plate's size are (x, y).
"""

from collections.abc import Iterator, Sequence

from mien.geometry import Box


def label(
    wanted: tuple[float, float], box: Box, edge: tuple[int, int], taken: Sequence[Box]
) -> Box:
    """Place the label of a face's box: the first place of those that hide least of what is taken.

    The best is above the box, or inside it where the picture ends.
    """
    width, height = wanted
    lefts = (box[0], box[2] - width)
    best = box[1] - height if box[1] >= height else box[1]
    spots = [(lefts[0], best)]
    spots += [
        (x, y) for y in (box[1] - height, box[3]) for x in lefts if 0 <= y <= edge[1] - height
    ]
    spots += [(x, y) for y in (box[1], box[3] - height) for x in (*lefts, box[2], box[0] - width)]
    places = [_within(x, y, wanted, edge) for x, y in spots]
    return min(places, key=lambda place: sum(_shared(place, other) for other in taken))


def bars(
    wanted: tuple[float, float],
    gap: float,
    box: Box,
    title: Box,
    edge: tuple[int, int],
    taken: Sequence[Box],
) -> Box | None:
    """Place the probabilities of a face: beside, below or above its box, where all is free.

    title: the box of its label, which must be among what is taken.
    """
    for x, y in _around(wanted, gap, box, title):
        place = _within(x, y, wanted, edge)
        inside = place[2] <= edge[0] and place[3] <= edge[1]
        if inside and not any(_shared(place, other) for other in (box, *taken)):
            return place
    return None


def _around(
    wanted: tuple[float, float], gap: float, box: Box, title: Box
) -> Iterator[tuple[float, float]]:
    width, height = wanted
    rows, columns = (box[1], box[3] - height), (box[0], box[2] - width)
    yield box[2] + gap, rows[0]
    yield box[0] - gap - width, rows[0]
    yield columns[0], box[3] + gap
    yield box[2] + gap, rows[1]
    yield box[0] - gap - width, rows[1]
    for y in (box[3] + gap, max(box[3], title[3]) + gap, min(box[1], title[1]) - gap - height):
        yield from ((x, y) for x in (*columns, (columns[0] + columns[1]) / 2))
    for x in (max(box[2], title[2]) + gap, min(box[0], title[0]) - gap - width):
        yield from ((x, y) for y in rows)


def _within(x: float, y: float, wanted: tuple[float, float], edge: tuple[int, int]) -> Box:
    """Move a plate into the picture; one that is too large begins at its left or top."""
    x, y = max(0.0, min(x, edge[0] - wanted[0])), max(0.0, min(y, edge[1] - wanted[1]))
    return x, y, x + wanted[0], y + wanted[1]


def _shared(a: Box, b: Box) -> float:
    """Give the area that two boxes have in common."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)
