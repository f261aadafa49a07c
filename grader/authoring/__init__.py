"""Does an assignment hold together; the student template from the solutions."""
