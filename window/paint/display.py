"""The window itself: opened at once in the theme's colour, with its icon, at the system's scale."""

from __future__ import annotations

import contextlib
import math
import os
import re
import subprocess
import sys
import warnings

import pygame

from window.paint.theme import PALETTES, Palette
from window.settings import LEAST_SIZE

ICON_SIDE = 64  # pixels
SEVEN = [(18, 16), (46, 16), (29, 50)]  # of the icon's pixels
USUAL_DPI = 96  # dots an inch at which the scale is 1


def open_window(size: tuple[int, int], palette: Palette) -> pygame.Surface:
    """Open the window, `size` pixels but no larger than the screen, and return what it shows. Raises pygame.error."""
    pygame.display.init()
    if "SDL_VIDEODRIVER" not in os.environ and pygame.display.get_driver() in ("offscreen", "dummy"):
        raise pygame.error("there is no display")  # and SDL would draw a window that nobody sees
    pygame.display.set_caption("Digits")
    pygame.display.set_icon(draw_icon())
    desktop = pygame.display.get_desktop_sizes()
    if desktop and os.environ.get("SDL_VIDEODRIVER") != "dummy":
        size = min(size[0], desktop[0][0]), min(size[1], desktop[0][1])
    size = max(size[0], LEAST_SIZE[0]), max(size[1], LEAST_SIZE[1])
    screen = pygame.display.set_mode(size, pygame.RESIZABLE)
    with contextlib.suppress(pygame.error, AttributeError, TypeError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there is no other way beside pygame.display
        pygame.Window.from_display_module().minimum_size = LEAST_SIZE
    screen.fill(palette.window)
    pygame.display.flip()
    return screen


def draw_icon() -> pygame.Surface:
    """Return the window's icon: a 7 in a box."""
    palette = PALETTES["light"]
    icon = pygame.Surface((ICON_SIDE, ICON_SIDE), pygame.SRCALPHA)
    pygame.draw.rect(icon, palette.accent, icon.get_rect(), border_radius=14)
    pygame.draw.lines(icon, palette.panel, False, SEVEN, 9)
    for corner in SEVEN:
        pygame.draw.aacircle(icon, palette.panel, corner, 4)
    return icon


def system_scale() -> float:
    """Return how large the system shows text, 1 for the usual size, in steps of a quarter from 1 to 4.

    macOS and Wayland enlarge the window themselves: 1.
    """
    scale = 1.0
    if os.environ.get("SDL_VIDEODRIVER") == "dummy":
        return scale
    with contextlib.suppress(Exception):  # whatever a system does not know: the usual size
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.user32.SetProcessDPIAware()  # or Windows enlarges the window, blurred
            scale = ctypes.windll.user32.GetDpiForSystem() / USUAL_DPI
        elif sys.platform == "linux" and os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            scale = float(
                os.environ.get("GDK_SCALE") or os.environ.get("QT_SCALE_FACTOR") or _x11_dpi() / USUAL_DPI
            )
    return min(max(round(scale * 4) / 4, 1.0), 4.0) if math.isfinite(scale) else 1.0


def _x11_dpi() -> float:
    """Return the dots an inch that an X11 desktop has set."""
    done = subprocess.run(["xrdb", "-query"], capture_output=True, text=True, timeout=2)
    found = re.search(r"^Xft\.dpi:\s*([\d.]+)", done.stdout, re.MULTILINE)
    return float(found[1]) if found else USUAL_DPI
