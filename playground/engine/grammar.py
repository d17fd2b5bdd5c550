"""A GBNF grammar beside the chain, as llama.cpp keeps it: it checks the drawn token alone, and only when
it refuses is it applied to the whole vocabulary."""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from playground.engine.binding import lib
from playground.engine.format_error import FormatError, grammar_error
from playground.engine.tokens import Vocab
from playground.settings.field import SettingError
from playground.translate import tr

_T = TypeVar("_T")
_REFUSED = float("-inf")
_MOST_HEARD = 1_000_000
"""Bytes of the parser's words; they repeat the grammar."""
_DEEPEST = 200
"""Nested brackets; llama.cpp's parser recurses on each and would overflow its stack."""
_LITERALS = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*')


class Grammar:
    """A grammar's state, moved on by each accepted token."""

    def __init__(self, vocab: Vocab, text: str) -> None:
        """Raises SettingError when the text is no grammar."""
        self.text = text
        self.handle: Any = None
        if _depth(text) > _DEEPEST:
            raise FormatError(tr("The grammar nests brackets more than {deepest} deep.", deepest=_DEEPEST))
        data = text.encode("utf-8", "replace")
        handle, said = _hearing(lambda: lib.llama_sampler_init_grammar(vocab.handle, data, b"root"))
        if not handle:
            raise grammar_error(text, said)
        self.handle = handle
        self._one = lib.llama_token_data()
        self._array = lib.llama_token_data_array(ctypes.pointer(self._one), 1, -1, False)

    def allows(self, token: int) -> bool:
        """Whether the token may come next."""
        self._one.id, self._one.logit, self._one.p = token, 1.0, 0.0
        self._array.size, self._array.selected, self._array.sorted = 1, -1, False
        lib.llama_sampler_apply(self.handle, ctypes.byref(self._array))
        return bool(self._one.logit != _REFUSED)

    def restrict(self, candidates: Any) -> None:
        """Take every token that may not come out of the candidates."""
        lib.llama_sampler_apply(self.handle, ctypes.byref(candidates))

    def accept(self, token: int) -> None:
        """Move on. The token must be allowed: llama.cpp ends the process otherwise."""
        lib.llama_sampler_accept(self.handle, token)

    def replay(self, tokens: Sequence[int]) -> None:
        """Accept what is already written. Raises SettingError where it doesn't follow the grammar."""
        for token in tokens:
            if not self.allows(token):
                raise SettingError(
                    tr("What is already written doesn’t follow this grammar; stop and write the answer anew.")
                )
            self.accept(token)

    def free(self) -> None:
        """Give it back to llama.cpp; it can't be used any more."""
        if self.handle:
            lib.llama_sampler_free(self.handle)
            self.handle = None


class Candidates:
    """The whole vocabulary as llama.cpp's candidate array, filled from logits; made once, for grammars only."""

    def __init__(self, n_vocab: int) -> None:
        import numpy as np

        self._np = np
        self._n = n_vocab
        self._rows = np.zeros(n_vocab, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
        self._ids = np.arange(n_vocab, dtype="i4")
        pointer = self._rows.ctypes.data_as(lib.llama_token_data_p)
        self._pointer = pointer
        self.array = lib.llama_token_data_array(pointer, n_vocab, -1, False)

    def fill(self, ctx: Any, row: int) -> Any:
        """The candidates of a batch row, untouched by any sampler."""
        logits = self._np.ctypeslib.as_array(lib.llama_get_logits_ith(ctx, row), shape=(self._n,))
        self._rows["id"] = self._ids
        self._rows["logit"] = logits
        self.array.data, self.array.size = self._pointer, self._n
        self.array.selected, self.array.sorted = -1, False
        return self.array


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in re.findall(r"[()]", _LITERALS.sub("", text)):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
    return deepest


def _hearing(call: Callable[[], _T]) -> tuple[_T, str]:
    """The call's result and what it printed: llama.cpp tells grammar errors on standard error only."""
    with tempfile.TemporaryFile() as heard:
        kept = os.dup(2)
        os.dup2(heard.fileno(), 2)
        try:
            result = call()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        heard.seek(0)
        said = heard.read(_MOST_HEARD)
    if said:
        os.write(2, said[:4096])
    return result, said.decode("utf-8", "replace")
