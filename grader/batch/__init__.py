"""Many submissions: find them, grade them on an executor, keep and resume, and make the gradebook.

`tree`, `archives`, `systems` and `discovery` find what was handed in; `run` gives it through `runner` to an
executor (`local`, `cluster`), where `work` and `desk` grade it; `store` keeps what comes back; `gradebook`,
`class_report` and `export` are made from what is kept. Only `desk` and `override` load torch.
"""

from grader.batch.discovery import parse_time
from grader.batch.run import Options, Summary, default_jobs, grade_batch, parse_shard

__all__ = ["Options", "Summary", "default_jobs", "grade_batch", "parse_shard", "parse_time"]
