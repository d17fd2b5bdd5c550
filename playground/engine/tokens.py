"""A model's vocabulary: text to tokens and back."""

from __future__ import annotations

import ctypes
import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from playground.engine.binding import lib
from playground.translate import tr

_CONTROL = lib.LLAMA_TOKEN_ATTR_CONTROL
_SPECIAL = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_UNKNOWN
_NONE = -1
_MOST_SIGNS = 32
_SPM = lib.LLAMA_VOCAB_TYPE_SPM


class Vocab:
    """Tokenises and detokenises. Scans the whole vocabulary once, for its control and end tokens."""

    def __init__(self, model: Any) -> None:
        self.handle: Any = lib.llama_model_get_vocab(model)
        self.size = int(lib.llama_vocab_n_tokens(self.handle))
        self.bos = int(lib.llama_vocab_bos(self.handle))
        self.eos = int(lib.llama_vocab_eos(self.handle))
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self.handle)) and self.bos != _NONE
        self._buffer = ctypes.create_string_buffer(256)
        self._pieces: dict[int, bytes] = {}
        attr = lib.llama_vocab_get_attr
        self.control = frozenset(token for token in range(self.size) if attr(self.handle, token) & _SPECIAL)
        """Tokens that typed text must never become."""
        self.eog = frozenset(token for token in range(self.size) if lib.llama_vocab_is_eog(self.handle, token))
        """Every token that ends an answer."""
        self.suppressed = self._suppressed()
        """Tokens the model's file forbids to draw."""
        self._control_texts = {self.text(token) for token in self.control} - {""}
        self._control_lengths = sorted({len(text) for text in self._control_texts})
        starts = "".join(sorted({text[0] for text in self._control_texts}))
        self._control_starts = re.compile(f"[{re.escape(starts)}]" if starts else r"(?!)")
        self._untyped = frozenset(token for token in self.control if attr(self.handle, token) & _CONTROL)
        self._bytes: dict[bytes, int] | None = None
        """Tokens of single bytes; made when first needed."""
        self._beginnings: set[str] | None = None
        self._endings: set[str] = set()
        """Proper parts of control tokens' spellings; made when first needed."""
        self._lead = self._leading_space_guard()

    @functools.cached_property
    def signs(self) -> str:
        """Characters of which each control token's spelling has one; of very odd vocabularies most have one."""
        return _signs(self._control_texts)

    def piece(self, token: int) -> bytes:
        """The bytes of a token, control tokens included."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._to_piece(token)
        return known

    def text(self, token: int) -> str:
        """A token alone as text; empty for the missing token −1."""
        return self.piece(token).decode("utf-8", "replace") if 0 <= token < self.size else ""

    def tokenize(self, text: str, *, special: bool, inner: bool = False) -> list[int]:
        """The tokens of a text, without BOS or EOS.

        ``special``: text that spells a control token becomes it. ``inner``: the text continues
        another, so that no space is put before it (SentencePiece vocabularies do that).
        """
        if not text:
            return []
        tokens = self._tokens(text, special=special, inner=inner)
        return tokens if special or self._untyped.isdisjoint(tokens) else self._without_control(tokens)

    def _tokens(self, text: str, *, special: bool, inner: bool) -> list[int]:
        if inner and self._lead:
            tokens = self._tokenize("\n" + text, special)
            if tokens[: len(self._lead)] == self._lead:
                return tokens[len(self._lead) :]
        return self._tokenize(text, special)

    def _without_control(self, tokens: list[int]) -> list[int]:
        """The tokens with those spelled out that letters were merged into, though they are control tokens."""
        found: list[int] = []
        for token in tokens:
            if token not in self._untyped:
                found.append(token)
                continue
            for letter in self.text(token):
                own = self._tokens(letter, special=False, inner=True)
                found += own if self._untyped.isdisjoint(own) else self._as_bytes(letter)
        return found

    def _as_bytes(self, text: str) -> list[int]:
        """The tokens of its bytes, as far as there are such."""
        if self._bytes is None:
            attr = lib.llama_vocab_get_attr
            alone = (token for token in range(self.size) if attr(self.handle, token) & lib.LLAMA_TOKEN_ATTR_BYTE)
            self._bytes = {self.piece(token): token for token in alone}
        return [self._bytes[byte] for one in text.encode() if (byte := bytes([one])) in self._bytes]

    def find_control(self, texts: Sequence[str]) -> set[str]:
        """Every spelling of a control token that occurs in the texts."""
        found: set[str] = set()
        for text in texts:
            for start in (match.start() for match in self._control_starts.finditer(text)):
                for length in self._control_lengths:
                    if (piece := text[start : start + length]) in self._control_texts:
                        found.add(piece)
        return found

    def spelled_control(self, text: str) -> Counter[str]:
        """The control tokens that a text spells, and how often; the longest where several begin at one place."""
        found: Counter[str] = Counter()
        for start in (match.start() for match in self._control_starts.finditer(text)):
            pieces = (text[start : start + length] for length in reversed(self._control_lengths))
            if piece := next((piece for piece in pieces if piece in self._control_texts), ""):
                found[piece] += 1
        return found

    def names_more_control(self, text: str, most: int) -> bool:
        """Whether a text spells control tokens more than ``most`` times."""
        count = 0
        for start in (match.start() for match in self._control_starts.finditer(text)):
            count += any(text[start : start + length] in self._control_texts for length in self._control_lengths)
            if count > most:
                return True
        return False

    def control_edges(self, text: str) -> tuple[int, int]:
        """How much of the text's start could end a control token's spelling, and of its end could begin one."""
        if self._beginnings is None:
            cuts = [(spelling, at) for spelling in self._control_texts for at in range(1, len(spelling))]
            self._beginnings = {spelling[:at] for spelling, at in cuts}
            self._endings = {spelling[at:] for spelling, at in cuts}
        beginnings, endings = self._beginnings, self._endings
        lengths = range(min(len(text), self._control_lengths[-1] - 1 if self._control_lengths else 0), 0, -1)
        start = next((n for n in lengths if text[:n] in endings), 0)
        end = next((n for n in lengths if text[-n:] in beginnings), 0)
        return start, end

    def token_of(self, text: str) -> int:
        """The one token a text is, or −1."""
        tokens = self._tokenize(text, True) if text else []
        return tokens[-1] if tokens and self.piece(tokens[-1]) == text.encode() else _NONE

    def _tokenize(self, text: str, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            array = (lib.llama_token * room)()
            n = lib.llama_tokenize(self.handle, data, len(data), array, room, False, special)
            if n >= 0:
                return list(array[:n])
            if -n <= room:
                raise ValueError(tr("The text is too long to be tokenised."))
            room = -n

    def _to_piece(self, token: int) -> bytes:
        n = lib.llama_token_to_piece(self.handle, token, self._buffer, len(self._buffer), 0, True)
        if n < 0:
            self._buffer = ctypes.create_string_buffer(-n)
            n = lib.llama_token_to_piece(self.handle, token, self._buffer, len(self._buffer), 0, True)
        return self._buffer.raw[: max(0, n)]

    def _suppressed(self) -> tuple[int, ...]:
        n = ctypes.c_int32()
        found = lib.llama_vocab_get_suppress_tokens(self.handle, ctypes.byref(n))
        return tuple(found[: n.value]) if found and n.value > 0 else ()

    def _leading_space_guard(self) -> list[int]:
        """What a leading newline becomes in a vocabulary that puts a space before a text."""
        if lib.llama_vocab_type(self.handle) != _SPM:
            return []
        return self._tokenize("\n", False)


def _signs(spellings: Iterable[str]) -> str:
    """Few characters, at best none of a word's, such that each spelling has one. White space isn't one of them."""
    left = {text for text in spellings if text.strip()}
    signs = ""
    while left and len(signs) < _MOST_SIGNS:
        counts = Counter(sign for text in left for sign in set(text) if not sign.isspace())
        best = max(counts, key=lambda sign: (not sign.isalnum(), counts[sign], sign))
        signs += best if best.swapcase() == best else best + best.swapcase()
        left = {text for text in left if best not in text}
    return signs
