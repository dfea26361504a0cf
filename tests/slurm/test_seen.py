"""What `status`, `fails` and `logs` show of runs that were given to Slurm."""

from harness.slurm.seen import failures_of, look_at


def test_runs_out_of_memory_have_one_reason_and_each_its_command(give, cluster, grid, runs, ids):
    give()
    bases = [ids["base R50"], ids["base R101"]]
    for base in bases:
        cluster.start(base)
        cluster.end(base, "OUT_OF_MEMORY")
    failed = failures_of(grid, runs)
    assert {failure.reason for failure in failed} == {"its job ran out of memory, 16 GB asked for"}
    options = f"--scale demo --runs {runs.folder}"
    # 1 GPU at the site's 16 GB: twice that is offered.
    assert [one.again for one in failed] == [
        f"harness retry {base} --mem-gb 32 {options}" for base in bases
    ]


def test_the_memory_of_the_newest_submission_is_doubled(give, cluster, grid, runs, ids):
    base = ids["base R50"]
    for more in ({}, {"again": [base], "only": [base], "mem_gb": 48.0}):
        give(**more)
        cluster.start(base)
        cluster.end(base, "OUT_OF_MEMORY")
    (failure,) = failures_of(grid, runs)
    assert f"harness retry {base} --mem-gb 96 " in failure.again


def test_a_look_says_whether_slurm_was_asked(give, cluster, grid, runs):
    look = look_at(grid, runs)
    assert look().asked is False
    give()
    assert look().asked is True
    cluster.set(unreachable=True)
    assert look().asked is True
    assert look().note.startswith("By files alone")
