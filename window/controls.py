"""Pointer, fingers, keys and dropped files -> what the window is to do; and the loop that hands them over."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import pygame

from window.actions import BRUSH_STEP, by_key, key_name, latin_key
from window.cards import CorrectionsCard
from window.widgets import Button, Widget

if TYPE_CHECKING:
    from window.app import App

CLICK = 4.0  # window pixels that the pointer may move in a click
PEN_STEP = 4.0  # canvas units; how far an arrow moves the keyboard's pen
ARROWS = {
    pygame.K_LEFT: (-PEN_STEP, 0.0),
    pygame.K_RIGHT: (PEN_STEP, 0.0),
    pygame.K_UP: (0.0, -PEN_STEP),
    pygame.K_DOWN: (0.0, PEN_STEP),
}
REPEATING = {*ARROWS, pygame.K_PAGEUP, pygame.K_PAGEDOWN}  # the keys that go on while they are held
PRESSES = (pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE)  # the keys that press the focused button

FRAMES_PER_SECOND = 120  # at most; drawing more often than the screen shows takes time from the reading
ACTIVE_PAUSE = 0.002  # seconds between looks at the events while there is something to see
CALM_PAUSE = 0.015  # seconds between looks otherwise; less than a frame at 60 Hz
CALM_AFTER = 1.0  # seconds without anything to see


def run(app: App, wake: threading.Event) -> None:
    """Handle events, answer and draw until the window is closed; sleep while nothing happens and `wake` is not set.

    pygame's own wait looks a thousand times a second, which costs 2 % of a core.
    """
    clock, active = pygame.time.Clock(), time.monotonic()
    while app.running:
        events = pygame.event.get()
        for event in events:
            app.handle(event)
        app.tick()
        changed = app.draw()
        if changed:
            pygame.display.update(changed)
            clock.tick(FRAMES_PER_SECOND)
        if changed or events:
            active = time.monotonic()
        else:
            wake.wait(ACTIVE_PAUSE if time.monotonic() - active < CALM_AFTER else CALM_PAUSE)
            wake.clear()


class Controls:
    """Turns events into calls of an `App`. What is pressed keeps the pointer until it is released."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._keys = by_key(app.actions)
        self._held: Widget | None = None
        self._consumed = False  # whether the press in progress was for something else than the pen
        self._finger: tuple[int, int] | None = None
        self._on_label: tuple[int, tuple[float, float]] | None = (
            None  # a box's label that is pressed, and where
        )
        self._dropped: list[str] | None = None
        self._down: set[int] = set()  # keys that are held

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

    def _on_windowleave(self, event: pygame.event.Event) -> None:
        self._hover(None)

    def _on_windowfocuslost(self, event: pygame.event.Event) -> None:
        if self._finger:  # it may be lifted where we do not hear of it
            self._finger = None
            self._release()

    # ------------------------------------------------------------------------------ mouse and fingers

    def _is_mouse(self, event: pygame.event.Event) -> bool:
        """Return whether the mouse itself has done something, and no finger draws: SDL repeats a finger as a mouse."""
        return not getattr(event, "touch", False) and self._finger is None

    def _on_mousebuttondown(self, event: pygame.event.Event) -> None:
        if self._is_mouse(event) and event.button in (1, 3):
            self._press(event.pos, eraser=event.button == 3)

    def _on_mousemotion(self, event: pygame.event.Event) -> None:
        if not self._is_mouse(event):
            return
        left, _, right = event.buttons[:3]
        if not (left or right):
            if not self.app.drawing.pen:
                self._release()  # the button was let go where we could not see it
            self._point(event.pos)
            self._hover(event.pos)
            return
        self._hover(event.pos)
        if not self.app.drawing.canvas.current and not self._consumed and self._held is None:
            if self.app.layout.canvas.collidepoint(event.pos) and not self.app.card:
                self._press(event.pos, eraser=bool(right))
        self._move(event.pos)

    def _on_mousebuttonup(self, event: pygame.event.Event) -> None:
        if self._is_mouse(event) and event.button in (1, 3):
            self._release()

    def _on_fingerdown(self, event: pygame.event.Event) -> None:
        free = self.app.drawing.canvas.current is None or self.app.drawing.pen
        if self._finger is None and self._held is None and free:
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
            self.app.drawing.set_brush(self.app.settings.brush + event.y * BRUSH_STEP)

    def _on_dropbegin(self, event: pygame.event.Event) -> None:
        self._dropped = []

    def _on_dropfile(self, event: pygame.event.Event) -> None:
        if self._dropped is None:
            self.app.exchange.open([event.file])
        else:
            self._dropped.append(event.file)

    def _on_dropcomplete(self, event: pygame.event.Event) -> None:
        if self._dropped:
            self.app.exchange.open(self._dropped)
        self._dropped = None

    # ------------------------------------------------------------------------------ keys

    def _on_keydown(self, event: pygame.event.Event) -> None:
        app, key, name = self.app, latin_key(event), key_name(event)
        if not app.drawing.pen:
            self._down.clear()  # no key repeats itself
        elif event.key in self._down and event.key not in REPEATING:
            return
        self._down.add(event.key)
        if key == pygame.K_ESCAPE:
            app.escape()
        elif app.card and not (key == pygame.K_BACKSPACE and isinstance(app.card, CorrectionsCard)):
            app.close_card() if name in ("F1", "?") else app.card.key(key)
            app.show("all")
        elif name.startswith("Ctrl-") or not (self._pen_key(key) or self._focus_key(key, name)):
            do = self._keys.get(name) or self._keys.get(name.replace("Shift-", ""))
            if do:
                do()

    def _on_keyup(self, event: pygame.event.Event) -> None:
        self._down.discard(event.key)

    def _pen_key(self, key: int) -> bool:
        """Move, drop or lift the keyboard's pen; False for any other key."""
        drawing = self.app.drawing
        if not drawing.pen or key not in (*ARROWS, pygame.K_SPACE):
            return False
        drawing.drop_pen() if key == pygame.K_SPACE else drawing.move_pen(*ARROWS[key])
        return True

    def _focus_key(self, key: int, name: str) -> bool:
        """Walk the toolbar with Tab, use what has the focus; False for any other key."""
        app, back = self.app, "Shift-" in name
        if key == pygame.K_TAB:
            start = 0 if back and app.focus < 0 else app.focus
            app.focus = (start + (-1 if back else 1)) % len(app.shown_widgets)
        elif app.focus < 0:
            return False
        else:
            widget = app.shown_widgets[min(app.focus, len(app.shown_widgets) - 1)]
            if key in PRESSES and isinstance(widget, Button):
                widget.press(widget.rect.center)
            elif key not in (pygame.K_LEFT, pygame.K_RIGHT) or not widget.nudge(
                1 if key == pygame.K_RIGHT else -1
            ):
                return False
        app.show("toolbar", "status")
        return True

    # ------------------------------------------------------------------------------ the pointer

    def _press(self, position: tuple[float, float], eraser: bool) -> None:
        app = self.app
        self._point(position)
        self._consumed = True
        if app.card:
            app.card.press(position)
            app.show("all")
            return
        for widget in app.shown_widgets:
            if widget.rect.collidepoint(position):
                self._held = widget
                widget.press(position)
                app.show("toolbar")
                return
        for label, rect in app.bar_places.items():
            if rect.collidepoint(position):
                return app.correct(label)
        for index, rect in enumerate(app.frame_places):
            if rect.collidepoint(position):
                return app.on_show.mark(index)
        box = pygame.Rect(position, (1, 1)).collidelist(app.label_places)
        if box >= 0 and not eraser:
            self._on_label = box, position
        elif app.on_show.picture:
            app.on_show.leave_picture()
        elif app.part_at(position) == "training":
            app.lesson.pause()
        elif app.part_at(position) in ("canvas", ""):
            self._consumed = False
            app.drawing.begin(position, eraser)

    def _move(self, position: tuple[float, float]) -> None:
        self._point(position)
        if self._on_label and not self.app.on_show.picture and math.dist(position, self._on_label[1]) > CLICK:
            self.app.drawing.begin(
                self._on_label[1], eraser=False
            )  # no click on a label: a stroke that begins there
            self._on_label, self._consumed = None, False
        if self._held:
            self._held.drag(position)
            self.app.show("toolbar")
        elif self.app.drawing.canvas.current:
            self.app.drawing.extend(position)

    def _point(self, position: tuple[float, float]) -> None:
        """The pointer is at `position`: show the hint of what is there."""
        before, self.app.pointer = self.app.hint_at(self.app.pointer), position
        if self.app.hint_at(position) != before:
            self.app.show("toolbar", "status", *(["all"] if self.app.card else []))

    def _hover(self, position: tuple[float, float] | None) -> None:
        """Show the brush's ring in place of the mouse's arrow while that is over the canvas."""
        app = self.app
        over = position is not None and not app.card and app.part_at(position) == "canvas"
        if over or app.drawing.ring:
            app.drawing.hover(position if over else None)
        if pygame.mouse.get_visible() == over:
            pygame.mouse.set_visible(not over)

    def _release(self) -> None:
        if self._on_label:
            self.app.on_show.mark(self._on_label[0])
            self._on_label = None
        self._held, self._consumed = None, False
        self.app.drawing.end()
