"""Many submissions: find them, grade them on an executor, keep and resume, and make the gradebook.

`collect`, `tree` and `archives` find what was handed in; `run` gives each as a `task` to an executor (`crash_safe` or
`cluster`), where a `worker` grades it; `store` keeps what comes back; `gradebook`, `class_report` and `export` are made
from what is kept. Only `worker` loads torch.
"""

from grader.batch.collect import parse_time
from grader.batch.run import Options, Summary, default_jobs, grade_batch, parse_shard

__all__ = ["Options", "Summary", "default_jobs", "grade_batch", "parse_shard", "parse_time"]
