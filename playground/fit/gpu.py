"""How much of a model fits on a GPU, by what llama.cpp puts there: whole layers with their part of the cache."""

from __future__ import annotations

from dataclasses import dataclass

from playground.fit.estimate import Model, Needs

SPARE = 600_000_000
"""Bytes of the GPU's memory that its driver and llama.cpp's own context take beside the model."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that llama.cpp can use."""

    name: str = ""
    """Empty: there is none."""
    free: int = 0
    """Bytes that programs could be given when it was last looked at."""
    total: int = 0


def all_layers(model: Model) -> int:
    """What “all GPU layers” are: the model's and the one for the output; 0 where the architecture is unknown."""
    return model.layers.n_layer + 1 if model.layers else 0


def layers_on(model: Model, needs: Needs, gpu: Gpu) -> int:
    """How many of `all_layers` fit on the GPU. An estimate: layers count as equally large."""
    count = all_layers(model)
    if not gpu.name or not count:
        return 0
    each = (needs.weights.total + needs.cache) / count
    room = gpu.free - needs.compute - SPARE
    return max(0, min(count, int(room / each))) if each else count
