"""Other people's hands: sets of handwriting, read, converted and drawn anew as training pictures."""

from training.hands.pools import Hands as Hands
from training.hands.pools import load_hands as load_hands
