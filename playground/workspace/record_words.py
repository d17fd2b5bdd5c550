"""What an answer was made with and whether it can be repeated, in words. Pure, no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.translate import later, tr

_REASONS = {
    "prefix": later("the beginning was still in the cache"),
    "batch": later("other conversations shared the engine"),
    "threads": later("the thread count changed with flash attention on"),
    "pieces": later("the prompt was read in other pieces because others were writing"),
    "tweaked": later("settings changed while it was written"),
}


def repeat_words(record: Mapping[str, Any]) -> str:
    """One sentence on whether the same request gives the same text again; empty when it isn't known."""
    if "varies" not in record:
        return ""
    varies = [one for one in _strings(record["varies"]) if one != "date"]
    words = _repeat_words(record, varies)
    if words and len(varies) < len(_strings(record["varies"])):
        words += " " + tr("The model’s template puts the date into the prompt: on another day it is another request.")
    return words


def _repeat_words(record: Mapping[str, Any], varies: Sequence[str]) -> str:
    seed = record.get("seed")
    with_seed = tr(" with seed {seed}", seed=seed) if isinstance(seed, int) and _draws(record) else ""
    if record.get("repeatable"):
        if varies:
            return tr(
                "Repeatable{with_seed}, if {tweaked} at the same places.",
                with_seed=with_seed,
                tweaked=tr(_REASONS["tweaked"]),
            )
        return tr("Repeatable{with_seed}: the same request gives the same text on this machine.", with_seed=with_seed)
    if not varies:
        return tr("Likely to come again{with_seed} in a fresh engine; “Repeatable” makes sure.", with_seed=with_seed)
    reasons = [tr(_REASONS[reason]) for reason in varies if reason in _REASONS]
    return tr("May differ next time: {reasons}.", reasons=", ".join(reasons)) if reasons else ""


def reuse_words(record: Mapping[str, Any]) -> str:
    """“2,007 of the prompt’s 2,019 tokens reused, 1,990 of them restored from disk.”; empty when it isn't known."""
    prompt, reused, restored = (record.get(name) for name in ("n_prompt", "n_reused", "n_restored"))
    if not isinstance(prompt, int) or not isinstance(reused, int):
        return ""
    if not reused:
        return tr("All {prompt:,} tokens of the prompt were read.", prompt=prompt)
    disk = (
        tr(", {restored:,} of them restored from disk", restored=restored)
        if isinstance(restored, int) and restored
        else ""
    )
    return tr("{reused:,} of the prompt’s {prompt:,} tokens reused{disk}.", reused=reused, prompt=prompt, disk=disk)


def made_words(record: Mapping[str, Any]) -> str:
    """All that is known, a line each: how it repeats, threads and options, llama.cpp's build."""
    made = record.get("made_with")
    lines = [repeat_words(record), reuse_words(record)]
    if isinstance(made, dict):
        lines.append(_options(made))
        lines.append(str(made.get("build", "")).split("|")[0].strip())
    return "\n".join(line for line in lines if line)


def _options(made: Mapping[str, Any]) -> str:
    parts = []
    if isinstance(made.get("n_threads"), int):
        n = made["n_threads"]
        parts.append(tr("1 thread") if n == 1 else tr("{n} threads", n=n))
    parts += [f"{name} {made[name]:,}" for name in ("n_ctx", "n_ubatch") if isinstance(made.get(name), int)]
    cache = made.get("cache_type_k"), made.get("cache_type_v")
    if all(isinstance(kind, str) for kind in cache) and cache != ("f16", "f16"):
        parts.append(tr("KV cache {keys} and {values}", keys=cache[0], values=cache[1]))
    if isinstance(made.get("flash_attn"), bool):
        parts.append(tr("flash attention on") if made["flash_attn"] else tr("flash attention off"))
    return ", ".join(parts)


def _draws(record: Mapping[str, Any]) -> bool:
    sampling = record.get("sampling")
    return not isinstance(sampling, dict) or sampling.get("temp") != 0


def _strings(value: object) -> Sequence[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
