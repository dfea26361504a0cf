"""What seeds can settle as people read it, at 80 columns."""

from harness.statistics.power import Noise
from harness.statistics.power_report import power_report
from harness.terminal.power_view import show_power


def shown(noise, console, of_images="Not counted.") -> list[str]:
    show_power(power_report(noise, "Stated, not measured.", of_images, 100.0), console)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    return [" ".join(line.split()) for line in lines]


def test_noise_seeds_differences_and_prices_are_shown(console):
    # 64 seeds of 100 GPU-hours are not enough for 0.1 AP.
    assert shown(Noise(0.35), console) == [
        "",
        "Power: which differences seeds can tell from noise",
        "Noise of a difference: 0.35 AP between seeds. Stated, not measured.",
        "Test images: Not counted. Which ones there are adds to this, as much with many",
        "seeds as with few.",
        "Tests are two-sided at 5%; a difference counts as detected where they find it",
        "80% of the time.",
        "",
        "seeds smallest difference detected",
        "3 1.14 AP",
        "5 0.59 AP",
        "8 0.40 AP",
        "10 0.35 AP",
        "20 0.23 AP",
        "",
        "One seed of all these runs takes 100 GPU-hours.",
        "",
        "to settle seeds needed GPU-hours",
        "0.1 AP more than 64 more than 6,400",
        "0.2 AP 27 2,700",
        "0.3 AP 13 1,300",
    ]


def test_what_the_images_hide_is_said_to_be_beyond_any_number_of_seeds(console):
    # 2.8016 x 0.05 = 0.14 AP.
    text = shown(Noise(0.35, 0.05), console, of_images="Measured on draws.")
    told = "Test images: 0.05 AP. Measured on draws. Differences below 0.14 AP are settled by no"
    assert "Noise of a difference: 0.35 AP between seeds. Stated, not measured." in text
    assert told in " ".join(text)
    assert "0.1 AP no number –" in text
