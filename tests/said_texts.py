"""What the source says to users: texts that are looked up, and literals that look like words but aren't."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LOOK_UP = {"tr": slice(0, 1), "later": slice(0, 1), "tr_n": slice(1, 3)}
"""Functions that take a text, and which of their arguments are one."""
_SILENT_CALLS = (
    "setProperty", "setObjectName", "font", "color", "hex", "getattr", "setattr", "hasattr", "Template",
    "substitute", "compile", "sub", "match", "fullmatch", "search", "startswith", "endswith", "execute",
    "executescript", "debug", "info", "warning", "error", "exception", "TypeVar", "NewType", "cast", "encode",
    "decode", "split", "rsplit", "partition", "rpartition", "replace", "strip", "removeprefix", "removesuffix",
    "Tag", "get", "pop", "setdefault", "setStyleSheet", "QKeySequence", "Thread", "mark", "getLogger",
    "strptime", "strftime",
)  # fmt: skip
"""Calls whose arguments no user reads: names of properties, patterns, statements, style sheets, keys, logs."""
_UNITS = re.compile(r"tok/s|t/s|ms|[GMk]?B|TB|s|h|min|GGUF|KV|CPU|GPU|SHA|Esc|Ctrl|Tab|F\d+|[GM]B/s|TTFT")


def read(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Each Python file of a folder with its tree."""
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def looked_up(tree: ast.Module) -> Iterator[str]:
    """Texts given to `tr` and its like."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LOOK_UP:
            for said in node.args[LOOK_UP[node.func.id]]:
                if isinstance(said, ast.Constant):
                    yield said.value


def bare(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Literals with words in them that are not looked up, with their lines."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Call) and _name(node.func) in (*LOOK_UP, *_SILENT_CALLS):
        for inner in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            if not isinstance(inner, ast.Constant | ast.JoinedStr):
                yield from bare(inner)
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and wordy(node.value):
            yield node.lineno, node.value
        return
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        if wordy(text):
            yield node.lineno, text
    yield from (found for child in _spoken(node) for found in bare(child))


def _spoken(node: ast.AST) -> Iterator[ast.AST]:
    """The children that may reach a user: no annotations, keys, comparisons, assertions."""
    silent: list[ast.AST | None] = []
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Assign) and _name(node.targets[0]) == "__all__"):
        return
    if isinstance(node, ast.AnnAssign):
        silent = [node.annotation]
    elif isinstance(node, ast.FunctionDef):
        silent = [*node.decorator_list, node.returns]
    elif isinstance(node, ast.arg):
        silent = [node.annotation]
    elif isinstance(node, ast.Compare):
        silent = [side for side in (node.left, *node.comparators) if isinstance(side, ast.Constant | ast.Tuple)]
    elif isinstance(node, ast.Subscript):
        silent = [node.slice]
    elif isinstance(node, ast.Dict):
        silent = list(node.keys)
    elif isinstance(node, ast.JoinedStr):
        silent = [part for part in node.values if isinstance(part, ast.Constant)]
    for child in ast.iter_child_nodes(node):
        if all(child is not one for one in silent):
            yield child


def wordy(text: str) -> bool:
    """Whether it looks like something that a user reads."""
    plain = re.sub(r"\{[^{}]*\}", " ", text)
    words = [word for word in re.findall(r"[A-Za-z][A-Za-z/’]*", plain) if not _UNITS.fullmatch(word)]
    if not any(re.search(r"[a-z]{2}", word) for word in words):
        return False
    if re.fullmatch(r"[\w.\-/:,*%+#={}]+", text.strip()) and not re.fullmatch(r"[A-Z][a-z]+", text.strip()):
        return False  # a key or a name
    return not _CODE.search(text)


_CODE = re.compile(
    r"[{;]\s*$|background:|color:|border|px|^\{found|^Q[A-Z]|^Ctrl\+|\.(svg|otf|ttf|json|gguf)\b|^https?:"
)


def _name(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
