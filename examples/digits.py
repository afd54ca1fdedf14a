"""Train a small convolutional network on real handwritten digits.

The 1,797 images of 8 x 8 pixels ship inside scikit-learn, so nothing is
downloaded. Run it on one device, or data-parallel on several:

    python examples/digits.py
    python examples/digits.py --devices 4

It prints the test accuracy and the images trained on per second, and writes a
PNG with the loss and accuracy curves and a grid of predictions. It needs
scikit-learn, matplotlib and tqdm besides jx.
"""

import argparse
import os
import time


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return int(text)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--devices", type=positive, default=1, help="split each batch over this many"
    )
    parser.add_argument("--epochs", type=positive, default=60)
    parser.add_argument("--batch-size", type=positive, default=128)
    parser.add_argument("--seed", type=int, default=0, help="of parameters, shifts and batches")
    parser.add_argument("--out", default="digits.png", help="where to write the picture")
    return parser.parse_args(argv)


if __name__ == "__main__":  # how many CPU devices there are is settled when jx starts
    os.environ["JX_NUM_CPU_DEVICES"] = str(parse_arguments().devices)

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from tqdm import tqdm  # noqa: E402

import jx  # noqa: E402
import jx.numpy as jnp  # noqa: E402
from jx.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402

CLASSES = 10
TEST_IMAGES = 360
LEARNING_RATE = 3e-3


# --- Data ------------------------------------------------------------------------------


def load_data():
    """Images (n, 8, 8, 1) in [0, 1] and labels (n,): a training and a test set."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    images = (digits.images / 16.0).astype(np.float32)[order, :, :, None]
    labels = digits.target.astype(np.int32)[order]
    test, train = slice(None, TEST_IMAGES), slice(TEST_IMAGES, None)
    return (images[train], labels[train]), (images[test], labels[test])


def shift(key, image):
    """Move an image by up to one pixel each way: the label stays, the pixels differ."""
    row, column = jx.random.randint(key, (2,), 0, 3)
    padded = jnp.pad(image, ((1, 1), (1, 1), (0, 0)))
    return jx.lax.dynamic_slice(padded, (row, column, 0), image.shape)


# --- The network -----------------------------------------------------------------------


def init_params(key):
    weights = jx.nn.initializers.he_normal()
    keys = jx.random.split(key, 4)
    return {
        "conv1": {"w": weights(keys[0], (3, 3, 1, 32)), "b": jnp.zeros(32)},
        "conv2": {"w": weights(keys[1], (3, 3, 32, 64)), "b": jnp.zeros(64)},
        "dense": {"w": weights(keys[2], (4 * 4 * 64, 128)), "b": jnp.zeros(128)},
        "output": {"w": weights(keys[3], (128, CLASSES)), "b": jnp.zeros(CLASSES)},
    }


def conv(layer, x, stride):
    x = jx.lax.conv_general_dilated(
        x,
        layer["w"],
        window_strides=(stride, stride),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return x + layer["b"]


def dense(layer, x):
    return x @ layer["w"] + layer["b"]


def predict(params, images):
    """Logits (batch, 10) of images (batch, 8, 8, 1)."""
    x = jx.nn.relu(conv(params["conv1"], images, stride=1))
    x = jx.nn.relu(conv(params["conv2"], x, stride=2))
    x = x.reshape(len(x), -1)
    x = jx.nn.relu(dense(params["dense"], x))
    return dense(params["output"], x)


def loss_fn(params, images, labels):
    """Mean cross-entropy of the predictions."""
    log_probs = jx.nn.log_softmax(predict(params, images))
    return -jnp.mean(jnp.sum(jx.nn.one_hot(labels, CLASSES) * log_probs, axis=-1))


# --- Adam (Kingma and Ba, 2015) --------------------------------------------------------


def adam_init(params):
    return {
        "mean": jx.tree.map(jnp.zeros_like, params),
        "square": jx.tree.map(jnp.zeros_like, params),
        "step": jnp.zeros((), jnp.int32),
    }


def adam_update(grads, state, params, learning_rate, b1=0.9, b2=0.999, eps=1e-8):
    step = state["step"] + 1
    mean = jx.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state["mean"], grads)
    square = jx.tree.map(lambda s, g: b2 * s + (1 - b2) * g**2, state["square"], grads)
    scale1, scale2 = 1 / (1 - b1**step), 1 / (1 - b2**step)

    def move(p, m, s):
        return p - learning_rate * scale1 * m / (jnp.sqrt(scale2 * s) + eps)

    return jx.tree.map(move, params, mean, square), {"mean": mean, "square": square, "step": step}


# --- Training --------------------------------------------------------------------------


def make_train_step(total_steps, replicated, split):
    """One compiled step; sharding its arguments is all that makes it data-parallel."""

    def train_step(params, optimizer, key, images, labels):
        step = optimizer["step"]
        keys = jx.random.split(jx.random.fold_in(key, step), len(images))
        images = jx.vmap(shift)(keys, images)
        loss, grads = jx.value_and_grad(loss_fn)(params, images, labels)
        learning_rate = LEARNING_RATE * 0.5 * (1 + jnp.cos(jnp.pi * step / total_steps))
        params, optimizer = adam_update(grads, optimizer, params, learning_rate)
        return params, optimizer, loss

    return jx.jit(
        train_step,
        in_shardings=(replicated, replicated, replicated, split, split),
        out_shardings=(replicated, replicated, replicated),
        donate_argnums=(0, 1),
    )


@jx.jit
def predicted_labels(params, images):
    return jnp.argmax(predict(params, images), axis=-1)


def train(args):
    """Train as the arguments say; gives the parameters' predictions and the curves."""
    devices = jx.devices()
    if args.devices > len(devices):
        raise SystemExit(
            f"--devices {args.devices}: there are {len(devices)}; "
            f"set JX_NUM_CPU_DEVICES={args.devices} before Python starts"
        )
    if args.batch_size % args.devices:
        raise SystemExit(f"--batch-size {args.batch_size} does not split over {args.devices}")
    mesh = Mesh(np.array(devices[: args.devices]), ("batch",))
    replicated = NamedSharding(mesh, PartitionSpec())
    split = NamedSharding(mesh, PartitionSpec("batch"))

    (images, labels), (test_images, test_labels) = load_data()
    steps_per_epoch = len(images) // args.batch_size
    if steps_per_epoch == 0:
        raise SystemExit(f"--batch-size {args.batch_size}: there are {len(images)} images")
    params_key, train_key = jx.random.split(jx.random.key(args.seed))
    params = jx.device_put(init_params(params_key), replicated)
    optimizer = jx.device_put(adam_init(params), replicated)
    train_key = jx.device_put(train_key, replicated)
    train_step = make_train_step(args.epochs * steps_per_epoch, replicated, split)

    rng = np.random.default_rng(args.seed)
    losses, accuracies, seconds = [], [], []
    progress = tqdm(range(args.epochs), desc="training", unit="epoch")
    for _ in progress:
        start = time.perf_counter()
        epoch_losses = []
        batches = rng.permutation(len(images))[: steps_per_epoch * args.batch_size]
        for batch in batches.reshape(steps_per_epoch, args.batch_size):
            x, y = jx.device_put((images[batch], labels[batch]), split)
            params, optimizer, loss = train_step(params, optimizer, train_key, x, y)
            epoch_losses.append(loss)
        losses.append(float(np.mean([float(loss) for loss in epoch_losses])))
        seconds.append(time.perf_counter() - start)
        predictions = np.asarray(predicted_labels(params, test_images))
        accuracies.append(float(np.mean(predictions == test_labels)))
        progress.set_postfix(loss=f"{losses[-1]:.4f}", accuracy=f"{accuracies[-1]:.4f}")

    warm = seconds[1:] or seconds  # the first epoch also compiles
    return {
        "losses": losses,
        "accuracies": accuracies,
        "test_accuracy": accuracies[-1],
        "images_per_second": len(warm) * steps_per_epoch * args.batch_size / sum(warm),
        "predictions": predictions,
        "devices": args.devices,
    }


