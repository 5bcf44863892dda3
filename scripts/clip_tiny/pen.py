"""A pen with a style: draws in half face widths, fills and outlines as its medium does."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours; a share of 0 is the first, 1 the second.

    >>> blend((0, 0, 0), (100, 50, 0), 0.5)
    (50, 25, 0)
    """
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class Style:
    """How a face is put on paper.

    Attributes:
        medium: Name of the finish, a key of `media.MEDIA`.
        tone: 0 leaves areas as paper (a line drawing), 1 fills them with their colour.
        outline: Width of outlines in half face widths; 0 draws none.
        line: Width of wrinkles and features, in half face widths.
        contrast: How much of the ink wrinkles take, 0 to 1.
        shade: Depth of the soft shading, 0 to 1.
        paper: Colour of the paper.
        ink: Colour of the ink.
    """

    medium: str
    tone: float
    outline: float
    line: float
    contrast: float
    shade: float
    paper: Colour
    ink: Colour


@dataclass
class Pen:
    """Draws on an image around a centre.

    Attributes:
        image: What is drawn on.
        style: How.
        centre: Middle of the head, in pixels.
        unit: Half a face width, in pixels.
        turn: Shift of the features by the head's yaw, in half face widths.
    """

    image: Image.Image
    style: Style
    centre: Point
    unit: float
    turn: float

    def __post_init__(self) -> None:
        self.draw = ImageDraw.Draw(self.image)

    def pixels(self, points: Sequence[Point]) -> list[Point]:
        """Map points from half face widths to pixels."""
        left, top = self.centre
        return [(left + x * self.unit, top + y * self.unit) for x, y in points]

    def width(self, width: float) -> int:
        """A line width in whole pixels, at least one."""
        return max(1, round(width * self.unit))

    def area(self, points: Sequence[Point], colour: Colour, outlined: bool = True) -> None:
        """Fill a polygon, and outline it if the style does."""
        pixels = self.pixels(points)
        self.draw.polygon(pixels, fill=blend(self.style.paper, colour, self.style.tone))
        if outlined and self.style.outline > 0:
            ink = blend(colour, self.style.ink, 0.8)
            width = self.width(self.style.outline)
            self.draw.line([*pixels, pixels[0]], fill=ink, width=width, joint="curve")

    def oval(self, middle: Point, size: Point, colour: Colour, outlined: bool = True) -> None:
        """Fill an ellipse of half axes ``size``."""
        (x, y), (across, down) = middle, size
        box = self.pixels([(x - across, y - down), (x + across, y + down)])
        outline = self.style.outline if outlined else 0.0
        ink = blend(colour, self.style.ink, 0.8) if outline else None
        fill = blend(self.style.paper, colour, self.style.tone)
        width = self.width(outline) if outline else 0
        self.draw.ellipse([box[0], box[1]], fill=fill, outline=ink, width=width)

    def dot(self, middle: Point, radius: float, colour: Colour) -> None:
        """A small disc in full colour, whatever the style's tone."""
        (x, y) = middle
        box = self.pixels([(x - radius, y - radius), (x + radius, y + radius)])
        self.draw.ellipse([box[0], box[1]], fill=colour)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """A line through points."""
        self.draw.line(self.pixels(points), fill=colour, width=self.width(width), joint="curve")

    def arc(self, start: Point, end: Point, bend: float, colour: Colour, width: float) -> None:
        """A line from start to end whose middle is moved down by ``bend``."""
        (x0, y0), (x1, y1) = start, end
        steps = [i / 6 for i in range(7)]
        points = [(x0 + (x1 - x0) * s, y0 + (y1 - y0) * s + 4 * bend * s * (1 - s)) for s in steps]
        self.stroke(points, colour, width)
