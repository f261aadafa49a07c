raise SystemExit("imported in place of the installed one")
