"""What a model on the Hub needs, from the header of one of its files, read from afar; the others follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, BinaryIO, cast

from playground.fit.estimate import Model
from playground.fit.weights import Tensor
from playground.hub.choices import Choice
from playground.hub.client import Hub
from playground.hub.errors import HubError
from playground.hub.page import Page
from playground.hub.ranges import FIRST, RemoteSource
from playground.models.digest import Cancelled
from playground.models.gguf import ArrayInfo, GgufError, GgufHeader, refuse_unloadable, walk
from playground.models.gguf_types import TENSOR_TYPES
from playground.translate import tr

MAX_PARTS = 64
"""Parts of one model whose headers are read."""

_Q6_K, _Q6_BYTES = 14, 210 / 256
_NUMBER = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}


@dataclass(frozen=True, slots=True, eq=False)
class RemoteModel:
    """The header of a choice, with the tensors of all its parts. Equal to itself alone."""

    choice: Choice
    header: GgufHeader
    """Of the first part, which holds the metadata."""
    tensors: tuple[Tensor, ...]
    fetched: int
    """Bytes that came over the line for it."""

    @property
    def n_params(self) -> int:
        """Values in all tensors."""
        return sum(prod(tensor.shape) for tensor in self.tensors)

    @property
    def meta(self) -> Mapping[str, Any]:
        """The metadata as `fit` wants it."""
        known = {
            key: value.values if isinstance(value, ArrayInfo) else value for key, value in self.header.metadata.items()
        }
        return known | {"tokenizer.n_vocab": self.header.n_vocab}

    def foretell(self, choice: Choice) -> Foretold:
        """What another choice of the same page will be, or this one is.

        Quantizations of one model differ in their tensors' types alone, so one header does for all of them.
        """
        return _foretell(self, choice)


@dataclass(frozen=True, slots=True)
class Foretold:
    """A choice as far as its memory and speed go."""

    fit: Model
    meta: Mapping[str, Any]
    tensors: tuple[Tensor, ...]
    """Of a choice whose header wasn't read: as they should be by its quant and size."""


@lru_cache(maxsize=128)
def _foretell(model: RemoteModel, choice: Choice) -> Foretold:
    """Kept, as it is asked for again with each step of the context's slider."""
    tensors = model.tensors if choice == model.choice else _requantized(model, choice)
    return Foretold(Model(model.meta, tensors), model.meta, tensors)


def _requantized(model: RemoteModel, choice: Choice) -> tuple[Tensor, ...]:
    kind = main_type(choice.quant)
    output = "output.weight" if any(t.name == "output.weight" for t in model.tensors) else "token_embd.weight"
    kinds = [_kind_in(tensor, kind, output) for tensor in model.tensors]
    nominal = [_nominal(tensor, of) for tensor, of in zip(model.tensors, kinds, strict=True)]
    around = model.choice.size - sum(tensor.size for tensor in model.tensors)
    small = sum(size for tensor, size in zip(model.tensors, nominal, strict=True) if len(tensor.shape) < 2)
    scale = max(0.0, choice.size - around - small) / max(1.0, sum(nominal) - small)
    return tuple(
        Tensor(tensor.name, tensor.shape, of, int(size * (scale if len(tensor.shape) > 1 else 1)))
        for tensor, of, size in zip(model.tensors, kinds, nominal, strict=True)
    )


def read_remote(hub: Hub, page: Page, choice: Choice, cancelled: Cancelled) -> RemoteModel:
    """Read the headers of a choice's parts by ranges; never a whole file. Blocks.

    Raises HubError, or GivenUp when cancelled.
    """
    if not choice.is_complete:
        raise HubError(
            "file",
            tr(
                "{label} of {repo} can’t be used. {problem}", label=choice.label, repo=page.repo, problem=choice.problem
            ),
        )
    if choice.n_parts > MAX_PARTS:
        raise HubError(
            "file",
            tr(
                "{label} of {repo} is in {n_parts} parts; more than {max_parts}.",
                label=choice.label,
                repo=page.repo,
                n_parts=choice.n_parts,
                max_parts=MAX_PARTS,
            ),
        )
    headers: list[GgufHeader] = []
    tensors: list[Tensor] = []
    fetched = 0
    for file in choice.files:
        header, came = _read_one(hub, page, file.path, cancelled)
        fetched += came
        headers.append(header)
        tensors += header.tensors
    first = headers[0]
    try:
        if len(headers) > 1 and first.n_tensors == 0:
            first.n_tensors = len(tensors)  # some splitters give the first part the metadata alone
        refuse_unloadable(first)
    except GgufError as error:
        raise HubError("file", str(error)) from None
    return RemoteModel(choice, first, tuple(tensors), fetched)


def main_type(quant: str) -> int | None:
    """ggml's number of the type that most tensors of a quant have: Q4_K of “Q4_K_M”. None where it isn't known."""
    name = quant.upper().removeprefix("UD-")
    while name:
        for known in (name, f"{name}_S"):
            if known in _NUMBER:
                return _NUMBER[known]
        name = name.rpartition("_")[0]
    return None


def _kind_in(tensor: Tensor, kind: int | None, output: str) -> int:
    """The type that a tensor of the header has in a file whose tensors are mostly of ``kind``."""
    if kind is None or len(tensor.shape) < 2:
        return tensor.type
    _, block, block_bytes = TENSOR_TYPES[kind]
    # llama.cpp's quantizer leaves the output at six bits where the rest gets fewer.
    return _Q6_K if tensor.name == output and block_bytes / block < _Q6_BYTES else kind


def _nominal(tensor: Tensor, kind: int) -> float:
    _, block, block_bytes = TENSOR_TYPES[kind]
    return prod(tensor.shape) * block_bytes / block


def _read_one(hub: Hub, page: Page, path: str, cancelled: Cancelled) -> tuple[GgufHeader, int]:
    source = RemoteSource(hub, page.repo, page.commit, path, cancelled)
    source.open()
    if not source.size:
        raise HubError("file", tr("{path} in {repo} is empty.", path=path, repo=page.repo))
    try:
        header = walk(cast(BinaryIO, source), path, source.size, chunk=FIRST)
    except GgufError as error:
        if error.kind == "unsupported":
            raise HubError("file", str(error)) from None
        raise HubError(
            "file", tr("{path} in {repo} is no sound GGUF file, so it can’t be used.", path=path, repo=page.repo)
        ) from error
    return header, source.fetched
