import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.evaluation.compiled import fingerprint

PACKAGE = Path(__file__).parents[2] / "harness"


def test_a_change_in_any_file_of_the_package_changes_the_fingerprint(tmp_path):
    here = shutil.copytree(PACKAGE / "evaluation", tmp_path / "evaluation")
    before = fingerprint(here)
    assert before == fingerprint(PACKAGE / "evaluation")
    file = here / "matching.py"
    file.write_text(file.read_text().replace("0.95, 10", "0.95, 9"))
    assert fingerprint(here) != before


@pytest.mark.slow
def test_compiled_code_is_made_anew_when_what_it_calls_has_changed_elsewhere(tmp_path, scene):
    project = tmp_path / "project"
    project.mkdir()
    shutil.copytree(PACKAGE, project / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    gt_json, results_json = scene.write()

    def ap() -> float:
        code = (
            "from harness.evaluation import boundary_ap\n"
            f"print(boundary_ap({str(gt_json)!r}, {str(results_json)!r})['AP'])"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
        return float(done.stdout)

    assert ap() == pytest.approx(100)
    file = project / "harness" / "evaluation" / "overlap.py"
    text = file.read_text()
    assert "return common / (" in text
    file.write_text(text.replace("return common / (", "return 0.62 * common / ("))
    # IoU 0.62 is right at three of the ten thresholds.
    assert ap() == pytest.approx(30)


def test_where_no_folder_can_be_written_code_is_compiled_all_the_same(tmp_path, scene):
    project = tmp_path / "project"
    project.mkdir()
    shutil.copytree(PACKAGE, project / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    for place in (project / "harness" / "evaluation" / "__pycache__", tmp_path / "cache"):
        place.write_text("a file, so that no folder can be made")
    gt_json, results_json = scene.write()
    code = (
        "from harness.evaluation.results_file import read_results\n"
        "from harness.evaluation.ground_truth import read_ground_truth\n"
        "from pathlib import Path\n"
        f"truth = read_ground_truth(Path({str(gt_json)!r}), 'segm')\n"
        f"print(len(read_results(Path({str(results_json)!r}), truth, 'segm')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr
