# SPDX-License-Identifier: Apache-2.0
"""Pictures of the browser, small enough for a README: read, counted, and written with 256 colours."""

from __future__ import annotations

import collections
import struct
import zlib

MAGIC = b"\x89PNG\r\n\x1a\n"


class Picture:
    """Rows of pixels; a pixel is three bytes."""

    def __init__(self, width, height, rows):
        self.width, self.height, self.rows = width, height, rows

    def colours(self):
        """How many pixels each colour has."""
        found = collections.Counter()
        for row in self.rows:
            found.update(zip(row[0::3], row[1::3], row[2::3]))
        return found

    def small(self):
        """A PNG with the 256 most frequent colours; what has another gets the nearest of them."""
        found = self.colours()
        palette = [colour for colour, _ in found.most_common(256)]
        place = {colour: number for number, colour in enumerate(palette)}
        for colour in found:
            if colour not in place:
                place[colour] = min(range(len(palette)), key=lambda n: sum((a - b) ** 2 for a, b in zip(colour, palette[n])))
        data = b"".join(b"\0" + bytes(map(place.__getitem__, zip(row[0::3], row[1::3], row[2::3]))) for row in self.rows)
        parts = [(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 3, 0, 0, 0)), (b"PLTE", bytes(v for colour in palette for v in colour)),
                 (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")]
        return MAGIC + b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts)


def read(png):
    """A PNG as the browser writes it, or as `small` does."""
    assert png.startswith(MAGIC)
    at, data, palette, head = len(MAGIC), b"", b"", None
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        at += 12 + size
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            data += body
    width, height, depth, colour = head[:4]
    assert depth == 8 and head[6] == 0
    step = {2: 3, 3: 1, 6: 4}[colour]
    rows = [pixels(row, step, palette) for row in unfiltered(zlib.decompress(data), width * step, height, step)]
    return Picture(width, height, rows)


def pixels(row, step, palette):
    """One row with three bytes for a pixel."""
    if step == 1:
        return b"".join(palette[3 * number:3 * number + 3] for number in row)
    if step == 4:
        return b"".join(row[at:at + 3] for at in range(0, len(row), 4))
    return bytes(row)


def unfiltered(data, stride, height, step):
    """The rows, without what PNG does to them to make them smaller."""
    above = bytearray(stride)
    for number in range(height):
        kind = data[number * (stride + 1)]
        row = bytearray(data[number * (stride + 1) + 1:(number + 1) * (stride + 1)])
        if kind:
            undo(kind, row, above, step)
        yield row
        above = row


def undo(kind, row, above, step):
    """One filter of PNG (RFC 2083, 6)."""
    for at in range(len(row)):  # pylint: disable=consider-using-enumerate
        left = row[at - step] if at >= step else 0
        up = above[at]
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            corner = above[at - step] if at >= step else 0
            ways = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            guess = [left, up, corner][ways.index(min(ways))]
        row[at] = (row[at] + guess) & 255
