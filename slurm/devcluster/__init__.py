"""A real Slurm on one host, for tests and for `make demo SITE=devcluster`. See README.md."""
