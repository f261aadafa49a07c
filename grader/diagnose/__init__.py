"""A wrong gradient to what is wrong with it; pure.

`search` tries one explanation after the other on what `evidence` collects from all cases. `graph` replays
a step backward one operation at a time. Each of the other modules knows one kind of explanation, and
`words` has every sentence.
"""

from grader.diagnose.search import CERTAIN, LIKELY, NOT_LOOKED_INTO, Diagnosis, diagnose

__all__ = ["CERTAIN", "LIKELY", "NOT_LOOKED_INTO", "Diagnosis", "diagnose"]
