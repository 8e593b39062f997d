"""Small pictures: text in a five by seven font of capital letters and digits, and lossless arithmetic on rows of pixels."""

from __future__ import annotations

_FONT = {
    "A": "0E11111F111111", "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1E11111111111E", "E": "1F10101E10101F",
    "F": "1F10101E101010", "G": "0E11101711110F", "H": "1111111F111111", "I": "0E04040404040E", "J": "0702020202120C",
    "K": "11121418141211", "L": "1010101010101F", "M": "111B1515111111", "N": "11111915131111", "O": "0E11111111110E",
    "P": "1E11111E101010", "Q": "0E11111115120D", "R": "1E11111E141211", "S": "0F10100E01011E", "T": "1F040404040404",
    "U": "1111111111110E", "V": "11111111110A04", "W": "1111111515150A", "X": "11110A040A1111", "Y": "1111110A040404",
    "Z": "1F01020408101F", "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F", "3": "1F02040201110E",
    "4": "02060A121F0202", "5": "1F101E0101110E", "6": "0608101E11110E", "7": "1F010204080808", "8": "0E11110E11110E",
    "9": "0E11110F01020C", ".": "00000000000C0C", ":": "000C0C000C0C00", "-": "0000001F000000", "/": "00010204081000",
    "^": "040A1100000000", "(": "02040808080402", ")": "08040202020408",
}  # fmt: skip # a table
_WIDE, _HIGH = 6, 9


def text_image(lines: list[str], width: int, height: int) -> bytes:
    """White text on black as one byte a pixel, row by row; what does not fit is cut off."""
    pixels = bytearray(width * height)
    for number, line in enumerate(lines):
        for place, letter in enumerate(line.upper()):
            _draw(pixels, width, height, (4 + place * _WIDE, 4 + number * _HIGH), _FONT.get(letter, ""))
    return bytes(pixels)


def _draw(pixels: bytearray, width: int, height: int, corner: tuple[int, int], glyph: str) -> None:
    left, top = corner
    if left + 5 > width or top + 7 > height:
        return
    for row, bits in enumerate(bytes.fromhex(glyph)):
        for column in range(5):
            if bits >> (4 - column) & 1:
                pixels[(top + row) * width + left + column] = 255
