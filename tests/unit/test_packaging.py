"""What a desktop is told of the app: its entry, icons and description."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage

from playground import __version__

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import app_icons  # noqa: E402
import bundle_table  # noqa: E402
import processors  # noqa: E402

LINUX = ROOT / "packaging" / "linux"


def entry() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(LINUX / "playground.desktop", encoding="utf-8")
    return parser["Desktop Entry"]


def test_the_desktop_entry_starts_the_command_and_belongs_to_the_window() -> None:
    told = entry()
    commands = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert told["Exec"].split() == ["playground", "%f"]
    assert told["TryExec"] in commands
    # A window that names its entry differently has a nameless icon in the dock.
    named = (ROOT / "playground" / "app.py").read_text()
    assert 'setDesktopFileName("playground")' in named
    assert told["StartupWMClass"] == told["Icon"] == "playground"


def test_the_entry_and_the_description_agree() -> None:
    about = ET.parse(LINUX / "playground.metainfo.xml").getroot()
    mime = ET.parse(LINUX / "playground-mime.xml").getroot()
    kinds = {kind.attrib["type"] for kind in mime.findall("{*}mime-type")}
    assert set(entry()["MimeType"].rstrip(";").split(";")) == kinds
    assert {kind.text for kind in about.iter("mediatype")} == kinds
    assert about.findtext("launchable") == "playground.desktop"
    newest = about.find("releases/release")
    assert newest is not None
    assert newest.attrib["version"] == __version__


@pytest.mark.parametrize(
    "command",
    [
        ("appstreamcli", "validate", "--no-net", str(LINUX / "playground.metainfo.xml")),
        ("desktop-file-validate", str(LINUX / "playground.desktop")),
    ],
    ids=lambda words: words[0],
)
def test_the_desktops_own_checkers_have_nothing_to_say(command: tuple[str, ...]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_icon_has_its_size_and_the_drawing_in_it(tmp_path: Path) -> None:
    app_icons.write_all(tmp_path)
    for size in app_icons.LINUX_SIZES:
        image = QImage(str(tmp_path / "hicolor" / f"{size}x{size}" / "apps" / "playground.png"))
        assert (image.width(), image.height()) == (size, size)
        assert image.pixelColor(0, 0).alpha() < 8  # the corners are round
        assert image.pixelColor(size // 2, size // 5).name() == "#16171b"
    # Qt reads .ico and .icns by plugins of its own.
    assert QImage(str(tmp_path / "playground.ico")).width() in app_icons.WINDOWS_SIZES
    mac = QImage.fromData(QByteArray((tmp_path / "playground.icns").read_bytes()))
    assert mac.width() in app_icons.MAC_TYPES.values()


def test_a_processor_gets_the_best_kernels_that_it_runs() -> None:
    plain = frozenset({"sse4_2", "popcnt"})
    haswell = plain | {"avx", "avx2", "fma", "f16c", "bmi1", "bmi2"}
    zen4 = haswell | {
        "avx512f",
        "avx512cd",
        "avx512vl",
        "avx512dq",
        "avx512bw",
        "avx512vbmi",
        "avx512_vnni",
        "avx512_bf16",
    }
    found = [processors.best(frozenset(flags)) for flags in (plain, haswell, zen4, haswell - {"fma"}, ())]
    assert [row.name if row else "" for row in found] == ["sse42", "avx2", "avx512", "sse42", ""]
    # Best first: each row needs what the next needs, and more.
    for better, plainer in zip(processors.X86_64, processors.X86_64[1:], strict=False):
        assert better.needs > plainer.needs
        assert set(better.options) > set(plainer.options)


def test_the_bundle_table_names_what_is_there() -> None:
    assert [system.key for system in bundle_table.SYSTEMS if system.tried] == ["linux"]
    for folder, _ in bundle_table.DATA:
        assert (ROOT / folder).is_dir()
    drawn = {"playground.ico", "playground.icns", ""}
    assert {system.icon for system in bundle_table.SYSTEMS} <= drawn
    from playground.models.starter import STARTER

    assert bundle_table.STARTER[0] == STARTER.package
