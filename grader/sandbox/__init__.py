"""Runs student code in a confined child of a warm process, and brings back what it answered.

Trusted side: `interview` asks one submission its questions over `child`, which `forking` or `fresh` start (`warm` says
which) and a `wire` reaches; `answer` reads what comes back with bounds. Untrusted side, which imports nothing else of
the grader: `server` (the warm process) or `alone` (a child started fresh), `box` and its layers, `respond` (the child's
loop), `modules` (the submission's files), `calling` (one call).
Both speak in `frames`. Nothing is imported here: the untrusted side imports its own modules only.
"""
