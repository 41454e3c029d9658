"""Pointer, fingers, keys and dropped files -> what the window is to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pygame

from window.cards import CorrectionsCard
from window.widgets import Button, Widget

if TYPE_CHECKING:
    from window.exchange import Exchange
    from window.state import State

BRUSH_STEP = 2.0  # canvas units
PEN_STEP = 4.0  # canvas units; how far an arrow moves the keyboard's pen
ARROWS = {
    pygame.K_LEFT: (-PEN_STEP, 0.0),
    pygame.K_RIGHT: (PEN_STEP, 0.0),
    pygame.K_UP: (0.0, -PEN_STEP),
    pygame.K_DOWN: (0.0, PEN_STEP),
}
REPEATING = {*ARROWS, pygame.K_PAGEUP, pygame.K_PAGEDOWN}  # the keys that go on while they are held


class Controls:
    """Turns events into calls of a `State`. A press belongs to what it began on until it is let go."""

    def __init__(self, app: State, exchange: Exchange) -> None:
        self.app, self.exchange = app, exchange
        self._held: Widget | None = None
        self._consumed = False  # the press in progress was for something else than the pen
        self._finger: tuple[int, int] | None = None
        self._dropped: list[str] | None = None
        self._keys: set[int] = set()  # held down

    def handle(self, event: pygame.event.Event) -> None:
        """Let one event change the state."""
        handler = getattr(self, f"_on_{pygame.event.event_name(event.type).lower()}", None)
        if handler:
            handler(event)

    def _on_quit(self, event: pygame.event.Event) -> None:
        self.app.running = False

    def _on_videoresize(self, event: pygame.event.Event) -> None:
        self.app.resize(pygame.display.get_surface() or self.app.screen)
        self.app.settings.width, self.app.settings.height = self.app.screen.get_size()

    def _on_windowexposed(self, event: pygame.event.Event) -> None:
        self.app.show("all")

    def _on_windowfocuslost(self, event: pygame.event.Event) -> None:
        if self._finger:  # it may be lifted where we do not hear of it
            self._finger = None
            self._release()

    def _for_the_mouse(self, event: pygame.event.Event) -> bool:
        """Say whether the mouse itself has done something, and no finger draws: SDL repeats a finger as a mouse."""
        return not getattr(event, "touch", False) and self._finger is None

    def _on_mousebuttondown(self, event: pygame.event.Event) -> None:
        if self._for_the_mouse(event) and event.button in (1, 3):
            self._press(event.pos, eraser=event.button == 3)

    def _on_mousemotion(self, event: pygame.event.Event) -> None:
        if not self._for_the_mouse(event):
            return
        left, _, right = event.buttons[:3]
        if not (left or right):
            if not self.app.pen:
                self._release()  # the button was let go where we could not see it
            self._point(event.pos)
            return
        if not self.app.canvas.current and not self._consumed and self._held is None:
            if self.app.layout.canvas.collidepoint(event.pos) and not self.app.card:
                self._press(event.pos, eraser=bool(right))
        self._move(event.pos)

    def _on_mousebuttonup(self, event: pygame.event.Event) -> None:
        if self._for_the_mouse(event) and event.button in (1, 3):
            self._release()

    def _on_fingerdown(self, event: pygame.event.Event) -> None:
        if self._finger is None and self._held is None and (self.app.canvas.current is None or self.app.pen):
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
        width, height = self.app.screen.get_size()
        return event.x * width, event.y * height

    def _on_mousewheel(self, event: pygame.event.Event) -> None:
        if self.app.card:
            self.app.card.scroll(-event.y)
            self.app.show("all")
        else:
            self.app.set_brush(self.app.settings.brush + event.y * BRUSH_STEP)

    def _on_dropbegin(self, event: pygame.event.Event) -> None:
        self._dropped = []

    def _on_dropfile(self, event: pygame.event.Event) -> None:
        if self._dropped is None:
            self.exchange.open([event.file])
        else:
            self._dropped.append(event.file)

    def _on_dropcomplete(self, event: pygame.event.Event) -> None:
        if self._dropped:
            self.exchange.open(self._dropped)
        self._dropped = None

    def _on_keydown(self, event: pygame.event.Event) -> None:
        if not self.app.pen:
            self._keys.clear()  # no key repeats itself
        elif event.key in self._keys and event.key not in REPEATING:
            return
        self._keys.add(event.key)
        key = _latin(event)
        control = (
            event.mod & (pygame.KMOD_CTRL | pygame.KMOD_META) and not event.mod & pygame.KMOD_RALT
        )  # AltGr is both
        shift = event.mod & pygame.KMOD_SHIFT
        letter = event.unicode if getattr(event, "unicode", "") else ""
        if key == pygame.K_ESCAPE:
            self.app.escape()
        elif self.app.card and not (key == pygame.K_BACKSPACE and isinstance(self.app.card, CorrectionsCard)):
            if key == pygame.K_F1 or letter == "?":
                self.app.close_card()
            else:
                self.app.card.key(key)
            self.app.show("all")
        elif control:
            self._control_key(key, bool(shift))
        elif self.app.pen and (key in ARROWS or key == pygame.K_SPACE):
            self.app.drop_pen() if key == pygame.K_SPACE else self.app.move_pen(*ARROWS[key])
        elif self._focus_key(key, bool(shift)):
            self.app.show("toolbar", "status")
        elif letter == "?" or key == pygame.K_F1:
            self.app.show_help()
        elif letter in ("[", "]"):
            self.app.set_brush(self.app.settings.brush + (BRUSH_STEP if letter == "]" else -BRUSH_STEP))
        elif letter and letter in "0123456789":
            self.app.correct(letter)
        elif key == pygame.K_m and shift:
            self.app.stop_training()
        else:
            self._plain_key(key)

    def _on_keyup(self, event: pygame.event.Event) -> None:
        self._keys.discard(event.key)

    def _control_key(self, key: int, shift: bool) -> None:
        app = self.app
        actions: dict[int, Callable[[], None]] = {
            pygame.K_z: app.redo if shift else app.undo,
            pygame.K_y: app.redo,
            pygame.K_c: self.exchange.copy,
            pygame.K_v: self.exchange.paste,
            pygame.K_s: self.exchange.save_picture,
        }
        actions.get(key, lambda: None)()

    def _plain_key(self, key: int) -> None:
        app = self.app
        actions: dict[int, Callable[[], None]] = {
            pygame.K_c: app.clear,
            pygame.K_e: app.toggle_eraser,
            pygame.K_s: self.exchange.save_picture,
            pygame.K_j: self.exchange.save_strokes,
            pygame.K_t: app.toggle_theme,
            pygame.K_h: app.toggle_heat,
            pygame.K_l: app.show_corrections,
            pygame.K_f: app.toggle_layers,
            pygame.K_m: app.train,
            pygame.K_p: app.toggle_pen,
            pygame.K_BACKSPACE: app.unlearn,
            pygame.K_LEFT: lambda: app.select(-1),
            pygame.K_RIGHT: lambda: app.select(1),
        }
        actions.get(key, lambda: None)()

    def _focus_key(self, key: int, back: bool) -> bool:
        """Walk the toolbar with Tab, use what has the focus; False for any other key."""
        if key == pygame.K_TAB:
            start = 0 if back and self.app.focus < 0 else self.app.focus
            self.app.focus = (start + (-1 if back else 1)) % len(self.app.shown_widgets)
            return True
        if self.app.focus < 0:
            return False
        widget = self.app.shown_widgets[min(self.app.focus, len(self.app.shown_widgets) - 1)]
        if key in (pygame.K_LEFT, pygame.K_RIGHT) and widget.nudge(1 if key == pygame.K_RIGHT else -1):
            return True
        if key in (pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE) and isinstance(widget, Button):
            widget.press(widget.rect.center)
            return True
        return False

    # ------------------------------------------------------------------------------ the pointer

    def _press(self, position: tuple[float, float], eraser: bool) -> None:
        self._point(position)
        self._consumed = True
        if self.app.card:
            self.app.card.press(position)
            self.app.show("all")
            return
        for widget in self.app.shown_widgets:
            if widget.rect.collidepoint(position):
                self._held = widget
                widget.press(position)
                self.app.show("toolbar")
                return
        for label, rect in self.app.bar_places.items():
            if rect.collidepoint(position):
                self.app.correct(label)
                return
        for index, rect in enumerate(self.app.frame_places):
            if rect.collidepoint(position):
                self.app.mark(index)
                return
        if self.app.shown:
            self.app.leave_picture()
        elif self.app.part_at(position) in ("canvas", ""):
            self._consumed = False
            x, y = self._on_canvas(position)
            self.app.drawn(self.app.canvas.begin(x, y, self.app.settings.brush, eraser or self.app.eraser))
            self.app.show("toolbar")

    def _move(self, position: tuple[float, float]) -> None:
        self._point(position)
        if self._held:
            self._held.drag(position)
            self.app.show("toolbar")
        elif self.app.canvas.current:
            rect = self.app.canvas.extend(*self._on_canvas(position))
            if rect[0] < rect[2] and rect[1] < rect[3]:
                self.app.drawn(rect)

    def _point(self, position: tuple[float, float]) -> None:
        """The pointer is at `position`: say what is there."""
        before, self.app.pointer = self.app.hint_at(self.app.pointer), position
        if self.app.hint_at(position) != before:
            self.app.show("toolbar", "status", *(["all"] if self.app.card else []))

    def _release(self) -> None:
        self._held, self._consumed = None, False
        if self.app.canvas.current:
            self.app.canvas.end()
            self.app.show("toolbar")

    def _on_canvas(self, position: tuple[float, float]) -> tuple[float, float]:
        """Return canvas units for window pixels."""
        rect = self.app.layout.canvas
        return (position[0] - rect.left) / self.app.view.scale, (position[1] - rect.top) / self.app.view.scale


def _latin(event: pygame.event.Event) -> int:
    """Return the key of an event; on a Cyrillic, Greek, ... keyboard, for a letter's place, the Latin letter there."""
    place = getattr(event, "scancode", 0)
    foreign = 127 < event.key < 1 << 30 and pygame.KSCAN_A <= place <= pygame.KSCAN_Z
    return pygame.K_a + place - pygame.KSCAN_A if foreign else event.key
