open("/tmp/planted-by-a-submission", "w")
raise SystemExit("run")
