"""What `harness plan --power` tells, as data."""

import json

import pytest

from harness.statistics.power import Noise
from harness.statistics.power_report import power_report


def test_each_number_of_seeds_has_its_difference_and_each_difference_its_price():
    # Noise 0.35. n = 10: 80% takes an effect of 0.996 (1.0 gives 80.3%), so 0.35 AP. 0.3 AP is an
    # effect of 0.857 and takes 13; 0.2 AP one of 0.571 and takes 27; 0.1 AP is beyond 64.
    report = power_report(Noise(0.35), "stated", "drawn", gpu_hours_per_seed=100.0)
    detectable = {one.seeds: one.difference for one in report.detectable}
    assert list(detectable) == [3, 5, 8, 10, 20]
    assert detectable[10] == pytest.approx(0.996 * 0.35, abs=0.001)
    needed = [(one.difference, one.seeds, one.gpu_hours) for one in report.needed]
    assert needed == [(0.1, None, None), (0.2, 27, 2700.0), (0.3, 13, 1300.0)]


def test_a_report_is_json():
    report = power_report(Noise(0.35, 0.1), "stated", "drawn", gpu_hours_per_seed=100.0)
    written = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert written["noise"] == {"seed_std": 0.35, "image_std": 0.1}
    assert written["smallest_by_images"] == pytest.approx(0.28016, abs=1e-5)
    assert written["needed"][0] == {"difference": 0.1, "seeds": None, "gpu_hours": None}
