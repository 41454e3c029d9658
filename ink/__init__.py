"""Any picture or strokes -> ink -> lines -> pieces -> frames. No torch, and nothing of ours from outside.

Here: the symbols that numbers are written with, in the order in which networks count them.
"""

DIGITS = tuple("0123456789")
SYMBOLS = (
    *DIGITS,
    *".,-+/:=()%x÷?",
)  # what a line reader tells apart; "?" is a mark that is none of the others
BLANK = len(SYMBOLS)  # the class of columns where no symbol is said
