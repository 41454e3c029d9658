"""Buttons and a slider: enough for one window, reached by pointer and keyboard alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pygame

from window.paint.theme import Palette, Type, text_size


@dataclass
class Button:
    """A word that does something. `active` shows it as switched on, `enabled` whether it would do anything now."""

    label: str
    hint: str
    action: Callable[[], None]
    active: Callable[[], bool] = lambda: False
    enabled: Callable[[], bool] = lambda: True
    priority: int = 0  # the lowest leave the toolbar first when it is narrow
    apart: bool = False  # begins a group
    active_label: str = ""  # while switched on, if it says something else then
    rect: pygame.Rect = field(default_factory=lambda: pygame.Rect(0, 0, 0, 0))

    def wanted_width(self, type: Type, unit: float) -> int:
        return round(type.width(self.label, text_size(unit)) + 18 * unit)

    def press(self, position: tuple[float, float]) -> None:
        if self.enabled():
            self.action()

    def drag(self, position: tuple[float, float]) -> None:
        pass

    def nudge(self, steps: int) -> bool:
        return False

    def draw(
        self, surface: pygame.Surface, palette: Palette, type: Type, unit: float, hovered: bool, focused: bool
    ) -> None:
        enabled, active = self.enabled(), self.active()
        radius = round(6 * unit)
        if active:
            pygame.draw.rect(surface, palette.accent, self.rect, border_radius=radius)
        elif hovered and enabled:
            pygame.draw.rect(surface, palette.line, self.rect, border_radius=radius)
        if focused:
            pygame.draw.rect(
                surface,
                palette.text if active else palette.accent,
                self.rect,
                max(2, round(2 * unit)),
                radius,
            )
        colour = palette.panel if active else palette.text if enabled else palette.muted
        words = self.active_label if active and self.active_label else self.label
        text = type.render(words, text_size(unit), colour)
        surface.blit(text, text.get_rect(center=self.rect.center))


@dataclass
class Slider:
    """A number between two ends; the dot left of it shows it as a brush."""

    hint: str
    low: float
    high: float
    step: float
    get: Callable[[], float]
    set: Callable[[float], None]
    priority: int = 99
    apart: bool = False
    rect: pygame.Rect = field(default_factory=lambda: pygame.Rect(0, 0, 0, 0))

    def wanted_width(self, type: Type, unit: float) -> int:
        return round(104 * unit)

    def _track(self) -> tuple[float, float]:
        """Return the ends of the track in pixels; the dot needs the space before it."""
        return self.rect.left + self.rect.height * 1.05, self.rect.right - self.rect.height * 0.25

    def press(self, position: tuple[float, float]) -> None:
        left, right = self._track()
        share = min(max((position[0] - left) / max(right - left, 1), 0), 1)
        self.set(round((self.low + share * (self.high - self.low)) / self.step) * self.step)

    drag = press

    def nudge(self, steps: int) -> bool:
        self.set(self.get() + steps * self.step)
        return True

    def draw(
        self, surface: pygame.Surface, palette: Palette, type: Type, unit: float, hovered: bool, focused: bool
    ) -> None:
        share = (self.get() - self.low) / (self.high - self.low)
        middle = self.rect.centery
        most = self.rect.height * 0.42
        centre = (self.rect.left + self.rect.height // 2, middle)
        pygame.draw.aacircle(surface, palette.text, centre, max(1.5, most * self.get() / self.high))
        left, right = self._track()
        thick = max(2, round(4 * unit))
        x = left + share * (right - left)
        pygame.draw.rect(
            surface, palette.muted, (left, middle - thick / 2, right - left, thick), border_radius=thick
        )
        pygame.draw.rect(
            surface, palette.accent, (left, middle - thick / 2, x - left, thick), border_radius=thick
        )
        pygame.draw.aacircle(surface, palette.accent, (x, middle), (8 if hovered else 7) * unit)
        if focused:
            pygame.draw.rect(surface, palette.accent, self.rect, max(2, round(2 * unit)), round(6 * unit))


Widget = Button | Slider


def place(widgets: list[Widget], more: Button, area: pygame.Rect, type: Type, unit: float) -> list[Widget]:
    """Lay `widgets` out in a row inside `area`, as many as fit, and `more` behind them; return what is shown."""
    gap = round(3 * unit)
    shown = [*widgets, more]
    while len(shown) > 1 and sum(w.wanted_width(type, unit) + gap for w in shown) - gap > area.width:
        shown.remove(min(shown, key=lambda w: w.priority))
    spare = area.width - sum(w.wanted_width(type, unit) + gap for w in shown) + gap
    between = min(round(14 * unit), spare // max(1, sum(w.apart for w in shown)))  # groups
    x = area.left
    for widget in shown:
        width = widget.wanted_width(type, unit)
        x += between * widget.apart
        widget.rect = pygame.Rect(x, area.top, width, area.height)
        x += width + gap
    return shown
