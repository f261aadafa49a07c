"""What a student works with beside the command: grading on every save, a case as a script, grading in a notebook."""
