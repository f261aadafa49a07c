"""Answers to feedback: what a function returned, held against its cases, its properties and the clock."""
