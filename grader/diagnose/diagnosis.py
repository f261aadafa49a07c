"""What is said about a wrong gradient, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

CERTAIN, LIKELY = "certain", "likely"


@dataclass(frozen=True)
class Diagnosis:
    """What a wrong gradient equals, in one or two sentences to the student.

    `id` is a stable slug such as "factor:1/N". `certainty` is "certain" where the answer is reproduced in
    every case and no other name fits as well, else "likely".
    """

    id: str
    message: str
    certainty: str
