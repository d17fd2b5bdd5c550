"""``playground models show``: a repository of the Hub, its quantizations, and what each means for this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from playground.cli import flags
from playground.cli.errors import OK, CliError
from playground.cli.models_hub import age_text, ask, count_text, params_text, table, tokens_text
from playground.cli.output import clean
from playground.fit.estimate import Options
from playground.hub.choices import Choice, pick, preferred
from playground.hub.client import Hub, never
from playground.hub.page import Page, parse_repo, read_card, read_page
from playground.hub.remote_model import RemoteModel, read_remote
from playground.hub.this_machine import read_machine
from playground.hub.verdict import Judged, Machine, best, judge_all
from playground.models.gguf_cursor import size_text
from playground.models.kinds import KIND_WORDS
from playground.paths import find_paths
from playground.settings import load
from playground.settings.field import SettingError

EXAMPLES = """\
  playground models show Qwen/Qwen3-0.6B-GGUF
  playground models show ggml-org/gemma-3-1b-it-GGUF:Q4_K_M -c 32768
  playground models show bartowski/Llama-3.2-1B-Instruct-GGUF --json | jq .choices[].verdict
"""
_OPTIONS = ("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "flash_attn", "cache_type_k", "cache_type_v")


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("repo", metavar="REPO[:QUANT]", help="A repository, or the address of its page.")
    parser.add_argument("--card", action="store_true", help="Print its card, too.")
    parser.add_argument("--no-header", action="store_true", help="Read no file’s header; then there are no verdicts.")
    parser.add_argument("--json", action="store_true", help="One JSON object.")
    group = parser.add_argument_group("load options that the verdict is for")
    flags.add_table(group, [row for row in load.FIELDS.fields if row.name in _OPTIONS])


def run(given: argparse.Namespace) -> int:
    """Show; the exit code."""
    try:
        options = Options.of(flags.collect(given, load.FIELDS))
    except SettingError as error:
        raise CliError(str(error)) from None
    repo, quant = ask("", lambda: parse_repo(given.repo))
    hub = Hub()
    page = ask(f"Asking the Hub for {repo}…", lambda: read_page(hub, repo, never))
    choice = ask("", lambda: pick(page.choices, quant, repo)) if quant else None
    model, problem = (None, "") if given.no_header else _read(hub, page, choice)
    machine = read_machine(find_paths().config)
    judged = judge_all(model, page.chats, options, machine) if model else []
    card = ask("Reading its card…", lambda: read_card(hub, page, never)) if given.card else ""
    if given.json:
        print(json.dumps(as_json(page, judged, model, card, problem)))
    else:
        print("\n".join(_lines(page, judged, model, machine, problem, choice)))
        if card:
            print(f"\n{clean(card)}")
    return OK


def _read(hub: Hub, page: Page, choice: Choice | None) -> tuple[RemoteModel | None, str]:
    """The header of the choice that matters, or why there is none; that alone is no reason to show nothing."""
    if not page.chats:
        return None, ""
    chosen = choice or preferred(page.chats)
    try:
        return ask(f"Reading the header of {chosen.path}…", lambda: read_remote(hub, page, chosen, never)), ""
    except CliError as error:
        return None, str(error)


def as_json(page: Page, judged: Sequence[Judged], model: RemoteModel | None, card: str, problem: str) -> dict[str, Any]:
    """All of it for programs."""
    verdicts = {one.choice.path: one for one in judged}
    first = best(judged)
    return {
        "repo": page.repo,
        "commit": page.commit,
        "licence": page.licence,
        "gated": page.gated or False,
        "base": list(page.base),
        "arch": page.arch or (model.header.arch if model else ""),
        "n_params": page.n_params or (model.n_params if model else 0),
        "n_ctx_train": page.n_ctx_train or (model.header.n_ctx_train if model else 0),
        "downloads": page.downloads,
        "likes": page.likes,
        "languages": list(page.languages),
        "problem": problem,
        "recommended": first.choice.label if first else None,
        "choices": [_choice_json(choice, verdicts.get(choice.path)) for choice in page.choices],
    } | ({"card": card} if card else {})


def _choice_json(choice: Choice, judged: Judged | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": choice.kind,
        "name": choice.name,
        "quant": choice.quant,
        "size": choice.size,
        "bits_per_weight": round(choice.bits_per_weight, 2) or None,
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in choice.files],
        "problem": choice.problem,
    }
    if judged is None:
        return told
    needs = judged.needs
    return told | {
        "verdict": judged.kind,
        "exact": judged.exact,
        "needs": needs.whole if needs else None,
        "needs_at_least": needs.private if needs else None,
        "weights": needs.weights.total if needs else None,
        "cache": needs.cache if needs else None,
        "compute": needs.compute if needs else None,
        "free": judged.free,
        "largest_n_ctx": judged.n_ctx,
        "tok_s_estimated": round(judged.tok_s, 1) or None,
    }


def _lines(
    page: Page, judged: Sequence[Judged], model: RemoteModel | None, machine: Machine, problem: str,
    choice: Choice | None,
) -> list[str]:  # fmt: skip
    arch = page.arch or (model.header.arch if model else "")
    n_params = page.n_params or (model.n_params if model else 0)
    n_ctx = page.n_ctx_train or (model.header.n_ctx_train if model else 0)
    facts = [
        f"{params_text(n_params)} parameters" if n_params else "",
        arch,
        f"{tokens_text(n_ctx)} tokens of context" if n_ctx else "",
        f"licence {page.licence}" if page.licence else "no licence named",
        {"auto": "gated: accept its terms first", "manual": "gated: its authors decide"}.get(page.gated, ""),
    ]
    more = [
        f"from {', '.join(page.base)}" if page.base else "",
        f"{count_text(page.downloads)} downloads, {count_text(page.likes)} likes",
        f"changed {age_text(page.modified)} ago".replace("today ago", "today"),
    ]
    lines = [clean(page.repo), *(clean(" · ".join(filter(None, part))) for part in (facts, more)), ""]
    lines += _choices(page, judged, choice)
    if not page.choices:
        lines.append("It has no GGUF files. Look for a repository with “GGUF” in its name.")
    if problem:
        lines += ["", problem]
    elif judged:
        lines += ["", *_footnotes(judged, machine)]
    return lines


def _choices(page: Page, judged: Sequence[Judged], chosen: Choice | None) -> list[str]:
    verdicts = {one.choice.path: one for one in judged}
    first = best(judged)
    rows = [["", "quant", "size", "bits", "here", "context", "tok/s"]] if page.choices else []
    for choice in page.choices:
        one = verdicts.get(choice.path)
        mark = "→" if choice == chosen else "*" if first and choice == first.choice else ""
        rows.append(
            [
                mark,
                clean(choice.label) if choice.kind == "model" else clean(choice.path),
                size_text(choice.size),
                f"{choice.bits_per_weight:.1f}" if choice.bits_per_weight else "–",
                one.words if one else _side_words(choice),
                tokens_text(one.n_ctx) if one else "",
                f"~{one.tok_s:.{1 if one.tok_s < 10 else 0}f}" if one and one.tok_s else "",
            ]
        )
    return table(rows, right={2, 3, 5, 6}) if rows else []


def _side_words(choice: Choice) -> str:
    if choice.kind != "model":
        return KIND_WORDS[choice.kind]
    return "" if choice.is_complete else "incomplete"


def _footnotes(judged: Sequence[Judged], machine: Machine) -> list[str]:
    first = best(judged)
    notes = [f"{size_text(machine.free)} of {size_text(machine.total)} of memory are free. Speeds are estimates."]
    if first is not None:
        notes.append(f"* {first.choice.label}: {first.sentence}")
    else:
        least = min(judged, key=lambda one: one.needs.private if one.needs else 0)
        notes.append(f"None runs here. {least.choice.label}: {least.sentence}")
    return notes
