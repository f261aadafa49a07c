"""Everything that runs in the process of a student's code, or in the one that forks it: the guest side of the box.

It imports nothing else of the grader, knows no expected gradient, and what it says is believed by nobody. `warm_main`
is the process that forks and `child_main` a child that is started fresh; both put on the `box` and answer `requests`.
"""