# --- The picture -----------------------------------------------------------------------


def draw(result, path, rows=4, columns=8):
    """Loss and accuracy curves above a grid of test digits, mistakes first and in red."""
    _, (images, labels) = load_data()
    predictions = result["predictions"]
    shown = np.argsort(predictions == labels, kind="stable")[: rows * columns]
    figure = plt.figure(figsize=(9, 8), layout="constrained")
    curves, grid = figure.subfigures(2, 1, height_ratios=(2, 3))

    loss_axes, accuracy_axes = curves.subplots(1, 2)
    epochs = range(1, len(result["losses"]) + 1)
    loss_axes.semilogy(epochs, result["losses"])
    loss_axes.set(title="training loss", xlabel="epoch")
    accuracy_axes.plot(epochs, result["accuracies"])
    accuracy_axes.set(title=f"test accuracy: {result['test_accuracy']:.4f}", xlabel="epoch")

    grid.suptitle("predictions (mistakes in red, with the true digit)")
    for axes, i in zip(grid.subplots(rows, columns).flat, shown, strict=True):
        right = predictions[i] == labels[i]
        title = f"{predictions[i]}" if right else f"{predictions[i]}, not {labels[i]}"
        axes.imshow(images[i, :, :, 0], cmap="gray_r")
        axes.set_title(title, color="black" if right else "red", fontsize=9)
        axes.axis("off")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(argv=None):
    args = parse_arguments(argv)
    result = train(args)
    draw(result, args.out)
    print(f"curves and predictions: {args.out}")
    devices = f"{args.devices} device" + "s" * (args.devices > 1)
    print(f"images per second: {result['images_per_second']:.0f} ({devices})")
    print(f"test accuracy: {result['test_accuracy']:.4f}")
    return result


if __name__ == "__main__":
    main()
