"""A new assignment made from a forward pass."""

from grader.authoring.new.assignment import Made, new_assignment

__all__ = ["Made", "new_assignment"]
