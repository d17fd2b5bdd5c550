"""The rows: what an action is called, its keys, when it can be used, what it does.

A callback gets the workspace and a narrow view of the window, never a widget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from playground.actions.pages import PAGES, Page
from playground.workspace.lane import LETTERS
from playground.workspace.workspace import Workspace


class View(Protocol):
    """What actions may ask of the window."""

    def toggle_sidebar(self) -> None: ...
    def toggle_panel(self) -> None: ...
    def toggle_plots(self) -> None: ...
    def show_palette(self) -> None: ...
    def focus_composer(self) -> None: ...
    def focus_next_pane(self) -> None: ...
    def search_chats(self) -> None: ...
    def ask_for_model_file(self) -> None: ...
    def choose_theme(self, choice: str) -> None: ...
    def toggle_full_screen(self) -> None: ...
    def export_chat(self, kind: str) -> None: ...
    def rename_current(self) -> None: ...
    def show_page(self, page: str) -> None: ...
    def focus_page(self) -> None: ...
    def show_menu(self) -> None: ...
    def show_settings(self, section: str) -> None: ...
    def resize_text(self, steps: int) -> None: ...
    def place_plots(self, where: str) -> None: ...
    def export_plot(self, plot: str, kind: str) -> None: ...
    def show_overlays(self) -> None: ...
    def swap_sides(self) -> None: ...
    def reset_layout(self) -> None: ...
    def quit(self) -> None: ...


Run: TypeAlias = Callable[[Workspace, View], object]
When: TypeAlias = Callable[[Workspace], bool]


def _always(_: Workspace) -> bool:
    return True


def _busy(workspace: Workspace) -> bool:
    return any(lane.busy for lane in workspace.lanes)


def _can_redo(workspace: Workspace) -> bool:
    lane = workspace.lane(workspace.active)
    return not lane.busy and lane.model is not None and any(node.role == "assistant" for node in lane.path)


def _idle_model(workspace: Workspace) -> bool:
    lane = workspace.lane(workspace.active)
    return not lane.busy and lane.model is not None


def _can_measure(workspace: Workspace) -> bool:
    return workspace.bench is not None and workspace.bench.can_start


def _measuring(workspace: Workspace) -> bool:
    return workspace.bench is not None and workspace.bench.busy


def _measure(workspace: Workspace, view: View) -> None:
    if workspace.bench is not None:
        view.show_page("bench")
        workspace.bench.start()


def _stop_measuring(workspace: Workspace, view: View) -> None:
    if workspace.bench is not None:
        workspace.bench.stop()


def _new_chat(workspace: Workspace, view: View) -> None:
    workspace.new_chat()
    view.focus_composer()


@dataclass(frozen=True, slots=True)
class Action:
    """One action."""

    id: str
    title: str
    group: str
    run: Run
    keys: tuple[str, ...] = ()
    """Qt's portable key names; the first is shown."""
    when: When = _always
    words: str = ""
    """More words the palette finds it by."""


def _go_to(number: int, letter: str) -> Action:
    def run(workspace: Workspace, view: View) -> None:
        workspace.set_active(letter)

    def there(workspace: Workspace) -> bool:
        return len(workspace.lanes) >= number

    return Action(f"lane.{letter}", f"Go to lane {letter}", "Lanes", run, (f"Ctrl+{number}",), there)


def _page(page: Page) -> Action:
    def run(workspace: Workspace, view: View) -> None:
        view.show_page(page.id)

    return Action(f"page.{page.id}", f"Page: {page.title}", "View", run, (page.key,), words=page.help)


def _has_latency(workspace: Workspace) -> bool:
    return any(len(lane.answer.tokens) for lane in workspace.lanes)


def _has_memory(workspace: Workspace) -> bool:
    return any(len(lane.engine.memory.rows) for lane in workspace.lanes)


def _export(plot: str, kind: str, title: str, when: When) -> Action:
    def run(workspace: Workspace, view: View) -> None:
        view.export_plot(plot, kind)

    return Action(f"plot.{plot}.{kind}", title, "Plots", run, (), when, "save chart picture data clipboard")


_LANES = tuple(_go_to(number, letter) for number, letter in enumerate(LETTERS, 1))

