import json
import os
import subprocess
import types

import pytest

from harness.files import write_json
from harness.launch import environment as facts
from harness.launch.code import changed_files, commit_of, describe_commit, hash_of_code
from harness.launch.environment import (
    PRIVATE,
    describe_device,
    describe_environment,
    describe_job,
    driver_version,
    earlier_code,
)
from harness.paths import code_facts


def run_git(folder, *arguments):
    person = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *person, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A repository with harness/a.py, an experiment and a table, all committed; it ignores runs."""
    folder = tmp_path / "checkout"
    for name in ("harness/a.py", "experiments/table.py", "results/table.md", ".gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("/runs/\n" if name == ".gitignore" else "1\n")
    run_git(folder, "init", "--quiet")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "-m", "First")
    return folder


@pytest.fixture
def slurm(monkeypatch):
    """What Slurm sets for task 7 of array 123."""
    for name, value in {
        "SLURM_CLUSTER_NAME": "daedalus",
        "SLURM_JOB_PARTITION": "gpu",
        "SLURMD_NODENAME": "node3",
        "SLURM_JOB_ID": "130",
        "SLURM_ARRAY_JOB_ID": "123",
        "SLURM_ARRAY_TASK_ID": "7",
    }.items():
        monkeypatch.setenv(name, value)


def test_the_code_that_computes_is_recorded_by_hash_and_commit():
    found = describe_environment()
    assert {"losses_code", "detection_code", "host", "platform", "python"} <= set(found)
    assert found["losses_code"] != found["detection_code"]
    assert all(isinstance(value, str) for value in found.values())


def test_no_secret_of_the_environment_is_recorded(monkeypatch, slurm):
    secret = "hf_1f0e9d8c7b6a"
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "SLURM_JWT", "SLURM_JOB_COMMENT", "GIT_AUTH"):
        monkeypatch.setenv(name, secret)
    assert secret not in json.dumps(describe_environment())


def test_a_job_of_slurm_says_where_it_runs_and_metrics_leave_that_out(slurm):
    assert describe_job() == {
        "cluster": "daedalus",
        "partition": "gpu",
        "node": "node3",
        "job": "123_7",  # as squeue and scancel take it; 130 is another name of the same job
    }
    assert set(describe_job()) | {"host", "platform"} == set(PRIVATE)


def test_a_job_that_is_no_array_has_its_own_number(monkeypatch, slurm):
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID")
    assert describe_job()["job"] == "130"


def test_outside_slurm_nothing_is_said_of_a_job(monkeypatch):
    for name in facts.SLURM.values():
        monkeypatch.delenv(name, raising=False)
    assert describe_job() == {}


def a_gpu():
    return types.SimpleNamespace(
        cuda=types.SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "Tesla P100"),
        version=types.SimpleNamespace(cuda="12.4"),
        get_num_threads=lambda: 8,
    )


def test_on_a_gpu_its_driver_is_recorded(monkeypatch, tmp_path):
    (tmp_path / "version").write_text("550.54.15\n")
    monkeypatch.setattr(facts, "DRIVER", tmp_path / "version")
    monkeypatch.setitem(facts.sys.modules, "torch", a_gpu())
    assert describe_device()["driver"] == "550.54.15"


def test_where_the_kernel_does_not_say_the_drivers_own_tool_is_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(facts, "DRIVER", tmp_path / "none")
    monkeypatch.setattr(facts, "ASK_DRIVER", ("printf", r"535.1\n535.1\n"))  # two GPUs
    assert driver_version() == "535.1"
    monkeypatch.setattr(facts, "ASK_DRIVER", (str(tmp_path / "no nvidia-smi"),))
    assert driver_version() == ""


def test_a_clean_checkout_is_its_commit(checkout):
    commit = run_git(checkout, "rev-parse", "HEAD")
    assert describe_commit(checkout) == {"commit": commit, "uncommitted_changes": "no"}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("harness/a.py", True),
        ("harness/new.py", True),
        ("experiments/new.py", True),
        (".gitignore", True),
        ("results/table.md", False),  # tables are rebuilt while runs go on
        ("results/new.md", False),
        ("runs/3f9c1ab2/spec.json", False),
        ("notes.txt", False),  # new, and no code is looked for there
    ],
)
def test_what_moves_numbers_counts_as_a_change_and_nothing_else(checkout, name, counts):
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("/runs/\n# 2\n")
    assert changed_files(checkout) == ([name] if counts else [])
    assert describe_commit(checkout)["uncommitted_changes"] == ("yes" if counts else "no")


def test_a_change_that_is_staged_or_a_file_that_is_gone_counts(checkout):
    (checkout / "harness" / "a.py").unlink()
    run_git(checkout, "mv", "experiments/table.py", "experiments/moved.py")
    assert changed_files(checkout) == [
        *("experiments/moved.py", "experiments/table.py", "harness/a.py"),
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_a_checkout_that_git_refuses_is_not_taken_for_a_clean_one(checkout, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # it may trust every folder
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for path in (checkout, checkout / ".git"):
        os.chown(path, 4242, 4242)
    assert describe_commit(checkout) == {"commit": "unknown", "uncommitted_changes": "unknown"}


def test_without_git_nothing_is_said_to_be_clean(checkout, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_commit(checkout)["uncommitted_changes"] == "unknown"


def test_a_hook_s_variables_do_not_lead_to_another_repository(checkout, monkeypatch, tmp_path):
    commit = commit_of(checkout)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert commit_of(checkout) == commit


def test_a_snapshot_says_its_commit_itself(tmp_path):
    said = {"commit": "a" * 40, "uncommitted_changes": "yes"}
    write_json(code_facts(tmp_path), said | {"code_hash": "b"})
    assert describe_commit(tmp_path) == said


def test_a_hash_of_code_sees_names_contents_and_nothing_but_python(tmp_path):
    def written(**files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, content in files.items():
            path = folder / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return folder

    first = written(a="1", deep__b="2")
    assert hash_of_code(first) == hash_of_code(written(a="1", deep__b="2"))
    (first / "notes.txt").write_text("no code")
    assert hash_of_code(first) == hash_of_code(written(a="1", deep__b="2"))
    # Moved between files, or between name and content, it is other code.
    others = [written(a="2", deep__b="1"), written(a="1", b="2"), written(a="1deep/b.py2")]
    assert len({hash_of_code(first), *map(hash_of_code, others)}) == 4


def test_a_run_that_goes_on_with_other_code_names_both(tmp_path):
    recorded = tmp_path / "env.json"
    recorded.write_text('{"losses_code": "aaaa", "detection_code": "bbbb"}')
    now = {"losses_code": "aaaa", "detection_code": "cccc"}
    assert earlier_code(now, recorded) == {"losses_code": "aaaa", "detection_code": "bbbb cccc"}


def test_a_third_attempt_adds_no_code_twice(tmp_path):
    recorded = tmp_path / "env.json"
    recorded.write_text('{"losses_code": "aaaa", "detection_code": "bbbb cccc"}')
    now = {"losses_code": "aaaa", "detection_code": "cccc"}
    assert earlier_code(now, recorded)["detection_code"] == "bbbb cccc"


def test_a_damaged_record_adds_nothing(tmp_path):
    (tmp_path / "env.json").write_text("{")
    assert earlier_code({}, tmp_path / "env.json") == {}
