"""The loop trains, stops, resumes and says what is wrong."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import torch
from torch import nn

from neurodecode.errors import CorruptFileError
from neurodecode.training import History, Plan, Progress, pick_device, seeded, train

CPU = {"device": "cpu"}


class Lines:
    """y = x W with noise, in batches that depend on epoch and seed alone."""

    def __init__(self, n_steps: int = 4, n: int = 16, spoil: int | None = None) -> None:
        self.n_steps, self.n, self.spoil = n_steps, n, spoil

    def __len__(self):
        return self.n_steps

    def epoch(self, epoch, seed):
        draw = np.random.default_rng([seed, epoch])
        weights = np.random.default_rng(7).normal(size=(3, 2)).astype(np.float32)
        for index in range(self.n_steps):
            x = draw.normal(size=(self.n, 3)).astype(np.float32)
            if self.spoil == epoch * self.n_steps + index:
                x[0, 0] = np.nan
            yield torch.from_numpy(x), torch.from_numpy(x @ weights)


def model(seed: int = 0) -> nn.Module:
    with seeded(seed):
        return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.1), nn.Linear(8, 2))


def step(module, batch, progress):
    x, y = batch
    loss = (module(x) - y).square().mean()
    return {"loss": loss, "fraction": torch.tensor(progress.fraction)}


def weights_of(module):
    return {name: one.clone() for name, one in module.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
def test_learns_with_each_schedule(schedule):
    module = model()
    plan = Plan(max_epochs=30, learning_rate=2e-2, schedule=schedule, **CPU)
    history = train(module, step, Lines(), plan)
    assert history.finished and len(history) == 30
    assert history.column("train_loss")[-1] < 0.2 * history.column("train_loss")[0]
    assert not module.training
    rates = history.column("learning_rate")
    assert max(rates) <= 2e-2 + 1e-9
    assert (rates[-1] == rates[0]) if schedule == "constant" else (rates[-1] < 1e-3)


def test_progress_counts_from_nought_to_just_below_one():
    seen: list[Progress] = []

    def watch(module, batch, progress):
        seen.append(progress)
        return step(module, batch, progress)

    train(model(), watch, Lines(2), Plan(max_epochs=3, **CPU))
    assert [one.step for one in seen] == list(range(6))
    assert [one.epoch for one in seen] == [0, 0, 1, 1, 2, 2]
    assert [round(one.fraction * 6) for one in seen] == list(range(6))


def test_same_seed_same_weights_and_global_generators_are_put_back():
    first, second, other = model(), model(), model()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(first, step, Lines(), Plan(max_epochs=2, **CPU), seed=1)
    assert torch.equal(before, torch.get_rng_state())
    train(second, step, Lines(), Plan(max_epochs=2, **CPU), seed=1)
    train(other, step, Lines(), Plan(max_epochs=2, **CPU), seed=2)
    assert same(weights_of(first), weights_of(second))
    assert not same(weights_of(first), weights_of(other))


def test_best_weights_are_restored_and_patience_stops():
    module, losses, kept = model(), [3.0, 1.0, 2.0, 2.0, 2.0, 0.5], []

    def validate(module):
        kept.append(weights_of(module))
        assert not module.training and not torch.is_grad_enabled()
        return {"loss": losses[len(kept) - 1], "extra": 1.0}

    plan = Plan(max_epochs=6, patience=3, **CPU)
    history = train(module, step, Lines(), plan, validate=validate)
    assert len(history) == 5 and history.best_epoch == 1 and history.best_loss == 1.0
    assert same(weights_of(module), kept[1])
    assert not same(weights_of(module), kept[4])


def test_a_validation_loss_that_is_never_a_number_runs_out_of_patience():
    plan = Plan(max_epochs=9, patience=2, **CPU)
    history = train(model(), step, Lines(), plan, validate=lambda _: {"loss": math.nan})
    assert len(history) == 2 and history.best_epoch is None


def test_accumulated_small_batches_equal_one_large_one():
    class Halves(Lines):
        def __len__(self):
            return 2 * self.n_steps

        def epoch(self, epoch, seed):
            for x, y in super().epoch(epoch, seed):
                half = len(x) // 2
                yield x[:half], y[:half]
                yield x[half:], y[half:]

    def plain():
        with seeded(0):
            return nn.Linear(3, 2)

    whole, halves = plain(), plain()
    train(whole, step, Lines(3), Plan(max_epochs=2, **CPU))
    train(halves, step, Halves(3), Plan(max_epochs=2, accumulate=2, **CPU))
    for one, other in zip(whole.parameters(), halves.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_the_last_short_group_moves_the_weights_by_its_own_mean():
    with seeded(0):
        first = nn.Linear(3, 2)
    with seeded(0):
        second = nn.Linear(3, 2)
    train(first, step, Lines(1), Plan(max_epochs=1, schedule="constant", **CPU))
    plan = Plan(max_epochs=1, schedule="constant", accumulate=4, **CPU)
    train(second, step, Lines(1), plan)
    assert same(weights_of(first), weights_of(second))


def test_clipping_bounds_the_step():
    def steep(module, batch, progress):
        return {"loss": 1e6 * module.weight.sum()}

    sizes = []
    for clip in (None, 1e-12):
        module = nn.Linear(2, 2)
        before = module.weight.detach().clone()
        plan = Plan(max_epochs=1, gradient_clip=clip, weight_decay=0, schedule="constant", **CPU)
        train(module, steep, Lines(1), plan)
        sizes.append(float((module.weight - before).abs().max().detach()))
    # AdamW's epsilon (1e-8) swallows a gradient of 1e-12.
    assert sizes[0] > 1e-4 > 1e-6 > sizes[1]


def test_biases_are_not_decayed():
    module = nn.Linear(2, 2)
    nn.init.ones_(module.weight)
    nn.init.ones_(module.bias)

    def still(module, batch, progress):
        return {"loss": 0 * sum(one.sum() for one in module.parameters())}

    plan = Plan(max_epochs=1, weight_decay=0.5, learning_rate=0.1, schedule="constant", **CPU)
    train(module, still, Lines(1), plan)
    assert torch.all(module.bias == 1) and torch.allclose(module.weight, torch.tensor(0.95))


def test_groups_of_the_module_with_their_own_rate():
    class Grouped(nn.Linear):
        def parameter_groups(self):
            return [{"params": [self.weight], "lr_scale": 0.0}, {"params": [self.bias]}]

    module = Grouped(3, 2)
    before = weights_of(module)
    train(module, step, Lines(), Plan(max_epochs=1, weight_decay=0, **CPU))
    assert torch.equal(module.weight, before["weight"])
    assert not torch.equal(module.bias, before["bias"])


def test_bf16_autocast_reaches_methods_other_than_forward():
    kinds = set()

    class Net(nn.Linear):
        def embed(self, x):
            out = self(x)
            kinds.add(out.dtype)
            return out

    def other(module, batch, progress):
        return {"loss": (module.embed(batch[0]).float() - batch[1]).square().mean()}

    module = Net(3, 2)
    train(module, other, Lines(), Plan(max_epochs=1, precision="bf16-mixed", **CPU))
    assert kinds == {torch.bfloat16} and module.weight.dtype == torch.float32


def test_metrics_are_written_one_line_an_epoch(tmp_path):
    plan = Plan(max_epochs=3, **CPU)
    train(model(), step, Lines(), plan, validate=lambda _: {"loss": 1.0}, folder=tmp_path)
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert {"learning_rate", "train_loss", "train_fraction", "validation_loss"} < set(rows[0])
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, second = model(), model(3)
    plan = Plan(max_epochs=3, **CPU)
    done = train(first, step, Lines(), plan, folder=tmp_path)

    def never(module, batch, progress):
        raise AssertionError

    again = train(second, never, Lines(), plan, folder=tmp_path)
    assert again.rows == done.rows and same(weights_of(first), weights_of(second))


def test_a_folder_of_another_run_is_refused(tmp_path):
    train(model(), step, Lines(), Plan(max_epochs=2, **CPU), folder=tmp_path)
    with pytest.raises(ValueError, match=r"What differs: learning_rate: 0\.0003, now 0\.1\. Give"):
        train(model(), step, Lines(), Plan(max_epochs=2, learning_rate=0.1, **CPU), folder=tmp_path)
    with pytest.raises(ValueError, match="weights of other names or shapes"):
        train(nn.Linear(3, 2), step, Lines(), Plan(max_epochs=2, **CPU), folder=tmp_path)
    with pytest.raises(ValueError, match="seed: 0, now 1"):
        train(model(), step, Lines(), Plan(max_epochs=2, **CPU), folder=tmp_path, seed=1)


def test_a_cut_or_foreign_checkpoint_is_named(tmp_path):
    plan = Plan(max_epochs=1, **CPU)
    train(model(), step, Lines(), plan, folder=tmp_path)
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(CorruptFileError, match=r"checkpoint\.pt is cut off or is no checkpoint"):
        train(model(), step, Lines(), plan, folder=tmp_path)
    torch.save({"module": {}}, file)
    with pytest.raises(CorruptFileError, match=r"checkpoint\.pt lacks best, history"):
        train(model(), step, Lines(), plan, folder=tmp_path)


def test_a_loss_that_is_not_a_number_stops_with_its_place():
    with pytest.raises(
        ValueError,
        match=r"Training stopped: the loss is nan in epoch 1, step 2 of 4\. Check the input",
    ):
        train(model(), step, Lines(spoil=6), Plan(max_epochs=3, **CPU))


def test_a_gradient_that_is_not_finite_stops_before_the_weights_move():
    module = nn.Linear(1, 1)
    before = weights_of(module)

    def root(module, batch, progress):
        return {"loss": (0 * module.weight).sqrt().sum() + module.bias.sum()}

    with pytest.raises(ValueError, match="the gradient is nan in epoch 0, step 0 of 1"):
        train(module, root, Lines(1), Plan(max_epochs=1, **CPU))
    assert same(before, weights_of(module))


def test_what_a_step_and_a_validation_must_return():
    plan = Plan(max_epochs=1, **CPU)
    with pytest.raises(ValueError, match=r"step\(\) must return a 'loss' .* got mse"):
        train(model(), lambda m, b, p: {"mse": torch.ones(())}, Lines(), plan)
    with pytest.raises(ValueError, match=r"validate\(\) must return a 'loss' .* got accuracy"):
        train(model(), step, Lines(), plan, validate=lambda _: {"accuracy": 1.0})


def test_batches_must_keep_their_promise():
    class Short(Lines):
        def __len__(self):
            return self.n_steps + 1

    with pytest.raises(ValueError, match=r"gave 4 steps in epoch 0 but len\(batches\) is 5"):
        train(model(), step, Short(), Plan(max_epochs=1, **CPU))
    with pytest.raises(ValueError, match="There are 0 batches an epoch for 1 processes"):
        train(model(), step, Lines(0), Plan(max_epochs=1, **CPU))


def test_a_module_without_free_weights_is_refused():
    module = model().requires_grad_(False)
    with pytest.raises(ValueError, match="no weights that may be trained"):
        train(module, step, Lines(), Plan(max_epochs=1, **CPU))


def test_plans_that_make_no_sense():
    with pytest.raises(ValueError, match="max_epochs must be a whole number of at least 1; got 0"):
        Plan(max_epochs=0)
    with pytest.raises(ValueError, match="schedule must be one of"):
        Plan(schedule="step")
    with pytest.raises(ValueError, match="precision must be one of"):
        Plan(precision="fp8")


def test_devices():
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(ValueError, match="There is no device 'tpu7'"):
        pick_device("tpu7")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="torch finds none on this machine"):
            pick_device("cuda")


def test_history_of_nothing():
    assert History().best_loss == float("inf") and len(History()) == 0
