"""The window: what the pointer, the keys and the worker change, and how it is shown.

`handle` changes state, `tick` talks with the worker, `draw` only looks. Tests drive all three without a display.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

import panels
from canvas import BRUSH_RANGE, Canvas, Rect
from cards import Card, CorrectionsCard, FeaturesCard, FilesCard, HelpCard
from panels import Layout, Look
from settings import Settings
from storage import atomic_write, unused_path
from theme import PALETTES, Type
from widgets import Button, Slider, Widget, place, text_size
from worker import Result, Session, Worker, one_line

if TYPE_CHECKING:
    from recognizer import Digit, Reading

WIDTH, HEIGHT = 560, 280            # canvas units: room for a whole number
BRUSH_STEP = 2.0                    # canvas units
LEAST_BRUSH, MOST_BRUSH = 4.0, 48.0
TOAST = 6.0                         # seconds that a message stays
MODEL_ENDINGS = (".pth", ".pt", ".pt2", ".onnx")

HINTS = {
    "canvas": "Draw here: left button or finger draws, right button erases",
    "answer": "The number that was read, and how sure the least sure digit is",
    "bars": "The probability of each class for the marked digit; click one to say that it is the right one",
    "frames": "Each digit as the network sees it, 28 x 28 pixels; click one to mark it",
}


class App:
    """One window's state. `worker` answers, `session` holds what it works with."""

    def __init__(self, screen: pygame.Surface, session: Session, worker: Worker, settings: Settings | None = None,
                 scale: float = 1.0, folder: Path | None = None) -> None:
        """`scale`: pixels a design unit at the design's size; `folder`: where drawings are saved (default: the current one)."""
        self.screen, self.session, self.worker = screen, session, worker
        self.settings = settings or Settings()
        self.scale, self.folder = scale, folder or Path.cwd()
        self.canvas = Canvas(WIDTH, HEIGHT)
        self.running = True
        self.eraser = False
        self.reading: Reading | None = None
        self.classes: tuple[str, ...] = tuple("0123456789")
        self.selected = 0
        self.heat = False
        self.heats: list[np.ndarray] = []
        self.shown: tuple[pygame.Surface, float] | None = None      # a picture in place of the canvas, file pixels a pixel of it
        self.card: Card | None = None
        self.model = ""                                             # the name of the checkpoint in use
        self.trouble = ""                                           # why there is none
        self.message, self._message_until = "", 0.0
        self.pointer: tuple[float, float] = (-1.0, -1.0)
        self.focus = -1
        self._source = 0                                            # counts what is shown, so that late answers are known
        self._unread = False
        self._held: Widget | None = None
        self._consumed = False                                      # the press in progress was for something else than the pen
        self._finger: tuple[int, int] | None = None
        self._bars: dict[str, pygame.Rect] = {}
        self._frames: panels.Rects = []
        self._dropped: list[str] | None = None
        self._type = Type()
        self.widgets = self._make_widgets()
        self.resize(screen)

    def _make_widgets(self) -> list[Widget]:
        def has_ink() -> bool:
            return bool(self.canvas.strokes)

        def brush() -> float:
            return self.settings.brush

        return [
            Slider("Brush size: drag, turn the wheel, or [ and ]", LEAST_BRUSH, MOST_BRUSH, BRUSH_STEP, brush, self.set_brush),
            Button("Erase", "Pen or eraser (E); the right button always erases", self.toggle_eraser, lambda: self.eraser, priority=8),
            Button("Undo", "Take the last stroke or clear back (Ctrl-Z)", self.undo, enabled=lambda: self.canvas.can_undo, priority=9),
            Button("Redo", "Do again what was undone (Ctrl-Y)", self.redo, enabled=lambda: self.canvas.can_redo, priority=6),
            Button("Clear", "An empty canvas; undo brings the drawing back (C)", self.clear, enabled=has_ink, priority=10),
            Button("Save", "Save the drawing as a PNG file (S), or its strokes as JSON (J)", self.save_picture, enabled=has_ink,
                   priority=7),
            Button("Copy", "Copy the number (Ctrl-C)", self.copy, enabled=lambda: bool(self.reading and self.reading.text), priority=3),
            Button("Why", "Heat map: the strokes that decided (H)", self.toggle_heat, lambda: self.heat, priority=5),
            Button("Learnt", "The list of your corrections (L)", self.show_corrections, priority=4),
            Button("Theme", "Light or dark (T)", self.toggle_theme, priority=2),
            Button("Help", "All keys (F1)", self.show_help, priority=11),
        ]

    # ------------------------------------------------------------------------------ state and look

    def resize(self, screen: pygame.Surface) -> None:
        """Lay everything out for a window of another size; strokes stay."""
        self.screen = screen
        width, height = screen.get_size()
        self.layout: Layout = panels.arrange(width, height, self.scale, WIDTH / HEIGHT)
        self.look = Look(PALETTES[self.settings.theme], self._type, self.layout.unit)
        self._view = self.canvas.view(self.layout.canvas.width / WIDTH)
        self._sheet = pygame.Surface(self._view.ink.shape[::-1], depth=8)
        self._sheet.set_palette(panels.ink_palette(self.look.palette))
        self._copy_ink((0, 0, *self._sheet.get_size()))
        self.shown_widgets = place(self.widgets, self.layout.toolbar, self._type, self.layout.unit)
        self._show("all")

    def _show(self, *parts: str) -> None:
        """Mark parts of the window to be drawn again: "all", "toolbar", "canvas", "panels", "status"."""
        self._dirty = getattr(self, "_dirty", set()) | set(parts)

    def _copy_ink(self, rect: Rect) -> None:
        """Bring a rectangle of the view to the sheet that is shown."""
        left, top, right, bottom = rect
        if left >= right or top >= bottom:
            return
        pixels = pygame.surfarray.pixels2d(self._sheet)
        pixels[left:right, top:bottom] = self._view.ink[top:bottom, left:right].T      # surfaces are (x, y)
        del pixels                      # a surface is locked while its pixels are held
        changed = pygame.Rect(left, top, right - left, bottom - top).move(self.layout.canvas.topleft)
        self._ink_changed = changed.union(self._ink_changed) if getattr(self, "_ink_changed", None) else changed

    def _drawn(self, rect: Rect) -> None:
        """The canvas changed in `rect`: show it and have it read."""
        self._copy_ink(rect)
        self._unread = True
        if self.shown:
            self.shown = None
            self._show("all")

    def say(self, message: str) -> None:
        """Show a message in the status line for a while."""
        self.message, self._message_until = message, time.monotonic() + TOAST
        self._show("status")

    def timeout(self) -> int:
        """Return milliseconds until something changes by itself; 0 for never."""
        return max(1, int((self._message_until - time.monotonic()) * 1000) + 1) if self.message else 0

    @property
    def group(self) -> Digit | None:
        """The marked group of ink."""
        groups = self.reading.groups if self.reading else ()
        return groups[min(self.selected, len(groups) - 1)] if groups else None

    def waiting(self) -> str:
        """Say in words why there is no answer."""
        if self.trouble:
            return f"No model: {self.trouble}. To use another, drop its file here, or copy its path and press Ctrl-V"
        if not self.model:
            return "Loading the network; you can draw already"
        return "Draw a digit, or a whole number"

    # ------------------------------------------------------------------------------ the worker

    def tick(self) -> None:
        """Take the worker's answers in, and ask what there is to ask."""
        for result in self.worker.results():
            self._take(result)
        if self._unread:
            self._unread = False
            self._source += 1
            if self.canvas.empty:
                self._set_reading(None)
            else:
                self.worker.ask("read", self.canvas.picture(), ("canvas", self._source), newest=True)
        if self.message and time.monotonic() >= self._message_until:
            self.message = ""
            self._show("status")

    def _take(self, result: Result) -> None:
        if result.error is not None:
            self._fail(result)
            return
        taker: Callable[[Result], None] | None = getattr(self, f"_take_{result.kind}", None)
        if taker:
            taker(result)

    def _fail(self, result: Result) -> None:
        if result.kind == "load" and not self.model:
            self.trouble = result.error or ""
            self._show("all")
        elif result.kind == "saliency":
            self.heat = False
            self._show("all")
        self.say(result.error or "")

    def _take_load(self, result: Result) -> None:
        self.model, self.trouble = result.value, ""
        self.say(f"Ready: {self.model}")
        damaged = self.session.memory.damaged if self.session.memory else []
        if damaged:
            self.say(f"{len(damaged)} damaged correction{'s' if len(damaged) > 1 else ''} kept aside: {damaged[0].parent}")
        self.worker.ask("classes")
        self._read_again()
        self._show("all")

    def _take_classes(self, result: Result) -> None:
        self.classes = result.value or self.classes
        self._show("panels")

    def _take_read(self, result: Result) -> None:
        where, source = result.tag
        late = where == "canvas" and (self.shown or self.canvas.empty)
        if not late and (where == "canvas" or source == self._source):
            self._set_reading(result.value)

    def _set_reading(self, reading: Reading | None) -> None:
        self.reading = reading
        count = len(reading.groups) if reading else 0
        self.selected = min(self._nearest_group(), max(count - 1, 0))
        self.heats = []
        if self.heat and reading and reading.groups:
            self.worker.ask("saliency", reading.groups, reading, newest=True)
        if isinstance(self.card, FeaturesCard):
            self._ask_features()
        self._show("canvas", "panels", "toolbar")

    def _nearest_group(self) -> int:
        """Return the group that the newest ink belongs to."""
        groups = self.reading.groups if self.reading else ()
        if not groups or not self.canvas.strokes or self.shown:
            return 0
        x, y = self.canvas.strokes[-1].points[-1]

        def distance(index: int) -> float:
            left, top, width, height = groups[index].box
            return max(left - x, x - left - width, 0) + max(top - y, y - top - height, 0)
        return min(range(len(groups)), key=distance)

    def _take_open(self, result: Result) -> None:
        if result.value is None:
            self.say("There is no picture and no path on the clipboard")
            return
        colours, scale, reading = result.value
        rgb = np.repeat(colours[..., None], 3, axis=2) if colours.ndim == 2 else colours
        self.shown = pygame.surfarray.make_surface(rgb.swapaxes(0, 1)), scale
        self._source += 1
        self._set_reading(reading)
        self.say(f"{result.tag or 'The clipboard'}: click, or Esc, to go back to the canvas")
        self._show("all")

    _take_paste = _take_open

    def _take_read_files(self, result: Result) -> None:
        if isinstance(self.card, FilesCard):
            self.card.add(result.value)
            self._show("all")

    def _take_saliency(self, result: Result) -> None:
        if result.tag is self.reading:
            self.heats = result.value
            self._show("canvas", "panels")

    def _take_features(self, result: Result) -> None:
        if isinstance(self.card, FeaturesCard):
            self.card.layers = result.value
            self._show("all")

    def _take_learn(self, result: Result) -> None:
        self.say(f"Learnt: this is {result.value}. Backspace takes it back")
        self._read_again()

    def _take_unlearn(self, result: Result) -> None:
        self.say(f"Taken back: this is {result.value}" if result.value else "There is no correction to take back")
        self._read_again()

    def _take_forget_all(self, result: Result) -> None:
        self.say(f"Forgotten: {result.value} correction{'' if result.value == 1 else 's'}")
        self._read_again()

    def _read_again(self) -> None:
        """Read what is shown once more, by another model or with another memory."""
        if self.shown:
            picture = pygame.surfarray.array3d(self.shown[0]).swapaxes(0, 1)
            self.shown = self.shown[0], 1.0
            self._source += 1
            self.worker.ask("read", picture, ("picture", self._source), newest=True)
        else:
            self._unread = True
        self._show("all")

    # ------------------------------------------------------------------------------ what can be done

    def set_brush(self, brush: float) -> None:
        self.settings.brush = min(max(brush, LEAST_BRUSH, BRUSH_RANGE[0]), MOST_BRUSH, BRUSH_RANGE[1])
        self._show("toolbar")

    def toggle_eraser(self) -> None:
        self.eraser = not self.eraser
        self._show("toolbar")

    def undo(self) -> None:
        self._drawn(self.canvas.undo())
        self._show("toolbar")

    def redo(self) -> None:
        self._drawn(self.canvas.redo())
        self._show("toolbar")

    def clear(self) -> None:
        self._drawn(self.canvas.clear())
        self._show("toolbar")

    def toggle_theme(self) -> None:
        self.settings.theme = "light" if self.settings.theme == "dark" else "dark"
        self.resize(self.screen)

    def toggle_heat(self) -> None:
        self.heat = not self.heat
        self._set_reading(self.reading)
        self._show("all")

    def correct(self, label: str) -> None:
        """The marked group shows `label`: learn it."""
        if self.group is None:
            self.say("There is nothing to correct: draw a digit first")
        elif label not in self.classes:
            self.say(f"This model knows no class {label!r}")
        else:
            self.worker.ask("learn", (self.group.frame, label))

    def save_picture(self) -> None:
        """Save the drawing: the very picture that is read."""
        from PIL import Image
        self._save(".png", lambda file: Image.fromarray(self.canvas.picture()).save(file, "PNG"))

    def save_strokes(self) -> None:
        self._save(".json", lambda file: file.write(self.canvas.to_json().encode()))

    def _save(self, ending: str, write: Callable[[Any], Any]) -> None:
        if not self.canvas.strokes:
            self.say("There is nothing to save: draw something first")
            return
        path = None
        try:
            path = unused_path(self.folder, "drawing", ending)
            with atomic_write(path) as file:
                write(file)
            self.say(f"Saved {path}")
        except OSError as error:
            if path:
                path.unlink(missing_ok=True)
            self.say(f"Not saved, {one_line(error)}. Start with --output and a folder you may write to")

    def copy(self) -> None:
        if not self.reading or not self.reading.text:
            self.say("There is no number to copy")
            return
        try:
            pygame.scrap.put_text(self.reading.text)
            self.say(f"Copied {self.reading.text!r}" if "\n" in self.reading.text else f"Copied {self.reading.text}")
        except pygame.error as error:
            self.say(f"The clipboard cannot be used: {error}")

    def paste(self) -> None:
        """Open the file that the clipboard's text names, or the clipboard's picture."""
        try:
            text = pygame.scrap.get_text().strip().strip("'\"").removeprefix("file://")
        except pygame.error:
            text = ""
        if not text:
            self.worker.ask("paste")
        elif "\n" not in text and len(text) < 4096 and Path(text).expanduser().exists():
            self.open([text])
        else:
            self.say(f"The clipboard holds text that is no file: {text[:80]}")

    def open(self, names: list[str]) -> None:
        """Open what was dropped: a picture, several, a folder, strokes or a model."""
        paths = [Path(name).expanduser() for name in names]
        if len(paths) > 1 or paths[0].is_dir():
            self.worker.cancel()
            self.card = FilesCard(self.close_card, self.worker.cancel, lambda: self.worker.busy)
            self.worker.ask("read_files", paths)
        elif paths[0].suffix.lower() in MODEL_ENDINGS:
            self.say(f"Loading {paths[0].name}")
            self.worker.ask("load", paths[0])
        elif paths[0].suffix.lower() == ".json":
            self._open_strokes(paths[0])
        else:
            self.worker.ask("open", paths[0], paths[0].name)
        self._show("all")

    def _open_strokes(self, path: Path) -> None:
        try:
            self._drawn(self.canvas.load_json(path.read_bytes()))
            self._show("all")
        except (OSError, ValueError) as error:
            self.say(f"{path.name}: {one_line(error)}")

    def close_card(self) -> None:
        if isinstance(self.card, FilesCard):
            self.worker.cancel()
        self.card = None
        self._show("all")

    def show_help(self) -> None:
        self.card = HelpCard(self.close_card)
        self._show("all")

    def show_corrections(self) -> None:
        def entries() -> list[Any]:
            return self.session.memory.entries() if self.session.memory else []

        self.card = CorrectionsCard(self.close_card, entries, lambda: self.worker.ask("unlearn"), lambda: self.worker.ask("forget_all"))
        self._show("all")

    def show_features(self) -> None:
        self.card = FeaturesCard(self.close_card)
        self._ask_features()
        self._show("all")

    def _ask_features(self) -> None:
        if self.group is not None:
            self.worker.ask("features", self.group.frame, newest=True)

    def select(self, step: int) -> None:
        """Mark the next group, or the one before."""
        if self.reading and self.reading.groups:
            self.selected = (self.selected + step) % len(self.reading.groups)
            self._show("canvas", "panels")

    def escape(self) -> None:
        """Leave what is on top: the focus, a card, a picture, the program."""
        if self.card:
            self.close_card()
        elif self.focus >= 0:
            self.focus = -1
            self._show("toolbar")
        elif self.shown:
            self.shown = None
            self._read_again()
        else:
            self.running = False

    # ------------------------------------------------------------------------------ events

    def handle(self, event: pygame.event.Event) -> None:
        """Let one event change the state."""
        handler = getattr(self, f"_on_{pygame.event.event_name(event.type).lower()}", None)
        if handler:
            handler(event)

    def _on_quit(self, event: pygame.event.Event) -> None:
        self.running = False

    def _on_videoresize(self, event: pygame.event.Event) -> None:
        self.settings.width, self.settings.height = event.size
        self.resize(pygame.display.get_surface() or self.screen)

    def _on_windowexposed(self, event: pygame.event.Event) -> None:
        self._show("all")

    def _on_mousebuttondown(self, event: pygame.event.Event) -> None:
        if not getattr(event, "touch", False) and event.button in (1, 3):     # SDL repeats a finger as a mouse
            self._press(event.pos, eraser=event.button == 3)

    def _on_mousemotion(self, event: pygame.event.Event) -> None:
        if getattr(event, "touch", False):
            return
        left, _, right = event.buttons[:3]
        if self.canvas.current and not (left or right):
            self._release()             # the button was let go where we could not see it
        elif (left or right) and not self.canvas.current and not self._consumed and self._held is None:
            if self.layout.canvas.collidepoint(event.pos) and not self.card:
                self._press(event.pos, eraser=bool(right))
        self._move(event.pos)

    def _on_mousebuttonup(self, event: pygame.event.Event) -> None:
        if not getattr(event, "touch", False) and event.button in (1, 3):
            self._release()

    def _on_fingerdown(self, event: pygame.event.Event) -> None:
        if self._finger is None:
            self._finger = (event.touch_id, event.finger_id)
            self._press(self._finger_position(event), eraser=False)

    def _on_fingermotion(self, event: pygame.event.Event) -> None:
        if self._finger == (event.touch_id, event.finger_id):
            self._move(self._finger_position(event))

    def _on_fingerup(self, event: pygame.event.Event) -> None:
        if self._finger == (event.touch_id, event.finger_id):
            self._finger = None
            self._release()

    def _finger_position(self, event: pygame.event.Event) -> tuple[float, float]:
        width, height = self.screen.get_size()
        return event.x * width, event.y * height

    def _on_mousewheel(self, event: pygame.event.Event) -> None:
        if self.card:
            self.card.scroll(-event.y)
            self._show("all")
        else:
            self.set_brush(self.settings.brush + event.y * BRUSH_STEP)

    def _on_dropbegin(self, event: pygame.event.Event) -> None:
        self._dropped = []

    def _on_dropfile(self, event: pygame.event.Event) -> None:
        if self._dropped is None:
            self.open([event.file])
        else:
            self._dropped.append(event.file)

    def _on_dropcomplete(self, event: pygame.event.Event) -> None:
        if self._dropped:
            self.open(self._dropped)
        self._dropped = None

    def _on_keydown(self, event: pygame.event.Event) -> None:
        control = event.mod & (pygame.KMOD_CTRL | pygame.KMOD_META)
        shift = event.mod & pygame.KMOD_SHIFT
        letter = event.unicode if getattr(event, "unicode", "") else ""
        if event.key == pygame.K_ESCAPE:
            self.escape()
        elif self.card and event.key != pygame.K_BACKSPACE:
            if event.key == pygame.K_F1 or letter == "?":
                self.close_card()
            else:
                self.card.key(event.key)
            self._show("all")
        elif control:
            actions = {pygame.K_z: self.redo if shift else self.undo, pygame.K_y: self.redo, pygame.K_c: self.copy,
                       pygame.K_v: self.paste, pygame.K_s: self.save_picture}
            actions.get(event.key, lambda: None)()
        elif self._focus_key(event.key, bool(shift)):
            self._show("toolbar", "status")
        elif letter == "?" or event.key == pygame.K_F1:
            self.show_help()
        elif letter in ("[", "]"):
            self.set_brush(self.settings.brush + (BRUSH_STEP if letter == "]" else -BRUSH_STEP))
        elif letter and letter in "0123456789":
            self.correct(letter)
        else:
            self._plain_key(event.key)

    def _plain_key(self, key: int) -> None:
        actions: dict[int, Callable[[], None]] = {
            pygame.K_c: self.clear, pygame.K_e: self.toggle_eraser, pygame.K_s: self.save_picture, pygame.K_j: self.save_strokes,
            pygame.K_t: self.toggle_theme, pygame.K_h: self.toggle_heat, pygame.K_l: self.show_corrections,
            pygame.K_f: self.show_features, pygame.K_BACKSPACE: lambda: self.worker.ask("unlearn"),
            pygame.K_LEFT: lambda: self.select(-1), pygame.K_RIGHT: lambda: self.select(1)}
        actions.get(key, lambda: None)()

    def _focus_key(self, key: int, back: bool) -> bool:
        """Walk the toolbar with Tab, use what has the focus; False for any other key."""
        if key == pygame.K_TAB:
            self.focus = (self.focus + (-1 if back else 1)) % len(self.shown_widgets) if self.focus >= 0 or not back else len(
                self.shown_widgets) - 1
            return True
        if self.focus < 0:
            return False
        widget = self.shown_widgets[min(self.focus, len(self.shown_widgets) - 1)]
        if key in (pygame.K_LEFT, pygame.K_RIGHT) and widget.nudge(1 if key == pygame.K_RIGHT else -1):
            return True
        if key in (pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE) and isinstance(widget, Button):
            widget.press(widget.rect.center)
            return True
        return False

    # ------------------------------------------------------------------------------ the pointer

    def _press(self, position: tuple[float, float], eraser: bool) -> None:
        self.pointer = position
        self._consumed = True
        if self.card:
            self.card.press(position)
            self._show("all")
            return
        for widget in self.shown_widgets:
            if widget.rect.collidepoint(position):
                self._held = widget
                widget.press(position)
                self._show("toolbar")
                return
        for label, rect in self._bars.items():
            if rect.collidepoint(position):
                self.correct(label)
                return
        for index, rect in enumerate(self._frames):
            if rect.collidepoint(position):
                self.selected = index
                self._show("canvas", "panels")
                return
        if self.shown:
            self.escape()
        elif self._part_at(position) in ("canvas", ""):
            self._consumed = False
            x, y = self._on_canvas(position)
            self._drawn(self.canvas.begin(x, y, self.settings.brush, eraser or self.eraser))
            self._show("toolbar")

    def _move(self, position: tuple[float, float]) -> None:
        before, self.pointer = self._under(self.pointer), position
        if self._held:
            self._held.drag(position)
            self._show("toolbar")
        elif self.canvas.current:
            rect = self.canvas.extend(*self._on_canvas(position))
            if rect[0] < rect[2] and rect[1] < rect[3]:
                self._drawn(rect)
        if self._under(position) != before:
            self._show("toolbar", "status", *(["all"] if self.card else []))

    def _release(self) -> None:
        self._held, self._consumed = None, False
        if self.canvas.current:
            self.canvas.end()
            self._show("toolbar")

    def _on_canvas(self, position: tuple[float, float]) -> tuple[float, float]:
        """Return canvas units for window pixels."""
        rect = self.layout.canvas
        return (position[0] - rect.left) / self._view.scale, (position[1] - rect.top) / self._view.scale

    def _part_at(self, position: tuple[float, float]) -> str:
        for name in ("canvas", "answer", "bars", "frames", "toolbar", "status"):
            if getattr(self.layout, name).collidepoint(position):
                return name
        return ""

    def _under(self, position: tuple[float, float]) -> Any:
        """Return what the pointer is on, for its hint."""
        things = self.card.buttons if self.card else self.shown_widgets
        for thing in things:
            if thing.rect.collidepoint(position):
                return thing.hint
        return HINTS.get(self._part_at(position), "")

    # ------------------------------------------------------------------------------ drawing

    def draw(self) -> list[pygame.Rect]:
        """Draw what changed and return where, for `pygame.display.update`."""
        dirty, self._dirty = self._dirty, set()
        ink, self._ink_changed = getattr(self, "_ink_changed", None), None
        if self.card and (dirty or ink):
            dirty.add("all")
        everything = "all" in dirty
        if everything:
            self.screen.fill(self.look.palette.window)
        changed = []
        if everything or "toolbar" in dirty:
            changed.append(self._draw_toolbar())
        if everything or "canvas" in dirty:
            changed.append(self._draw_canvas(self._canvas_area()))
        elif ink and not self.shown:
            changed.append(self._draw_canvas(ink.clip(self.layout.canvas)))
        if everything or "panels" in dirty:
            changed += self._draw_panels()
        if everything or "status" in dirty:
            changed.append(self._draw_status())
        if self.card and everything:
            self.card.draw(self.screen, self.look, self.pointer)
        return [self.screen.get_rect()] if everything else changed

    def _canvas_area(self) -> pygame.Rect:
        return self.layout.canvas.inflate(2, 2)

    def _draw_toolbar(self) -> pygame.Rect:
        area = pygame.Rect(0, 0, self.screen.get_width(), self.layout.toolbar.bottom)
        self.screen.fill(self.look.palette.window, area)
        for index, widget in enumerate(self.shown_widgets):
            hovered = not self.card and widget.rect.collidepoint(self.pointer)
            widget.draw(self.screen, self.look.palette, self._type, self.layout.unit, hovered, index == self.focus)
        return area

    def _draw_canvas(self, area: pygame.Rect) -> pygame.Rect:
        """Draw the part of the canvas inside `area`."""
        rect = self.layout.canvas
        self.screen.set_clip(area)
        if self.shown:
            self.screen.fill(self.look.palette.panel, rect)
            target = self._picture_rect()
            self.screen.blit(pygame.transform.smoothscale(self.shown[0], target.size), target)
        else:
            self.screen.blit(self._sheet, area.topleft, area.move(-rect.left, -rect.top)) if rect.contains(area) else \
                self.screen.blit(self._sheet, rect)
        pygame.draw.rect(self.screen, self.look.palette.line, self._canvas_area(), 1)
        if self.reading:
            for group, heat in zip(self.reading.groups, self.heats):
                self._draw_heat(group, heat)
            panels.draw_boxes(self.screen, self.look, self.reading.groups, self._to_screen, self.selected, rect)
        self.screen.set_clip(None)
        return area

    def _draw_heat(self, group: Digit, heat: np.ndarray) -> None:
        """Lay a frame's heat over the ink it was made from: the frame's ink fills the group's box."""
        rows, columns = np.flatnonzero(group.frame.any(axis=1)), np.flatnonzero(group.frame.any(axis=0))
        if len(rows):
            box = self._to_screen(group.box)
            inked = heat[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
            self.screen.blit(panels.heat_of(inked, box.size, self.look.palette.heat), box)

    def _picture_rect(self) -> pygame.Rect:
        """Return where the picture shown lies."""
        assert self.shown is not None
        size = self.shown[0].get_size()
        return pygame.Rect(0, 0, *size).fit(self.layout.canvas)

    def _to_screen(self, box: tuple[int, int, int, int]) -> pygame.Rect:
        """Return window pixels for a box in pixels of the picture that was read."""
        if self.shown:
            target = self._picture_rect()
            ratio = target.width / (self.shown[0].get_width() * self.shown[1])
        else:
            target, ratio = self.layout.canvas, self._view.scale
        left, top, width, height = (side * ratio for side in box)
        return pygame.Rect(round(target.left + left), round(target.top + top), max(1, round(width)), max(1, round(height)))

    def _draw_panels(self) -> list[pygame.Rect]:
        layout, group = self.layout, self.group
        panels.draw_answer(self.screen, layout.answer, self.look, self.reading, self.waiting())
        self._bars = panels.draw_bars(self.screen, layout.bars, self.look, self.classes, group)
        frames = [each.frame for each in self.reading.groups] if self.reading else []
        self._frames = panels.draw_frames(self.screen, layout.frames, self.look, frames, self.heats, self.selected)
        return [layout.answer, layout.bars, layout.frames]

    def _draw_status(self) -> pygame.Rect:
        area = self.layout.status
        self.screen.fill(self.look.palette.window, area)
        size = text_size(self.layout.unit) - 1
        model = self._type.fit(self.model or ("no model" if self.trouble else "loading"), size, area.width * 0.3)
        image = self._type.render(model, size, self.look.palette.faint)
        self.screen.blit(image, image.get_rect(midright=area.midright))
        room = area.width - image.get_width() - round(16 * self.layout.unit)
        hint = self._under(self.pointer)
        if self.focus >= 0:
            hint = self.shown_widgets[min(self.focus, len(self.shown_widgets) - 1)].hint
        words = self._type.fit(self.message or hint or "F1 shows all keys", size, room)
        image = self._type.render(words, size, self.look.palette.text if self.message else self.look.palette.faint)
        self.screen.blit(image, image.get_rect(midleft=area.midleft))
        return area
