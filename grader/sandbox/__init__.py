"""Runs student code in a confined child of a warm process, and brings back what it answered.

This side trusts nothing that comes back: `session` asks one submission its questions over `child`, which `forking` or
`fresh` start (`warm` says which) and a `wire` reaches; `answer` reads what comes back with bounds. The other side of
the boundary is the folder `guest`; both speak its `protocol`. Nothing is imported here: a guest imports its own only.
"""
