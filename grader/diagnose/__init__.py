"""A wrong gradient to what is wrong with it; pure.

`search` tries one explanation after the other on what `evidence` collects from all cases. `graph` replays
a step backward one operation at a time. `worked` adds up one entry by hand. Each of the other modules knows one kind of explanation, and
`words` has every sentence.
"""

from grader.diagnose.search import CERTAIN, LIKELY, Diagnosis, diagnose
from grader.diagnose.worked import Worked, work_out

__all__ = ["CERTAIN", "LIKELY", "Diagnosis", "Worked", "diagnose", "work_out"]
