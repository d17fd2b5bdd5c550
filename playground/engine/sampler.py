"""llama.cpp's own sampler chain, built from the table's values and changed while an answer is written."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground.engine.binding import lib
from playground.engine.grammar import Candidates, Grammar
from playground.engine.greedy import Greedy, is_greedy
from playground.engine.stages import Plan, Stage, checked, plan
from playground.engine.tokens import Vocab
from playground.protocol.commands import Sampling

_SEEDS = 0xFFFFFFFF
"""llama.cpp's word for “random”; every smaller number is a seed."""
_REMEMBER = ("penalties", "dry")
_DRAWS = ("dist",)


class GrammarStuck(Exception):
    """The grammar allows no token at all here."""


class Sampler:
    """Draws the tokens of one answer. Free it with `free`."""

    def __init__(self, vocab: Vocab, n_ctx: int, sampling: Sampling, prompt: Sequence[int]) -> None:
        """Raises SettingError when a value is refused."""
        self._vocab = vocab
        self._n_ctx = n_ctx
        self.values = checked(sampling.values, sampling.samplers)
        asked = self.values["seed"]
        self.seed: int = asked if asked >= 0 else secrets.randbelow(_SEEDS)
        """The seed in force, also when the user left it random."""
        self._past = list(prompt)
        self._n_prompt = len(self._past)
        self._chain: Any = None
        self._stages: list[tuple[Stage, Any]] = []
        self._parked: dict[Stage, Any] = {}
        self._grammar: Grammar | None = None
        self._candidates: Candidates | None = None
        self._greedy: Greedy | None = None
        self._adopt(plan(self.values, sampling.samplers, self.seed, n_ctx, vocab))

    def change(self, sampling: Sampling) -> None:
        """New settings from the next token on. Raises SettingError, and then nothing has changed.

        Samplers whose settings stay the same keep their state; new ones are told the history;
        the random number generator goes on where it was unless the seed itself was changed.
        """
        values = checked(sampling.values, sampling.samplers)
        seed = values["seed"] if values["seed"] >= 0 else self.seed
        self._adopt(plan(values, sampling.samplers, seed, self._n_ctx, self._vocab))
        self.values, self.seed = values, seed

    def draw(self, ctx: Any, row: int) -> int:
        """The next token from the logits of a batch row. Raises GrammarStuck."""
        if self._grammar is not None:
            token = self._draw_by_grammar(self._grammar, ctx, row)
        else:
            best = self._greedy.draw(ctx, row) if self._greedy else None
            token = int(lib.llama_sampler_sample(self._chain, ctx, row)) if best is None else best
        self._past.append(token)
        return token

    def free(self) -> None:
        """Give everything back to llama.cpp."""
        if self._chain:
            lib.llama_sampler_free(self._chain)
        for sampler in self._parked.values():
            lib.llama_sampler_free(sampler)
        if self._grammar:
            self._grammar.free()
        self._chain, self._grammar, self._parked = None, None, {}

    def _draw_by_grammar(self, grammar: Grammar, ctx: Any, row: int) -> int:
        if self._candidates is None:
            self._candidates = Candidates(self._vocab.size)
        token = self._picked(self._candidates.fill(ctx, row))
        if not grammar.allows(token):
            candidates = self._candidates.fill(ctx, row)
            grammar.restrict(candidates)
            token = self._picked(candidates)
            if not grammar.allows(token):
                raise GrammarStuck
        grammar.accept(token)
        lib.llama_sampler_accept(self._chain, token)
        return token

    def _picked(self, candidates: Any) -> int:
        lib.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        if not 0 <= candidates.selected < candidates.size:
            raise GrammarStuck
        return int(candidates.data[candidates.selected].id)

    def _adopt(self, wanted: Plan) -> None:
        grammar = self._grammar_for(wanted.grammar)
        old = dict(self._stages) | self._parked
        kept_chain, chain = self._chain, lib.llama_sampler_chain_init(_chain_params())
        for index in reversed(range(len(self._stages))):
            lib.llama_sampler_chain_remove(kept_chain, index)
        self._stages = []
        for stage in wanted.stages:
            sampler = old.pop(stage, None) or self._make(stage, wanted.history)
            lib.llama_sampler_chain_add(chain, sampler)
            self._stages.append((stage, sampler))
        self._parked = {stage: sampler for stage, sampler in old.items() if stage.name in _DRAWS}
        for stage, sampler in old.items():
            if stage.name not in _DRAWS:
                lib.llama_sampler_free(sampler)
        if kept_chain:
            lib.llama_sampler_free(kept_chain)
        if self._grammar and self._grammar is not grammar:
            self._grammar.free()
        self._chain, self._grammar = chain, grammar
        self._greedy = Greedy(self._vocab.size, wanted.stages) if is_greedy(wanted.stages) else None

    def _make(self, stage: Stage, history: int) -> Any:
        sampler = _BUILD[stage.name](self._vocab, *stage.arguments)
        if stage.name in _REMEMBER:
            for token in self._past[-history:]:
                lib.llama_sampler_accept(sampler, token)
        return sampler

    def _grammar_for(self, text: str) -> Grammar | None:
        if not text.strip():
            return None
        if self._grammar and self._grammar.text == text:
            return self._grammar
        grammar = Grammar(self._vocab, text)
        try:
            grammar.replay(self._past[self._n_prompt :])
        except Exception:
            grammar.free()
            raise
        return grammar


