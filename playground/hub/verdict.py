"""Whether a choice runs on this machine, with how much context and about how fast: before anything is downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from playground.fit.advice import Verdict, judge, largest_n_ctx
from playground.fit.estimate import Model, Needs, Options
from playground.fit.gpu import Gpu, all_layers, layers_on
from playground.fit.speed import bytes_per_token, tok_s
from playground.hub.choices import Choice, preferred
from playground.hub.remote_model import RemoteModel
from playground.models.estimates import Estimates
from playground.models.gguf_cursor import size_text
from playground.translate import later, tr

Kind: TypeAlias = Literal["gpu", "splits", "fits", "tight", "refused", "unknown"]
"""``gpu``: all of it fits there; ``splits``: some of its layers do, and memory has the rest."""

WORDS: Mapping[Kind, str] = {
    "gpu": later("fits the GPU"),
    "splits": later("splits"),
    "fits": later("fits"),
    "tight": later("tight"),
    "refused": later("won’t fit"),
    "unknown": later("unknown"),
}
"""In a list."""
AT_DEPTH = 1024
"""Tokens before the one whose speed is estimated: an ordinary chat."""
_GOOD_BITS = 4.0
"""Bits a weight below which models get noticeably worse."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to run on."""

    free: int
    """Bytes of memory that could be given now, those of idle engines included."""
    total: int
    estimates: Estimates = field(default_factory=Estimates)
    gpu: Gpu = field(default_factory=Gpu)


@dataclass(frozen=True, slots=True)
class Judged:
    """A choice on this machine."""

    choice: Choice
    kind: Kind
    exact: bool
    """By its own header; else by that of another quant of the same model, a few percent off."""
    needs: Needs | None
    """None where the architecture is unknown."""
    free: int
    n_ctx: int
    """The largest context that fits, in tokens, with all weights in memory where this one fits so; 0: none."""
    tok_s: float
    """Estimated; 0: unknown."""
    gpu: Gpu = field(default_factory=Gpu)
    gpu_layers: tuple[int, int] = (0, 0)
    """Layers that fit on the GPU, and all that could be there."""

    @property
    def words(self) -> str:
        """For a list: “fits”."""
        return tr(WORDS[self.kind])

    @property
    def sentence(self) -> str:
        """For beside it, with the numbers."""
        if self.needs is None:
            return tr("Its architecture is new to this app, so its memory can’t be told beforehand.")
        about = "" if self.exact else tr("about") + " "
        takes = f"{about}{size_text(self.needs.private)}"
        if self.kind == "gpu":
            return tr(
                "All of it fits on the GPU: {about}{whole} of {free} that are free on the {name}.",
                about=about,
                whole=size_text(self.needs.total),
                free=size_text(self.gpu.free),
                name=self.gpu.name,
            )
        if self.kind == "splits":
            return tr(
                "About {n} of {count} layers fit on the GPU, the rest into memory: set “GPU layers” to {n} before it "
                "is loaded.",
                n=self.gpu_layers[0],
                count=self.gpu_layers[1],
            )
        if self.kind == "refused":
            return tr("It needs {takes} of memory, and {free} are free.", takes=takes, free=size_text(self.free))
        if self.kind == "tight":
            return tr(
                "It runs, but slowly: with its weights it takes {about}{whole}, and {free} are free, so parts of it "
                "are read from the disk again and again.",
                about=about,
                whole=size_text(self.needs.whole),
                free=size_text(self.free),
            )
        return tr(
            "It takes {about}{whole} of {free} that are free.",
            about=about,
            whole=size_text(self.needs.whole),
            free=size_text(self.free),
        )


def judge_choice(model: RemoteModel, choice: Choice, options: Options, machine: Machine) -> Judged:
    """One choice of the page whose header was read. Pure arithmetic, about a millisecond."""
    foretold = model.foretell(choice)
    fit = foretold.fit
    free = max(0, machine.free - _correction(fit, options, machine))
    verdict = judge(fit, options, free)
    n_bytes = bytes_per_token(fit, foretold.meta, foretold.tensors, options, AT_DEPTH)
    on_gpu, count = layers_on(fit, verdict.needs, machine.gpu) if verdict.needs else 0, all_layers(fit)
    kind = _with_gpu(verdict, on_gpu, count, free)
    # What the GPU's own memory does a second isn't measured.
    bandwidth = machine.estimates.bandwidth if kind == "fits" else 0.0
    return Judged(
        choice=choice,
        kind=kind,
        exact=choice == model.choice,
        needs=verdict.needs,
        free=machine.free,
        n_ctx=_largest(fit, options, verdict, free),
        tok_s=tok_s(n_bytes, bandwidth, machine.estimates.share(n_bytes)),
        gpu=machine.gpu,
        gpu_layers=(on_gpu, count),
    )


def judge_all(model: RemoteModel, choices: Sequence[Choice], options: Options, machine: Machine) -> list[Judged]:
    """All choices of the page."""
    return [judge_choice(model, choice, options, machine) for choice in choices]


def best(judged: Sequence[Judged]) -> Judged | None:
    """What to offer first: a usual quant that fits; else the largest that fits, or is tight; None where none runs."""
    fitting = [one for one in judged if one.kind == "gpu"]
    fitting = fitting or [one for one in judged if one.kind in ("fits", "splits", "unknown")]
    if fitting:
        choice = preferred([one.choice for one in fitting])
        usual = next(one for one in fitting if one.choice == choice)
        bits = choice.bits_per_weight
        # Where no usual quant fits, `preferred` is the smallest; a larger one that fits is better.
        return usual if not bits or bits >= _GOOD_BITS else max(fitting, key=lambda one: one.choice.size)
    tight = [one for one in judged if one.kind == "tight"]
    return min(tight, key=lambda one: one.choice.size) if tight else None


def _with_gpu(verdict: Verdict, on_gpu: int, count: int, free: int) -> Kind:
    """The verdict where some layers can be on a GPU."""
    if not on_gpu or verdict.needs is None:
        return verdict.kind
    if on_gpu == count:
        return "gpu"
    return "splits" if verdict.needs.whole * (1 - on_gpu / count) <= free else verdict.kind


def _largest(fit: Model, options: Options, verdict: Verdict, free: int) -> int:
    if verdict.needs is None:
        return 0
    pages = verdict.needs.whole - verdict.needs.private if verdict.kind == "fits" else 0
    return largest_n_ctx(fit, options, free - pages)


def _correction(fit: Model, options: Options, machine: Machine) -> int:
    """Bytes that models of this kind took here beyond the estimate."""
    needs = fit.needs(options if options.n_ctx else replace(options, n_ctx=4096))
    if needs is None:
        return 0
    return int(needs.compute * (machine.estimates.working_factor(fit.arch) - 1))
