"""Expected and actual gradients compared, and what of a wrong one only follows from an earlier slip."""
