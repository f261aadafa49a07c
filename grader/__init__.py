"""Grades hand-written backward passes against autograd, and says what went wrong."""
