"""A grid on a Slurm cluster: arrays through submitit, states from files first, then one query."""