def _chain_params() -> Any:
    params = lib.llama_sampler_chain_default_params()
    params.no_perf = True
    return params


def _dry(vocab: Vocab, reach: int, multiplier: float, base: float, allowed: int, breakers: tuple[str, ...]) -> Any:
    encoded = [text.encode("utf-8", "replace") for text in breakers]
    array = (ctypes.c_char_p * max(1, len(encoded)))(*encoded)
    return lib.llama_sampler_init_dry(vocab.handle, multiplier, base, allowed, reach, array, len(encoded))


def _logit_bias(vocab: Vocab, *biases: tuple[int, float]) -> Any:
    array = (lib.llama_logit_bias * len(biases))(*biases)
    return lib.llama_sampler_init_logit_bias(vocab.size, len(biases), array)


def _penalties(vocab: Vocab, reach: int, repeat: float, freq: float, present: float) -> Any:
    return lib.llama_sampler_init_penalties(vocab.size, reach, repeat, freq, present)


_BUILD: Mapping[str, Callable[..., Any]] = {
    "logit_bias": _logit_bias,
    "penalties": _penalties,
    "dry": _dry,
    "top_n_sigma": lambda vocab, n: lib.llama_sampler_init_top_n_sigma(n),
    "top_k": lambda vocab, k: lib.llama_sampler_init_top_k(k),
    "typ_p": lambda vocab, p, keep: lib.llama_sampler_init_typical(p, keep),
    "top_p": lambda vocab, p, keep: lib.llama_sampler_init_top_p(p, keep),
    "min_p": lambda vocab, p, keep: lib.llama_sampler_init_min_p(p, keep),
    "xtc": lambda vocab, p, t, keep, seed: lib.llama_sampler_init_xtc(p, t, keep, seed),
    "temp": lambda vocab, t: lib.llama_sampler_init_temp(t),
    "temp_ext": lambda vocab, t, spread, exponent: lib.llama_sampler_init_temp_ext(t, spread, exponent),
    "infill": lambda vocab: lib.llama_sampler_init_infill(vocab.handle),
    "adaptive_p": lambda vocab, target, decay, seed: lib.llama_sampler_init_adaptive_p(target, decay, seed),
    "mirostat_1": lambda vocab, seed, tau, eta, m: lib.llama_sampler_init_mirostat(vocab.size, seed, tau, eta, m),
    "mirostat_2": lambda vocab, seed, tau, eta: lib.llama_sampler_init_mirostat_v2(seed, tau, eta),
    "greedy": lambda vocab: lib.llama_sampler_init_greedy(),
    "dist": lambda vocab, seed: lib.llama_sampler_init_dist(seed),
}
