"""The sentences of inline cards: what happened, why and what is kept, what to do."""

from __future__ import annotations

from playground.protocol.events import LoadFailed, ModelInfo
from playground.supervisor.outcome import Outcome
from playground.workspace.lane import Notice, NoticeAction

CHOOSE = NoticeAction("choose_model", "Choose another model")
RELOAD = NoticeAction("reload", "Reload", primary=True)
NEW_CHAT = NoticeAction("new_chat", "New chat")


def load_failed(event: LoadFailed, n_ctx: int) -> Notice:
    """A model that could not be loaded."""
    if event.kind == "cancelled":
        return Notice(
            "info",
            "Loading was cancelled",
            "Nothing was loaded.",
            (NoticeAction("reload", "Load", primary=True), CHOOSE),
        )
    if event.kind in ("memory", "context") and n_ctx > 1024:
        smaller = NoticeAction(
            f"reload_ctx:{smaller_ctx(n_ctx)}", f"Load with {smaller_ctx(n_ctx):,} tokens", primary=True
        )
        return Notice("danger", "This model doesn’t fit right now", event.message, (smaller, CHOOSE), event.detail)
    titles = {
        "missing": "The model file is gone",
        "not_a_file": "That is not a file",
        "not_gguf": "Not a GGUF file",
        "truncated": "The model file is incomplete",
        "unsupported": "This llama.cpp can’t run the model",
    }
    return Notice(
        "danger",
        titles.get(event.kind, "The model could not be loaded"),
        event.message,
        (CHOOSE, NoticeAction("reload", "Try again")),
        event.detail,
    )


def engine_ended(ended: Outcome, n_tokens: int, was_writing: bool, shared: bool) -> Notice:
    """An engine that stopped by itself."""
    kept = f" The {n_tokens:,} tokens above are kept." if was_writing and n_tokens else ""
    others = "" if shared else " No other lane was touched."
    title = "The engine stopped while answering" if was_writing else ended.title
    return Notice("danger", title, f"{ended.text}{kept}{others}", (RELOAD, CHOOSE), ended.details)


def silent(seconds: float) -> Notice:
    """An engine that does not react to Stop."""
    return Notice(
        "warn",
        "The engine doesn’t answer",
        f"It has shown no sign of life for {seconds:.0f} s and did not react to Stop. Ending it keeps the text above.",
        (NoticeAction("kill", "End and reload", primary=True), NoticeAction("wait", "Keep waiting")),
    )


def context_full(message: str, info: ModelInfo | None) -> Notice:
    """No room for another token."""
    actions = [NEW_CHAT]
    if info is not None and info.n_ctx < info.n_ctx_train:
        larger = larger_ctx(info.n_ctx, info.n_ctx_train)
        actions.insert(0, NoticeAction(f"reload_ctx:{larger}", f"Reload with {larger:,} tokens", primary=True))
    return Notice("warn", "The context is full", message, tuple(actions))


def answer_failed(message: str) -> Notice:
    """A job that the engine refused or that broke; the engine itself lives."""
    return Notice("danger", "No answer could be written", message, (NoticeAction("retry", "Try again", primary=True),))


def bad_file(message: str, name: str) -> Notice:
    """A file that is no usable model."""
    return Notice("danger", f"{name} can’t be opened", message, (CHOOSE, NoticeAction("dismiss", "Dismiss")))


def smaller_ctx(n_ctx: int) -> int:
    """Half the context, as a multiple of 256."""
    return max(512, n_ctx // 2 // 256 * 256)


def larger_ctx(n_ctx: int, n_ctx_train: int) -> int:
    """Twice the context, at most what the model was trained on."""
    return min(n_ctx * 2, n_ctx_train)
