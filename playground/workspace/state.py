"""What the whole window shows: lanes, the open chat, the known models. Read by all views."""

from __future__ import annotations

from playground.conversation.tree import Chat, ChatHead, LaneRecord, new_id
from playground.settings import sampling as sampling_table
from playground.settings.field import SettingError
from playground.workspace.lane import LETTERS, Lane, ModelRef
from playground.workspace.signal import Signal


class State:
    """The state and its signals; the parts of the workspace change it."""

    def __init__(self) -> None:
        self.chat = Chat(new_id())
        self.lanes: list[Lane] = [Lane("A")]
        self.heads: list[ChatHead] = []
        self.models: list[ModelRef] = []
        self.starter: ModelRef | None = None
        self.searched = False
        """Whether the library was looked through; before that an empty lane waits for it."""
        self.active = "A"
        self.lanes_changed: Signal[[]] = Signal()
        self.chat_changed: Signal[[]] = Signal()
        self.heads_changed: Signal[[]] = Signal()
        self.active_changed: Signal[[]] = Signal()
        self.models_changed: Signal[[]] = Signal()
        self.told: Signal[[str]] = Signal()
        """A short confirmation for the status bar."""

    def lane(self, letter: str) -> Lane:
        """The lane with that letter. Raises KeyError."""
        for lane in self.lanes:
            if lane.letter == letter:
                return lane
        raise KeyError(letter)

    def find_lane(self, letter: str) -> Lane | None:
        """The lane with that letter, if it is there."""
        return next((lane for lane in self.lanes if lane.letter == letter), None)

    def free_letter(self) -> str | None:
        """The first letter without a lane; None when all four are there."""
        taken = {lane.letter for lane in self.lanes}
        return next((letter for letter in LETTERS if letter not in taken), None)

    def model_at(self, path: str) -> ModelRef | None:
        """The known model with that path."""
        return next((model for model in self.models if model.path == path), None)


def record_of(lane: Lane) -> LaneRecord:
    """A lane as it is kept with its chat."""
    return LaneRecord(
        letter=lane.letter,
        model_path=lane.model.path if lane.model else "",
        on=lane.on,
        sampling=dict(lane.sampling),
        samplers=list(lane.samplers),
        load=dict(lane.load),
        system=lane.system,
        leaf=lane.leaf,
    )


def restore_settings(lane: Lane, record: LaneRecord) -> None:
    """Give a lane the settings it was kept with; what no longer passes the tables gets its default."""
    lane.on = record.on
    lane.system = record.system
    lane.load = dict(record.load)
    lane.sampling = sampling_table.FIELDS.defaults()
    for name, value in record.sampling.items():
        try:
            lane.sampling[name] = sampling_table.FIELDS[name].check(value)
        except SettingError:
            continue
    try:
        lane.samplers = sampling_table.check_order(record.samplers)
    except SettingError:
        lane.samplers = list(sampling_table.DEFAULT_ORDER)
