"""The judge: flows, checks, verdicts and reports, and around them the runs, the vendors and the command line."""
