"""The doctor's look at ImageNet weights: here, and as a job on a node finds them."""

from collections.abc import Iterable, Mapping

from harness.data.weights import PREPARE, Weights, fault, weights_folder
from harness.slurm.check import Check


def weights_here(needed: Iterable[Weights]) -> list[Check]:
    """Whether those that bases of the plan start from are whole, their hashes compared.

    Args:
        needed: the weights; no check is made where there are none.
    """
    folder = weights_folder()
    faults = {one.file: fault(one, folder, look_inside=True) for one in needed}
    if not faults:
        return []
    wrong = "; ".join(found for found in faults.values() if found)
    advice = f"Give `{PREPARE}`, or name the folder that has them in HARNESS_WEIGHTS."
    whole = f"{', '.join(faults)} in {folder}"
    return [Check("ImageNet weights", not wrong, wrong or whole, advice if wrong else "")]


def weights_on_node(faults: Mapping[str, str]) -> list[Check]:
    """Whether a job finds what is whole here.

    Args:
        faults: what the job found wrong with each of the weights, by their names.
    """
    if not faults:
        return []
    what = "ImageNet weights on the node"
    wrong = "; ".join(found for found in faults.values() if found)
    advice = (
        "A job gets HARNESS_WEIGHTS from this shell: name a folder on a file system that the nodes "
        "share. The site's setup must leave it as it is, and a container must show that folder."
    )
    return [Check(what, not wrong, wrong or ", ".join(faults), advice if wrong else "")]
