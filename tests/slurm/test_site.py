"""A site file: what it may say, and how a wrong one is told."""

from pathlib import Path

import pytest

from harness.errors import LaunchError
from harness.slurm.site import Site, SiteError, load_site, site_names

FOLDER = Path(__file__).parents[2] / "slurm"
LEAST = "gpus_per_node = 4\ncpus_per_gpu = 8\ntime_limit_min = 480\n"


@pytest.fixture
def load(tmp_path):
    """A function from a text to the site of a file `here.toml` that holds it."""

    def site(text: str) -> Site:
        (tmp_path / "here.toml").write_text(text, encoding="utf-8")
        return load_site("here", tmp_path)

    return site


@pytest.mark.parametrize("name", site_names(FOLDER))
def test_the_site_files_that_come_with_harness_are_right(name):
    assert load_site(name, FOLDER).name == name


def test_the_examples_and_the_test_cluster_are_there():
    assert {"example-4gpu", "example-8gpu", "devcluster"} <= set(site_names(FOLDER))


def test_the_first_example_names_every_key():
    text = (FOLDER / "example-4gpu.toml").read_text(encoding="utf-8")
    keys = {line.lstrip("# ").partition(" = ")[0] for line in text.splitlines()}
    assert set(Site.model_fields) - {"name", "sbatch"} <= keys
    assert "[sbatch]" in text


def test_what_is_left_out_has_its_default(load):
    site = load(LEAST)
    assert (site.partition, site.gpu_option, site.requeue) == (None, "gpus-per-node", True)
    assert (site.signal_before_end_s, site.max_array_size) == (120, 1001)
    assert (site.max_submitted, site.max_running, site.mem_gb_per_gpu) == (None, None, None)


def test_further_options_have_a_table_of_their_own(load):
    site = load(LEAST + '[sbatch]\nnice = 100\nexclusive = true\nmail-type = "END,FAIL"\n')
    assert site.sbatch == {"nice": 100, "exclusive": True, "mail-type": "END,FAIL"}


def test_a_site_cannot_be_changed_afterwards(load):
    with pytest.raises(ValueError, match="frozen"):
        load(LEAST).partition = "gpu"


def test_an_unknown_site_is_told_with_the_nearest_and_how_to_add_one(tmp_path):
    (tmp_path / "jura.toml").write_text(LEAST)
    with pytest.raises(LaunchError) as told:
        load_site("jra", tmp_path)
    assert "Unknown site 'jra'. Did you mean 'jura'? Known sites: jura, local." in str(told.value)
    assert f"A new one is a file {tmp_path / 'jra.toml'}: see slurm/README.md." in str(told.value)


def test_a_name_is_no_way_out_of_the_folder(tmp_path):
    (tmp_path / "jura.toml").write_text(LEAST)
    (tmp_path / "sites").mkdir()
    with pytest.raises(LaunchError, match=r"Unknown site '\.\./jura'"):
        load_site("../jura", tmp_path / "sites")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("gpus_per_nod = 3", "gpus_per_nod: Unknown key 'gpus_per_nod'. Did you mean 'gpus_per_no"),
        ('max_running = "4"', "max_running = '4': allowed is a whole number."),
        ("max_running = true", "max_running = true: allowed is a whole number."),
        ("max_submitted = 0", "max_submitted = 0: allowed is 4 or more."),
        ("mem_gb_per_gpu = nan", "mem_gb_per_gpu = nan: allowed is a number."),
        ("mem_gb_per_gpu = 0", "mem_gb_per_gpu = 0: allowed is a number above 0."),
        ('requeue = "yes"', "requeue = 'yes': allowed is true or false."),
        ('gpu_option = "gpus"', "gpu_option = 'gpus': allowed is 'gpus-per-node' or 'gres'."),
        (
            'gpu_type = "gpu:a100:4"',
            "gpu_type = 'gpu:a100:4': allowed is the type alone, as in 'a1",
        ),
        ('setup = "module load x"', "setup = 'module load x': allowed is a list of texts in [ ]."),
        ("signal_before_end_s = 14401", "signal_before_end_s: 14401 s is more than half of time_l"),
        ('python = "venv/bin/python"', "python = 'venv/bin/python': allowed is an absolute path"),
        ('name = "jura"', "name: a site is called as its file. Leave it out."),
        ("sbatch = 3", "sbatch = 3: allowed is a table [sbatch]."),
        ("a = = 3", "a: this is not TOML: Invalid value (at line 4, column 5)."),
        ("cpus_per_gpu = 3", "cpus_per_gpu: given twice. Leave one of the two lines."),
        ("signal_before_end_s = 1.5", "signal_before_end_s = 1.5: allowed is a whole number."),
    ],
)
def test_a_wrong_line_is_told_with_file_line_key_and_what_is_allowed(line, told, load, tmp_path):
    # The three lines of LEAST are right: the fourth is not.
    with pytest.raises(SiteError) as error:
        load(LEAST + line + "\n")
    assert str(error.value).startswith(f"{tmp_path / 'here.toml'}:4: {told}")


@pytest.mark.parametrize(
    "line",
    [
        r'partition = "gpu\n#SBATCH --uid=0"',
        'partition = "gpu --uid=0"',
        'account = ""',
        r'container = ["run\n", "rm"]',
        'setup = ["#SBATCH --mem=0"]',
        '[sbatch]\ncomment = "a\\nb"',
    ],
)
def test_what_would_break_the_batch_script_is_refused(line, load):
    with pytest.raises(SiteError, match="allowed is"):
        load(LEAST + line + "\n")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("array", "harness sets this option itself. Leave it out."),
        ("requeue", "harness sets this option itself, by the key requeue. Leave it out."),
        ("mem-per-cpu", "harness sets this option itself, by the key mem_gb_per_gpu. Leave it out"),
        ("depend", "give sbatch's long name in full"),  # sbatch would take it for --dependency
        ("p", "give sbatch's long name in full"),
        ("mail_type", "give sbatch's long name in full"),
    ],
)
def test_options_that_harness_needs_are_not_for_site_files(option, told, load):
    # Line 4 is empty, line 5 the heading, line 6 an option that is right, line 7 this one.
    with pytest.raises(SiteError) as error:
        load(f"{LEAST}\n[sbatch]\nnice = 1\n{option} = 2\n")
    assert f"here.toml:7: sbatch.{option}: {told}" in str(error.value)


TOLD = (
    "here.toml:1: gpus_per_node = '4': allowed is a whole number.",
    "here.toml: cpus_per_gpu is missing. Add a line `cpus_per_gpu = ...`",
    "here.toml:2: time_limit_min = 1: allowed is 2 or more.",
)


def test_every_wrong_key_is_told_at_once(load):
    with pytest.raises(SiteError) as error:
        load('gpus_per_node = "4"\ntime_limit_min = 1\n')
    lines = str(error.value).splitlines()
    assert [told in line for told, line in zip(TOLD, lines, strict=True)] == [True] * 3


def test_a_default_that_does_not_fit_is_told_at_the_time_limit(load):
    # 120 s of warning, the default, are more than half of 3 minutes.
    with pytest.raises(SiteError, match=r"toml:3: signal_before_end_s: .*allowed is 90 or less"):
        load(LEAST.replace("480", "3"))


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "here.toml").write_bytes(b"partition = '\xff'\n")
    with pytest.raises(SiteError, match=r"here\.toml is not UTF-8"):
        load_site("here", tmp_path)
