import os
import re

import pytest

from harness.errors import LaunchError
from harness.files import private_folder
from harness.launch.trust import refuse_shared, refuse_shared_files


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "my runs"
    private_folder(folder / "3f9c1ab2" / "submitit")
    return folder


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o775, 0o1777])
@pytest.mark.parametrize("part", ["3f9c1ab2", "3f9c1ab2/submitit"])
def test_a_folder_that_others_may_write_to_is_refused_with_the_way_out(runs, part, mode):
    (runs / part).chmod(mode)
    with pytest.raises(LaunchError, match=re.escape(f"Next: chmod go-w '{runs / part}'")):
        refuse_shared(runs / "3f9c1ab2" / "submitit", within=runs)


def test_that_others_may_read_is_no_reason(runs):
    for path in (runs, runs / "3f9c1ab2", runs / "3f9c1ab2" / "submitit"):
        path.chmod(0o755)
    refuse_shared(runs / "3f9c1ab2" / "submitit", within=runs)


def test_a_runs_folder_in_which_others_could_swap_ours_for_theirs_is_refused(runs):
    runs.chmod(0o777)
    with pytest.raises(LaunchError, match=r"^Others may write to .*my runs, and so make you run"):
        refuse_shared(runs / "3f9c1ab2", within=runs)
    runs.chmod(0o1777)  # as /tmp: each takes away only what is their own
    refuse_shared(runs / "3f9c1ab2", within=runs)


def test_a_folder_of_another_user_is_refused(runs, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 4242)
    owner = (runs / "3f9c1ab2").stat().st_uid
    told = f"belongs to user {owner}, and you are user 4242: no code is run from there. Next: move"
    with pytest.raises(LaunchError, match=told):
        refuse_shared(runs / "3f9c1ab2", within=runs)


def test_files_are_looked_at_where_others_get_as_far(runs):
    run = runs / "3f9c1ab2"
    (run / "submitit" / "job.pkl").touch()
    os.chmod(run / "submitit" / "job.pkl", 0o666)
    refuse_shared_files(run)
    run.chmod(0o755)
    with pytest.raises(LaunchError, match=r"Others may write to .*job\.pkl"):
        refuse_shared_files(run)
