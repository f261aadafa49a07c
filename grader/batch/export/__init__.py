"""A batch's grades in the format of another system."""

from grader.batch.export.write import FORMATS, Export, export

__all__ = ["FORMATS", "Export", "export"]
