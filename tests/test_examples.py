"""Every program in examples/ runs, and gives what its docstring promises.

They are run small. `digits.py` is also run whole, as a user runs it, because
its accuracy is a promise of its own.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(name):
    """The example as a module, without running it."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_example(name, *options):
    return load(name).main([str(option) for option in options])


@pytest.fixture
def digits_requirements():
    for package in ("sklearn", "matplotlib", "tqdm"):
        pytest.importorskip(package, reason=f"examples/digits.py needs {package}")


def test_every_example_is_tested_here():
    source = Path(__file__).read_text()
    untested = [path.stem for path in EXAMPLES.glob("*.py") if f'"{path.stem}' not in source]
    assert not untested


def test_linear_regression_finds_the_plane():
    result = run_example("linear_regression", "--steps", 100, "--points", 500)
    assert result["losses"][-1] < 0.02 < result["losses"][0]
    assert result["error"] < 0.03


def test_derivatives_agree_with_finite_differences():
    result = run_example("derivatives")
    assert result["jacobian_error"] < 1e-8
    assert result["hessian_error"] < 1e-4
    assert result["determinant"] == pytest.approx(4 * np.sin(0.6))
    np.testing.assert_allclose(result["hessian"], result["hessian"].T)
    assert result["hessian"].dtype == np.float64


def test_derivatives_leave_the_default_precision_as_it_was():
    import jx.numpy as jnp

    run_example("derivatives")
    assert jnp.ones(2).dtype == np.float32


def test_pendulum_keeps_its_energy_and_reaches_the_target():
    result = run_example("pendulum", "--steps", 200)
    assert result["states"].shape == (200, 2)
    assert result["drift"] < 1e-3
    assert result["gradient"] == pytest.approx(result["difference"], rel=1e-2)
    assert result["reached"] == pytest.approx(result["target"], abs=1e-3)


def test_a_neural_ode_is_the_same_in_a_fresh_process(tmp_path, capsys):
    model = tmp_path / "model.jx"
    result = run_example("neural_ode", "--steps", 60, "--width", 16, "--out", model)
    assert result["losses"][-1] < 0.5 * result["losses"][0]
    assert result["difference"] == 0
    assert result["gradient_difference"] == 0
    assert model.stat().st_size == result["bytes"]
    assert "cpu, cuda, tpu: states (16, 8, 2), of three trajectories (3, 8, 2)" in (
        capsys.readouterr().out
    )


def test_the_adjoint_of_the_neural_ode_is_its_gradient():
    import jx

    example = load("neural_ode")
    example.TOLERANCE = 1e-6
    params = example.make_params(jx.random.key(1), 8)
    y, seconds = np.array([1.0, -0.5], np.float32), np.float32(0.5)

    def total(params, y, seconds):
        return example.evolve(params, y, seconds).sum()

    def difference(function, h=1e-2):
        h = np.float32(h)
        return (float(function(h)) - float(function(-h))) / (2 * float(h))

    gradient, adjoint, speed = jx.grad(total, (0, 1, 2))(params, y, seconds)
    for i, e in enumerate(np.eye(2, dtype=np.float32)):
        expected = difference(lambda h, e=e: total(params, y + h * e, seconds))
        assert float(adjoint[i]) == pytest.approx(expected, rel=1e-2, abs=1e-3)
    expected = difference(lambda h: total(params, y, seconds + h))
    assert float(speed) == pytest.approx(expected, rel=1e-2, abs=1e-3)
    expected = difference(lambda h: total({**params, "bias": params["bias"] + h}, y, seconds))
    assert float(gradient["bias"].sum()) == pytest.approx(expected, rel=1e-2, abs=1e-3)


def test_batched_products_are_those_of_the_loop():
    result = run_example("batched_matvec", "--batch", 8, "--rows", 30, "--repeats", 10)
    assert result["shape"] == (8, 30)
    assert result["difference"] < 1e-4


def test_selu_is_the_same_jitted_and_eager():
    result = run_example("selu", "--size", 100_000, "--repeats", 3)
    assert result["difference"] < 1e-5
    mean, variance = result["moments"]  # SELU keeps the moments of a standard normal variable
    assert mean == pytest.approx(0.0, abs=0.02)
    assert variance == pytest.approx(1.0, abs=0.03)


def test_digits_follow_one_curve_on_one_and_on_four_devices(digits_requirements, tmp_path):
    import jx

    if len(jx.devices()) < 4:
        pytest.skip(f"needs 4 devices, there are {len(jx.devices())}; set JX_NUM_CPU_DEVICES=4")
    picture = tmp_path / "digits.png"
    one = run_example("digits", "--epochs", 2, "--out", picture)
    four = run_example("digits", "--epochs", 2, "--out", picture, "--devices", 4)
    np.testing.assert_allclose(four["losses"], one["losses"], rtol=1e-3)
    np.testing.assert_allclose(four["accuracies"], one["accuracies"], atol=0.01)
    assert one["losses"][1] < one["losses"][0]


def test_digits_repeat_with_the_seed_and_differ_without_it(digits_requirements, tmp_path):
    picture = tmp_path / "digits.png"
    first, again, other = (
        run_example("digits", "--epochs", 1, "--out", picture, "--seed", seed)["losses"]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--devices", "1000"], r"--devices 1000: there are \d+; set JX_NUM_CPU_DEVICES=1000"),
        (["--devices", "2", "--batch-size", "3"], "--batch-size 3 does not split over 2"),
        (["--batch-size", "5000"], "--batch-size 5000: there are 1437 images"),
    ],
)
def test_digits_say_which_option_cannot_be(digits_requirements, options, message):
    with pytest.raises(SystemExit, match=message):
        run_example("digits", *options)


@pytest.mark.parametrize("devices", [1, 4])
def test_digits_reach_98_percent(digits_requirements, tmp_path, devices):
    picture = tmp_path / "digits.png"
    command = [sys.executable, EXAMPLES / "digits.py", "--out", picture, "--devices", devices]
    environment = {k: v for k, v in os.environ.items() if k != "JX_NUM_CPU_DEVICES"}
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, speed, accuracy = done.stdout.splitlines()
    assert re.fullmatch(rf"images per second: \d+ \({devices} devices?\)", speed)
    assert float(re.fullmatch(r"test accuracy: (\d\.\d{4})", accuracy)[1]) >= 0.98
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "100%" in done.stderr  # the progress bar, finished