GROUPS = ("Chat", "Lanes", "Model", "Sampling", "Plots", "Bench", "View", "App")
"""The menus, in order."""

# fmt: off
ACTIONS: tuple[Action, ...] = (
    Action("chat.new", "New chat", "Chat", _new_chat, ("Ctrl+N",)),
    Action("chat.stop", "Stop writing", "Chat", lambda w, v: w.stop(), ("Esc",), _busy, "cancel abort"),
    Action("chat.regenerate", "Regenerate the last answer", "Chat", lambda w, v: w.regenerate(w.active), ("Ctrl+Return",), _can_redo, "retry again"),
    Action("chat.continue", "Continue the last answer", "Chat", lambda w, v: w.continue_answer(w.active), ("Alt+Return",), _can_redo),
    Action("chat.try", "Try another: draw this answer again from here with another preset, in a second lane", "Chat", lambda w, v: w.trying.try_here(), ("Ctrl+Alt+Return",), lambda w: w.trying.can_try(w.active), "fork branch continuation regenerate preset"),
    Action("chat.rename", "Rename this chat", "Chat", lambda w, v: v.rename_current(), ("Shift+F2",), lambda w: bool(w.chat.nodes)),
    Action("chat.delete", "Delete this chat", "Chat", lambda w, v: w.delete_chat(w.chat.id), (), lambda w: bool(w.chat.nodes)),
    Action("chat.undo_delete", "Bring back the deleted chat", "Chat", lambda w, v: w.undo_delete(), ("Ctrl+Shift+Z",), lambda w: w.chats.can_undo, "undo"),
    Action("chat.search", "Search chats", "Chat", lambda w, v: v.search_chats(), ("Ctrl+Shift+F",), words="find"),
    Action("chat.export_markdown", "Export the conversation as Markdown…", "Chat", lambda w, v: v.export_chat("markdown"), (), lambda w: bool(w.chat.nodes), "save"),
    Action("chat.export_json", "Export the chat as JSON…", "Chat", lambda w, v: v.export_chat("json"), (), lambda w: bool(w.chat.nodes), "save"),
    Action("lane.add", "Add a lane", "Lanes", lambda w, v: w.add_lane(), ("Ctrl+Shift+L",), lambda w: len(w.lanes) < 4, "compare side by side"),
    Action("lane.remove", "Close the active lane", "Lanes", lambda w, v: w.remove_lane(w.active), ("Ctrl+Shift+W",), lambda w: len(w.lanes) > 1),
    *_LANES,
    Action("lane.together", "Lanes: in turn or together", "Lanes", lambda w, v: w.set_together(not w.together), (), lambda w: len(w.lanes) > 1, "parallel"),
    Action("model.open", "Open a model file…", "Model", lambda w, v: v.ask_for_model_file(), ("Ctrl+O",), words="gguf load"),
    Action("model.reload", "Load or reload the model", "Model", lambda w, v: w.reload(w.active), ("Ctrl+Shift+R",), _idle_model),
    Action("model.unload", "Unload the model", "Model", lambda w, v: w.unload(w.active), (), lambda w: w.lane(w.active).state not in ("empty", "unloaded"), "eject free memory"),
    Action("sampling.neutral", "Neutralise all samplers", "Sampling", lambda w, v: w.neutralise(w.active)),
    Action("sampling.reset", "Sampling: back to llama.cpp’s defaults", "Sampling", lambda w, v: w.reset_sampling(w.active)),
    Action("sampling.undo", "Sampling: undo the last change", "Sampling", lambda w, v: w.undo_sampling(w.active), (), lambda w: w.tuning.can_undo_sampling(w.active), "take back"),
    Action("sampling.redo", "Sampling: redo what was undone", "Sampling", lambda w, v: w.redo_sampling(w.active), (), lambda w: w.tuning.can_redo_sampling(w.active)),
    Action("plot.overlays", "Lay earlier answers over the latency plot…", "Plots", lambda w, v: v.show_overlays(), (), _has_latency, "compare overlay align line up"),
    _export("latency", "csv", "Export the latency plot as CSV…", _has_latency),
    _export("latency", "json", "Export the latency plot as JSON…", _has_latency),
    _export("latency", "png", "Export the latency plot as PNG…", _has_latency),
    _export("latency", "svg", "Export the latency plot as SVG…", _has_latency),
    _export("latency", "copy", "Copy the latency plot as an image", _has_latency),
    _export("memory", "csv", "Export the memory plot as CSV…", _has_memory),
    _export("memory", "json", "Export the memory plot as JSON…", _has_memory),
    _export("memory", "png", "Export the memory plot as PNG…", _has_memory),
    _export("memory", "svg", "Export the memory plot as SVG…", _has_memory),
    _export("memory", "copy", "Copy the memory plot as an image", _has_memory),
    Action("bench.start", "Measure speed", "Bench", _measure, ("F5",), _can_measure, "benchmark start"),
    Action("bench.stop", "Stop measuring", "Bench", _stop_measuring, ("Shift+F5",), _measuring, "benchmark cancel abort"),
    *map(_page, PAGES),
    Action("view.palette", "Commands", "View", lambda w, v: v.show_palette(), ("Ctrl+K", "Ctrl+Shift+P")),
    Action("view.composer", "Write a message", "View", lambda w, v: v.focus_composer(), ("Ctrl+L",)),
    Action("view.pane", "Next pane", "View", lambda w, v: v.focus_next_pane(), ("F6",)),
    Action("view.sidebar", "Show or hide the sidebar", "View", lambda w, v: v.toggle_sidebar(), ("Ctrl+B",)),
    Action("view.panel", "Show or hide the settings panel", "View", lambda w, v: v.toggle_panel(), ("Ctrl+Shift+B",), words="sampling right"),
    Action("view.plots", "Show or hide the plots", "View", lambda w, v: v.toggle_plots(), ("Ctrl+J",), words="latency memory"),
    Action("view.plots_below", "Plots below the chat", "View", lambda w, v: v.place_plots("below"), words="dock move latency memory"),
    Action("view.plots_above", "Plots above the chat", "View", lambda w, v: v.place_plots("above"), words="dock move latency memory"),
    Action("view.plots_beside", "Plots right of the chat", "View", lambda w, v: v.place_plots("beside"), words="dock move latency memory beside"),
    Action("view.plots_before", "Plots left of the chat", "View", lambda w, v: v.place_plots("before"), words="dock move latency memory beside"),
    Action("view.swap", "Swap sidebar and settings panel", "View", lambda w, v: v.swap_sides(), words="dock move left right"),
    Action("view.layout", "Layout as it was at first", "View", lambda w, v: v.reset_layout(), words="dock reset restore"),
    Action("view.larger", "Larger text", "View", lambda w, v: v.resize_text(1), ("Ctrl++", "Ctrl+="), words="zoom in font size"),
    Action("view.smaller", "Smaller text", "View", lambda w, v: v.resize_text(-1), ("Ctrl+-",), words="zoom out font size"),
    Action("view.text_size", "Text in its usual size", "View", lambda w, v: v.resize_text(0), ("Ctrl+0",), words="zoom reset font"),
    Action("view.dark", "Dark colours", "View", lambda w, v: v.choose_theme("dark"), words="theme"),
    Action("view.light", "Light colours", "View", lambda w, v: v.choose_theme("light"), words="theme"),
    Action("view.contrast", "High contrast, dark", "View", lambda w, v: v.choose_theme("contrast-dark"), words="theme accessibility"),
    Action("view.contrast_light", "High contrast, light", "View", lambda w, v: v.choose_theme("contrast-light"), words="theme accessibility"),
    Action("view.system", "Colours as the system has them", "View", lambda w, v: v.choose_theme("system"), words="theme"),
    Action("view.full", "Full screen", "View", lambda w, v: v.toggle_full_screen(), ("F11",)),
    Action("app.menu", "Menu", "App", lambda w, v: v.show_menu(), ("F10",), words="all actions"),
    Action("app.settings", "Settings…", "App", lambda w, v: v.show_settings("app"), ("Ctrl+,",), words="preferences options defaults"),
    Action("app.keys", "Keyboard shortcuts…", "App", lambda w, v: v.show_settings("keys"), ("Ctrl+/",), words="shortcuts help change list"),
    Action("app.quit", "Quit", "App", lambda w, v: v.quit(), ("Ctrl+Q",)),
)
# fmt: on
