"""Runs student code in a confined child of a warm process, and brings back what it answered.

Trusted side: `interview` asks one submission its questions over `child`, forked by `warm`; `answer`
reads what comes back with bounds. Untrusted side, which imports nothing else of the grader: `server`
(the warm process), `respond` (the child's loop), `modules` (the submission's files), `calling` (one call).
Both speak in `frames`. Nothing is imported here: the warm process imports its own side only.
"""
