"""Pointer, fingers, keys and dropped files -> what the window is to do."""

from __future__ import annotations

import contextlib
import math
from functools import partial
from typing import TYPE_CHECKING

import pygame

from window.actions import BRUSH_STEP, by_key, key_name, latin_key
from window.cards.corrections import CorrectionsCard
from window.cards.help import HelpCard
from window.paint.widgets import Button, Widget

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
        self._cursor = pygame.SYSTEM_CURSOR_ARROW

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
        if not self.app.drawing.drawing and not self._consumed and self._held is None:
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
        app.anchor = None
        if not app.drawing.pen:
            self._down.clear()  # no key repeats itself
        elif event.key in self._down and event.key not in REPEATING:
            return
        self._down.add(event.key)
        if key == pygame.K_ESCAPE:
            app.escape()
        elif app.card and not (key == pygame.K_BACKSPACE and isinstance(app.card, CorrectionsCard)):
            typed = "" if name.startswith("Ctrl-") else getattr(event, "unicode", "")
            helped = name == "F1" or name == "?" and isinstance(app.card, HelpCard)
            app.close_card() if helped else app.card.key(key, typed)
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
            app.focus = self._next_focus(-1 if back else 1)
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
        app.show("all")  # its hint stands beside it
        return True

    def _next_focus(self, step: int) -> int:
        """Return the widget next to the one with the focus that would do something now."""
        widgets, focus = self.app.shown_widgets, self.app.focus
        focus = len(widgets) if step < 0 and focus < 0 else focus
        order = [(focus + step * count) % len(widgets) for count in range(1, len(widgets) + 1)]
        idle = {n for n, each in enumerate(widgets) if isinstance(each, Button) and not each.enabled()}
        return next(index for index in order if index not in idle)  # there is always Help

    # ------------------------------------------------------------------------------ the pointer

    def _press(self, position: tuple[float, float], eraser: bool) -> None:
        app = self.app
        self._point(position)
        self._consumed = True
        app.anchor = None
        if app.card:
            app.anchor = app.card.press(position)
            app.show("all")
            return
        widget = app.thing_at(position)
        if widget:
            self._held, app.anchor = widget, widget.rect
            widget.press(position)
            app.show("toolbar")
            return
        places = [(rect, partial(app.teaching.correct, label)) for label, rect in app.bar_places.items()]
        places += [(rect, partial(app.on_show.mark, index)) for index, rect in enumerate(app.frame_places)]
        places += [(rect, partial(app.teaching.choose, text)) for text, rect in app.chip_places.items()]
        for rect, do in places:
            if rect.collidepoint(position):
                app.anchor = rect
                return do()
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
        elif self.app.drawing.drawing:
            self.app.drawing.extend(position)

    def _point(self, position: tuple[float, float]) -> None:
        """The pointer is at `position`: show the hint of what is there."""
        app, before = self.app, self.app.thing_at(self.app.pointer)
        hint = app.hint_at(app.pointer)
        app.pointer = position
        after = app.thing_at(position)
        if before is not after and not app.message:
            app.show("all")  # its hint stands beside it
        elif app.hint_at(position) != hint:
            app.show("toolbar", "status")

    def _hover(self, position: tuple[float, float] | None) -> None:
        """Show the brush's ring in place of the mouse's arrow over the canvas, a hand over what can be pressed."""
        app = self.app
        hand = position is not None and app.pressable(position)
        over = position is not None and not hand and not app.card and app.part_at(position) == "canvas"
        if over or app.drawing.ring:
            app.drawing.hover(position if over else None)
        if pygame.mouse.get_visible() == over:
            pygame.mouse.set_visible(not over)
        cursor = pygame.SYSTEM_CURSOR_HAND if hand else pygame.SYSTEM_CURSOR_ARROW
        if cursor != self._cursor:
            self._cursor = cursor
            with contextlib.suppress(pygame.error):  # a display without such a cursor
                pygame.mouse.set_cursor(cursor)

    def _release(self) -> None:
        if self._on_label:
            self.app.on_show.mark(self._on_label[0])
            self._on_label = None
        self._held, self._consumed = None, False
        self.app.drawing.end()
