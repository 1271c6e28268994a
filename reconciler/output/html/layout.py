"""Where the boxes and arrows of a picture lie: pure geometry, in the units of an SVG.

An arrow leaves its box on the left, goes down a lane between two columns, and branches off to the
box that it leads to. One to another column crosses over in the corridor below the frameworks, so
that no arrow runs through a box.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.output.html.lettering import Letters, letters
from reconciler.output.html.marks import urgency
from reconciler.output.html.picture import COLUMNS, Arrow, Box
from reconciler.output.html.rows import CONSUMERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.output.html.marks import Mark
    from reconciler.output.html.picture import Scene

LABEL, WIDTH = 118, 1146
_NARROWEST, _WIDEST = 236, 400
#: Of a column without a box, which has a title all the same.
_EMPTY = 160
BOX, GAP, PAD = 46, 13, 12
LANE, TIP, EDGE = 9, 27, 14
TOP, TRACK = 58, 9
_ROUND = 5
#: Where text begins behind a badge, and without one; what is kept free behind it.
_BADGE, _EDGE_OF_TEXT, _BESIDE_TEXT = 60, 12, 8


class Cell(Struct, frozen=True, kw_only=True):
    """A box with its place."""

    box: Box
    x: int
    y: int
    width: int

    @property
    def left(self) -> int:
        """Where its text begins."""
        return _BADGE if self.box.cuda else _EDGE_OF_TEXT

    @property
    def letters(self) -> tuple[Letters, ...]:
        """Its text."""
        return letters(self.box, self.width - self.left - _BESIDE_TEXT)


class Column(Struct, frozen=True, kw_only=True):
    """A column with its place."""

    title: str
    x: int
    width: int


class Band(Struct, frozen=True, kw_only=True):
    """A row with its place."""

    title: str
    y: int
    height: int


class Line(Struct, frozen=True, kw_only=True):
    """An arrow with its way; the cross of a clash stands at ``x`` and ``y``."""

    arrow: Arrow
    path: str
    x: float
    y: float
    #: Where its head ends.
    tip: int


class Drawing(Struct, frozen=True, kw_only=True):
    """A picture as it is drawn."""

    width: int
    height: int
    columns: tuple[Column, ...]
    bands: tuple[Band, ...]
    cells: tuple[Cell, ...]
    lines: tuple[Line, ...]

    @property
    def majors(self) -> tuple[int, ...]:
        """The CUDA majors in it."""
        return tuple(sorted({cell.box.major for cell in self.cells if cell.box.major}))

    @property
    def _marks(self) -> list[Mark]:
        return [cell.box.mark for cell in self.cells if cell.box.mark]

    @property
    def tags(self) -> tuple[Mark, ...]:
        """One mark of each kind that is there, what is changed first."""
        kinds = {(mark.act, mark.severity): mark for mark in self._marks if mark.finding}
        return tuple(sorted(kinds.values(), key=lambda m: (urgency(m), m.act)))

    @property
    def has_again(self) -> bool:
        """Whether a package has several boxes."""
        return any(cell.box.is_again for cell in self.cells)

    @property
    def has_unknown(self) -> bool:
        """Whether a box has no CUDA that is known, of those for one package."""
        return any(not cell.box.cuda and cell.box.kind != "missing" for cell in self.cells)

    @property
    def has_traced(self) -> bool:
        """Whether an arrow is by the model of the loader."""
        return any(line.arrow.is_traced and not line.arrow.is_clash for line in self.lines)

    @property
    def has_guesses(self) -> bool:
        """Whether an arrow is by what was built for what."""
        return any(not line.arrow.is_traced for line in self.lines)

    @property
    def has_clashes(self) -> bool:
        """Whether an arrow leads to another CUDA."""
        return any(line.arrow.is_clash and not line.arrow.is_missing for line in self.lines)

    @property
    def has_missing(self) -> bool:
        """Whether an arrow leads to nothing."""
        return any(line.arrow.is_missing for line in self.lines)

    @property
    def clashes(self) -> tuple[tuple[bool, str], ...]:
        """What each clash takes, in words, and whether that is nothing."""
        arrows = [line.arrow for line in self.lines if line.arrow.is_clash]
        return tuple((arrow.is_missing, said) for arrow in arrows for said in arrow.says)


class _Grid(Struct, frozen=True, kw_only=True):
    """What the way of an arrow depends on."""

    cells: Mapping[str, Cell]
    #: The left edge of each column.
    lefts: tuple[int, ...]
    lanes: Mapping[tuple[object, ...], int]
    tracks: Mapping[tuple[object, ...], int]
    entries: Mapping[int, float]


def layout(scene: Scene) -> Drawing:
    """Return where everything of a scene lies."""
    by_key = {box.key: box for box in scene.boxes}
    gutters = _gutters(scene, by_key)
    widths = _widths(scene, gutters)
    lefts = _lefts(gutters, widths)
    tracks = _tracks(scene, by_key)
    bands, tops = _bands(scene, corridor=TRACK * len(tracks))
    places = tuple(zip(lefts, widths, strict=True))
    cells = tuple(_cells(scene, tops, places))
    lanes = {
        (column, *key): lefts[column] - TIP - LANE * place
        for column, keys in enumerate(gutters)
        for place, key in enumerate(reversed(keys))
    }
    # The last track keeps clear of the seam to the next row.
    floor = tops[CONSUMERS] + _height(scene, CONSUMERS) - 5 if CONSUMERS in tops else 0
    grid = _Grid(
        cells={cell.box.key: cell for cell in cells},
        lefts=lefts,
        lanes=lanes,
        tracks={key: floor + TRACK * (place + 1) for place, key in enumerate(tracks)},
        entries=_entries(scene, lanes, {cell.box.key: cell for cell in cells}),
    )
    return Drawing(
        width=max(lefts[-1] + widths[-1] + PAD, WIDTH),
        height=bands[-1].y + bands[-1].height if bands else 0,
        columns=tuple(
            Column(title=title, x=x, width=width)
            for title, (x, width) in zip(COLUMNS, places, strict=True)
        ),
        bands=bands,
        cells=cells,
        lines=tuple(
            _line(arrow, number, grid)
            for number, arrow in sorted(enumerate(scene.arrows), key=lambda p: p[1].is_clash)
        ),
    )


def _bundle(arrow: Arrow) -> tuple[object, ...]:
    """Return what arrows that share a lane have in common: their start, of guesses their end."""
    end = arrow.source if arrow.is_traced else arrow.target
    return end, arrow.is_clash, arrow.is_traced, 0 if arrow.is_traced else arrow.major


def _gutters(scene: Scene, by_key: Mapping[str, Box]) -> tuple[tuple[tuple[object, ...], ...], ...]:
    """Return the lanes left of each column, from the left."""
    order = [box.key for box in scene.boxes if box.row == CONSUMERS]
    found: list[dict[tuple[object, ...], tuple[int, int]]] = [{} for _ in COLUMNS]
    for arrow in scene.arrows:
        home, there = by_key[arrow.source].column, by_key[arrow.target].column
        # What comes from the left stands left of the column's own lanes, from the right, right.
        place = (home > there) - (home < there)
        rank = (place, order.index(arrow.source))
        found[there].setdefault(_bundle(arrow), rank)
        found[home].setdefault(_bundle(arrow), (0, rank[1]))
    return tuple(tuple(sorted(lanes, key=lanes.__getitem__)) for lanes in found)


def _room(lanes: Sequence[object]) -> int:
    return EDGE + (TIP + LANE * len(lanes) if lanes else 0)


def _widths(scene: Scene, gutters: Sequence[Sequence[object]]) -> tuple[int, ...]:
    """Return the width of each column: what the lanes leave of the page, little if it is empty."""
    used = {box.column for box in scene.boxes}
    left = WIDTH - LABEL - PAD - sum(map(_room, gutters)) - _EMPTY * (len(gutters) - len(used))
    wide = min(max(left // max(len(used), 1), _NARROWEST), _WIDEST)
    return tuple(wide if column in used else _EMPTY for column in range(len(gutters)))


def _lefts(gutters: Sequence[Sequence[object]], widths: Sequence[int]) -> tuple[int, ...]:
    lefts: list[int] = []
    x = LABEL
    for lanes, width in zip(gutters, widths, strict=True):
        x += _room(lanes)
        lefts.append(x)
        x += width
    return tuple(lefts)


def _tracks(scene: Scene, by_key: Mapping[str, Box]) -> tuple[tuple[object, ...], ...]:
    """Return the bundles that cross over to another column."""
    return tuple(
        dict.fromkeys(
            _bundle(arrow)
            for arrow in scene.arrows
            if by_key[arrow.source].column != by_key[arrow.target].column
        )
    )


def _stack(scene: Scene, row: str, column: int) -> list[Box]:
    return [box for box in scene.boxes if (box.row, box.column) == (row, column)]


def _height(scene: Scene, row: str) -> int:
    most = max(len(_stack(scene, row, column)) for column in range(len(COLUMNS)))
    return most * BOX + (most - 1) * GAP + 2 * PAD


def _bands(scene: Scene, *, corridor: int) -> tuple[tuple[Band, ...], dict[str, int]]:
    y = TOP
    bands: list[Band] = []
    tops: dict[str, int] = {}
    for row in scene.rows:
        height = _height(scene, row.key) + (corridor if row.key == CONSUMERS else 0)
        bands.append(Band(title=row.title, y=y, height=height))
        tops[row.key] = y
        y += height
    return tuple(bands), tops


def _cells(
    scene: Scene, tops: Mapping[str, int], places: Sequence[tuple[int, int]]
) -> Iterator[Cell]:
    for row in scene.rows:
        for column, (left, width) in enumerate(places):
            for number, box in enumerate(_stack(scene, row.key, column)):
                y = tops[row.key] + PAD + number * (BOX + GAP)
                yield Cell(box=box, x=left, y=y, width=width)


def _entries(
    scene: Scene, lanes: Mapping[tuple[object, ...], int], cells: Mapping[str, Cell]
) -> dict[int, float]:
    """Return the height at which each arrow meets its box: those of the left lanes lower."""
    by_target: dict[str, list[int]] = defaultdict(list)
    for number, arrow in enumerate(scene.arrows):
        by_target[arrow.target].append(number)
    entries: dict[int, float] = {}
    for target, numbers in by_target.items():
        cell = cells[target]
        column = cell.box.column
        met = [lanes[column, *_bundle(scene.arrows[number])] for number in numbers]
        order = sorted({*met}, reverse=True)
        for number, lane in zip(numbers, met, strict=True):
            place = order.index(lane) + 1
            entries[number] = cell.y + round(BOX * place / (len(order) + 1), 1)
    return entries


def _line(arrow: Arrow, number: int, grid: _Grid) -> Line:
    source, target = grid.cells[arrow.source], grid.cells[arrow.target]
    key = _bundle(arrow)
    out = grid.lanes[source.box.column, *key]
    into = grid.lanes[target.box.column, *key]
    end = grid.entries[number]
    start = source.y + _exit(arrow)
    points: list[tuple[float, float]] = [(source.x, start), (out, start)]
    if out != into:
        points += [(out, grid.tracks[key]), (into, grid.tracks[key])]
    points += [(into, end), (target.x - 7, end)]
    return Line(
        arrow=arrow, path=_rounded(points), x=(into + target.x - 7) / 2, y=end, tip=target.x - 1
    )


def _exit(arrow: Arrow) -> int:
    """Return how far below a box's top an arrow leaves it: clashes apart from the rest."""
    return BOX * 2 // 3 if arrow.is_clash else BOX // 3


def _rounded(points: Sequence[tuple[float, float]]) -> str:
    """Return the path through some points, its corners rounded."""
    x, y = points[0]
    said = [f"M{x:g} {y:g}"]
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        first = min(_ROUND, (abs(bx - ax) + abs(by - ay)) / 2)
        second = min(_ROUND, (abs(cx - bx) + abs(cy - by)) / 2)
        said.append(f"L{bx - first * _sign(bx - ax):g} {by - first * _sign(by - ay):g}")
        said.append(
            f"Q{bx:g} {by:g} {bx + second * _sign(cx - bx):g} {by + second * _sign(cy - by):g}"
        )
    x, y = points[-1]
    return "".join((*said, f"L{x:g} {y:g}"))


def _sign(length: float) -> int:
    return (length > 0) - (length < 0)
