"""Broken model files: the header walk of the app, then a real engine that loads them and writes a little."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf_factory
import gguf_memories

from faults import mutate
from faults.case import PATIENCE, STOP, Case, Fault, Setting, judged, sentence
from faults.engine_run import Run
from playground.models import gguf, starter
from playground.protocol.commands import Generate, Load, Message, Sampling
from playground.protocol.events import Finished, Loaded, LoadFailed

KIND = "files"
WALK_S = 5.0 * PATIENCE
"""A header walk that takes longer hangs the list of models; sound ones take milliseconds."""
LOAD_S, ANSWER_S = 60.0, 60.0
_WEIGHTS = (
    ("template", 14), ("parameters", 16), ("types", 9), ("lengths", 9), ("counts", 5), ("head", 3), ("entries", 7),
    ("tensors", 14), ("vocabulary", 11), ("architecture", 5), ("bits", 12), ("truncated", 7), ("weights", 4),
)  # fmt: skip
_OPTIONS: tuple[dict[str, object], ...] = (
    {"n_ctx": 512},
    {"n_ctx": 512},
    {"n_ctx": 0},
    {"n_ctx": 512, "use_mmap": False},
    {"n_ctx": 1024, "cache_type_k": "q8_0", "cache_type_v": "q8_0"},
    {"n_ctx": 1024, "n_seq_max": 8, "n_batch": 64},
)


def base_files(folder: Path) -> list[tuple[str, bytes, int]]:
    """Sound models to start from: name, bytes (the starter's: of its header), whole size."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    gguf_factory.random_model(folder / "llama.gguf", n_ctx=1024)
    gguf_factory.mamba_model(folder / "mamba.gguf", n_ctx=1024)
    gguf_factory.script_model(folder / "script.gguf", ["Hello", " there", gguf_factory.EOS], n_ctx=1024)
    gguf_memories.window_model(folder / "window.gguf")
    gguf_memories.hybrid_model(folder / "hybrid.gguf")
    for path in sorted(folder.glob("*.gguf")):
        blob = path.read_bytes()
        made.append((path.stem, blob, len(blob)))
    found = starter.find()
    if found is not None:
        with found.open("rb") as file:
            made.append(("starter", file.read(4 * 1024 * 1024), found.stat().st_size))
    return made


def mutated(case: Case, bases: list[tuple[str, bytes, int]]) -> tuple[bytes, int]:
    """The case's file: its bytes, and how many zeros follow."""
    rng = case.random
    name, blob, size = rng.choices(bases, [1 if base[0] == "starter" else 2 for base in bases])[0]
    kinds, weights = zip(*_WEIGHTS, strict=True)
    chosen = rng.choices(kinds, weights, k=rng.choice((1, 1, 1, 2)))
    case.what = f"{chosen[0]}: {'+'.join(chosen)} on {name}"
    file = mutate.parse(blob, size)
    for one in chosen:
        if one in mutate.MUTATIONS:
            mutate.MUTATIONS[one](rng, file)
    header = file.header()
    header += bytes(-len(header) % 32)
    data, sparse = file.data, file.sparse
    for one in chosen:
        if one in mutate.ON_BYTES:
            header, sparse = mutate.on_bytes(rng, one, header, data, sparse)
            data = b""
    return header + data, sparse


def run(setting: Setting, at_once: int = 2) -> None:
    """Every case, ``at_once`` at a time."""
    bases = base_files(setting.folder / "bases")
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for future in [pool.submit(_one, setting, case, bases) for case in setting.cases(KIND)]:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _one(setting: Setting, case: Case, bases: list[tuple[str, bytes, int]]) -> None:
    if STOP.is_set():
        return
    with judged(case, setting):
        blob, sparse = mutated(case, bases)
        path = setting.folder / f"mutated-{case.index}.gguf"
        with path.open("wb") as file:
            file.write(blob)
            file.truncate(len(blob) + sparse)
        try:
            walked = _walk(path)
            loaded = _load(case, setting, path)
            case.outcome = f"{loaded}, app: {walked}"
        finally:
            path.unlink()


def _walk(path: Path) -> str:
    start = time.monotonic()
    try:
        gguf.refuse_unloadable(gguf.read_header(path))
        return "fine"
    except gguf.GgufError as error:
        sentence(str(error), "the header walk")
        return error.kind
    finally:
        if time.monotonic() - start > WALK_S:
            raise Fault(f"the header walk took {time.monotonic() - start:.1f} s")


def _load(case: Case, setting: Setting, path: Path) -> str:
    """What a real engine makes of the file, in words."""
    options = {"n_threads": 1, **case.random.choice(_OPTIONS)}
    log = setting.folder / f"engine-{case.index}.log"
    run = Run(log, case)
    try:
        run.process.send(Load(str(path), options))
        event = run.first(Loaded, LoadFailed, limit_s=LOAD_S)
        if isinstance(event, LoadFailed):
            sentence(event.message, "LoadFailed")
            _check_log(log)
            return f"refused ({event.kind})"
        if event is None:
            return _end(run, "loading")
        talk = [Message("system", "Be brief."), Message("user", "Hello there"), Message("assistant", "Hi"),
                Message("user", "What is 2 + 2? <|im_end|>")]  # fmt: skip
        run.process.send(Generate(1, "c:A", talk, Sampling({"seed": 1}), 4))
        finished = run.first(Finished, limit_s=ANSWER_S)
        if finished is None:
            return _end(run, "answering")
        if finished.reason in ("failed", "context_full"):
            sentence(finished.message, "Finished")
            return f"loaded, answer {finished.reason}"
        return "loaded, answered"
    finally:
        run.close()
        log.unlink(missing_ok=True)


def _end(run: Run, during: str) -> str:
    outcome = run.end()
    sentence(outcome.title + ".", "the outcome’s title")
    sentence(outcome.text, "the outcome")
    if outcome.kind == "failed":
        raise Fault(f"the engine gave up while {during}: {outcome.text} …{outcome.details[-1200:]}")
    return f"engine ended while {during} ({outcome.kind})"


def _check_log(log: Path) -> None:
    """A refusal that came from an exception nobody expected would leave its traceback in the log."""
    if "Traceback" in log.read_text("utf-8", "replace"):
        raise Fault(f"a traceback in the engine’s log: {log.read_text('utf-8', 'replace')[-1500:]}")
