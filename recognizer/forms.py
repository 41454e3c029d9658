"""The usual forms of numbers: amounts, dates, times, telephone numbers, sums. They decide where a mark may be a 1 or a slash."""

from __future__ import annotations

import re

FORMS = (  # a # is a digit, an N one to four; "?" any other mark, such as a currency's
    "N.N N,N -N -N.N 0.N #.## #,## N.## N,## #,### ##,### #,###,### #.###,## ##/##/#### #/#/## ##/##/## #/##/## ##/#/## "
    "##.##.#### ##-##-## ####-##-## ##-#-## #-##-## ##:## #:## ##:##:## N% N.N% N% +N +######### ###-#### ###-###-#### "
    "(###)###-#### (###) #-###-###-#### #####-#### N-N N+N N+N=N N-N=N NxN NxN=N N÷N N÷N=N #+#=# #/# (N) N:N N=N "
    "(N+N)xN #. N, -.N N. ?N ?N,### ?N.## ?N,###.## ?#,###,### N?"
).split()
MEANINGS = {"#": r"\d", "N": r"\d{1,4}"}
USUAL = re.compile(
    "|".join([r"\d+", *("".join(MEANINGS.get(c, re.escape(c)) for c in form) for form in FORMS)])
)


def is_usual(text: str) -> bool:
    """Return whether `text` is a number of digits alone, or in one of the usual forms."""
    return USUAL.fullmatch(text) is not None
