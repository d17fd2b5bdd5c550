"""The app's icon in the sizes and containers that systems ask for, drawn from resources/icons/playground.svg.

``python packaging/app_icons.py FOLDER`` writes FOLDER/hicolor (Linux), playground.ico (Windows) and
playground.icns (macOS). None of them is kept in the repository: they are made from the one drawing.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ROOT = Path(__file__).resolve().parent.parent
DRAWING = ROOT / "resources" / "icons" / "playground.svg"

LINUX_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
"""Pixels; the hicolor theme's folders."""
WINDOWS_SIZES = (16, 24, 32, 48, 64, 256)
MAC_TYPES = {b"icp4": 16, b"icp5": 32, b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic10": 1024}
"""Types of an .icns file that hold a PNG, with its pixels."""


def png(size: int) -> bytes:
    """The icon as a PNG of ``size`` × ``size`` pixels."""
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        QSvgRenderer(str(DRAWING)).render(painter, QRectF(0, 0, size, size))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def ico() -> bytes:
    """A Windows icon: a directory of 16 bytes a picture, then the pictures as PNG; 256 pixels are written as 0."""
    pictures = [(size, png(size)) for size in WINDOWS_SIZES]
    place = 6 + 16 * len(pictures)
    directory = struct.pack("<HHH", 0, 1, len(pictures))
    for size, data in pictures:
        directory += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), place)
        place += len(data)
    return directory + b"".join(data for _, data in pictures)


def icns() -> bytes:
    """A macOS icon: blocks of type, length with its own head (big-endian) and PNG."""
    blocks = b"".join(
        kind + struct.pack(">I", 8 + len(data)) + data for kind, data in ((k, png(s)) for k, s in MAC_TYPES.items())
    )
    return b"icns" + struct.pack(">I", 8 + len(blocks)) + blocks


def write_hicolor(folder: Path) -> None:
    """``folder``/hicolor as /usr/share/icons has it: the drawing and a PNG for each size."""
    scalable = folder / "hicolor" / "scalable" / "apps"
    scalable.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DRAWING, scalable / "playground.svg")
    for size in LINUX_SIZES:
        place = folder / "hicolor" / f"{size}x{size}" / "apps"
        place.mkdir(parents=True, exist_ok=True)
        (place / "playground.png").write_bytes(png(size))


def write_all(folder: Path) -> None:
    """Every icon file below ``folder``."""
    write_hicolor(folder)
    (folder / "playground.ico").write_bytes(ico())
    (folder / "playground.icns").write_bytes(icns())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python packaging/app_icons.py FOLDER")
    write_all(Path(sys.argv[1]))
