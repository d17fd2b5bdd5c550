"""The sentences of inline cards: what happened, why and what is kept, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.protocol.events import LoadFailed, ModelInfo
from playground.translate import later, tr
from playground.workspace.lane import Notice, NoticeAction
from playground.workspace.words import format_bytes, format_gb, join_letters, model_tag

if TYPE_CHECKING:
    from playground.supervisor.outcome import Outcome
    from playground.workspace.advice import Advice

CHOOSE = NoticeAction("choose_model", later("Choose another model"))
RELOAD = NoticeAction("reload", later("Reload"), primary=True)
NEW_CHAT = NoticeAction("new_chat", later("New chat"))
NO_FIT = later("This model doesn’t fit right now")
_MOST_OFFERS = 3


def load_failed(event: LoadFailed, n_ctx: int, advice: Advice | None = None) -> Notice:
    """A model that could not be loaded."""
    if event.kind == "cancelled":
        return Notice(
            "info",
            tr("Loading was cancelled"),
            tr("Nothing was loaded."),
            (NoticeAction("reload", tr("Load"), primary=True), CHOOSE),
        )
    if event.kind in ("memory", "context") and advice is not None:
        return no_fit(advice, event.detail)
    if event.kind in ("memory", "context") and n_ctx > 1024:
        smaller = NoticeAction(
            f"reload_ctx:{smaller_ctx(n_ctx)}", tr("Load with {n_ctx:,} tokens", n_ctx=smaller_ctx(n_ctx)), primary=True
        )
        return Notice("danger", tr(NO_FIT), _said(event.message), (smaller, CHOOSE), event.detail)
    titles = {
        "missing": tr("The model file is gone"),
        "not_a_file": tr("That is not a file"),
        "not_gguf": tr("Not a GGUF file"),
        "truncated": tr("The model file is incomplete"),
        "unsupported": tr("This llama.cpp can’t run the model"),
    }
    return Notice(
        "danger",
        titles.get(event.kind, tr("The model could not be loaded")),
        _said(event.message),
        (CHOOSE, NoticeAction("reload", tr("Try again"))),
        event.detail,
    )


def no_fit(advice: Advice, details: str = "") -> Notice:
    """A model that needs more memory than there is: the numbers, and a button for each thing that would fit."""
    text = needs_words(advice)
    again = NoticeAction("reload", tr("Try again"))
    offered = offer_actions(advice)
    if not offered:
        text += " " + tr("Close other programs, or choose a smaller quant or a smaller model.")
    return Notice("danger", tr(NO_FIT), text, (*offered, CHOOSE, again), details)


def out_of_memory(ended: Notice, advice: Advice) -> Notice:
    """The card of an engine that was ended for memory, with the numbers and what needs less."""
    offered = offer_actions(advice)
    others = [NoticeAction(action.key, action.label) for action in ended.actions] if offered else list(ended.actions)
    text = f"{ended.text} {needs_words(advice)}"
    return Notice(ended.level, ended.title, text, (*offered, *others), ended.details)


def needs_words(advice: Advice) -> str:
    """“It needs 2.10 GB: weights 1.20 GB, … There are 1.50 GB free.”"""
    needs = advice.needs
    if needs is None:
        return tr("There are {free} GB free.", free=format_gb(advice.free))
    weights = needs.weights.copied if needs.mapped else needs.weights.total
    parts = (
        (tr("weights"), weights),
        (tr("KV cache {cache} for {n_ctx:,} tokens", cache=format_bytes(needs.cache), n_ctx=needs.n_ctx), 0),
        (tr("working memory"), needs.compute),
        (tr("the engine itself"), needs.private - weights - needs.cache - needs.compute),
    )
    listed = ", ".join(f"{name} {format_bytes(size)}" if size else name for name, size in parts if size or "KV" in name)
    return tr(
        "It needs {private} GB: {listed}. {free} GB are free, counting what idle models would give back.",
        private=format_gb(needs.private),
        listed=listed,
        free=format_gb(advice.free),
    )


def offer_actions(advice: Advice) -> tuple[NoticeAction, ...]:
    """A button for each thing that fits, the smallest change first."""
    actions = [
        NoticeAction(f"reload_with:{_key(offer.changes)}", tr("Load with {what}", what=_offer_words(offer.changes)))
        for offer in advice.offers
    ]
    actions += [NoticeAction(f"use_model:{ref.path}", tr("Load {tag}", tag=model_tag(ref))) for ref in advice.smaller]
    return tuple(
        NoticeAction(action.key, action.label, primary=index == 0)
        for index, action in enumerate(actions[:_MOST_OFFERS])
    )


def _key(changes: Mapping[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in changes.items())


def _offer_words(changes: Mapping[str, Any]) -> str:
    parts = [tr("a {cache_type_k} cache", cache_type_k=changes["cache_type_k"])] if "cache_type_k" in changes else []
    parts += [tr("{n_ctx:,} tokens", n_ctx=changes["n_ctx"])] if "n_ctx" in changes else []
    return join_letters(parts)


def engine_ended(ended: Outcome, n_tokens: int, was_writing: bool, shared: bool) -> Notice:
    """An engine that stopped by itself."""
    kept = " " + tr("The {n_tokens:,} tokens above are kept.", n_tokens=n_tokens) if was_writing and n_tokens else ""
    others = "" if shared else " " + tr("No other lane was touched.")
    title = tr("The engine stopped while answering") if was_writing else ended.title
    return Notice("danger", title, f"{ended.text}{kept}{others}", (RELOAD, CHOOSE), ended.details)


def silent(seconds: float) -> Notice:
    """An engine that does not react to Stop."""
    return Notice(
        "warn",
        tr("The engine doesn’t answer"),
        tr(
            "It has shown no sign of life for {seconds:.0f} s and did not react to Stop. Ending it keeps the text "
            "above.",
            seconds=seconds,
        ),
        (NoticeAction("kill", tr("End and reload"), primary=True), NoticeAction("wait", tr("Keep waiting"))),
    )


def context_full(message: str, info: ModelInfo | None) -> Notice:
    """No room for another token."""
    actions = [NEW_CHAT]
    if info is not None and info.n_ctx < info.n_ctx_train:
        larger = larger_ctx(info.n_ctx, info.n_ctx_train)
        actions.insert(
            0, NoticeAction(f"reload_ctx:{larger}", tr("Reload with {larger:,} tokens", larger=larger), primary=True)
        )
    return Notice("warn", tr("The context is full"), message, tuple(actions))


def answer_failed(message: str) -> Notice:
    """A job that the engine refused or that broke; the engine itself lives."""
    again = NoticeAction("retry", tr("Try again"), primary=True)
    return Notice("danger", tr("No answer could be written"), _said(message), (again,))


def bad_file(message: str, name: str) -> Notice:
    """A file that is no usable model."""
    return Notice(
        "danger", tr("{name} can’t be opened", name=name), message, (CHOOSE, NoticeAction("dismiss", tr("Dismiss")))
    )


def _said(message: str) -> str:
    """What an engine gave as its reason."""
    return message if message.strip() else tr("The engine gave no reason.")


def smaller_ctx(n_ctx: int) -> int:
    """Half the context, as a multiple of 256."""
    return max(512, n_ctx // 2 // 256 * 256)


def larger_ctx(n_ctx: int, n_ctx_train: int) -> int:
    """Twice the context, at most what the model was trained on."""
    return min(n_ctx * 2, n_ctx_train)
