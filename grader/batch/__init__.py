"""Many submissions: find them, grade them, keep what was found out."""

from grader.batch.run import Summary, grade_batch

__all__ = ["Summary", "grade_batch"]
