"""Training SensorConv at the paper's size: seconds an epoch, ours against a plain implementation.

272 sensors, 181 samples, 4 people, targets of 768 dims, batches of 128, 63,500 examples an epoch
(a sample of trials is timed and scaled). The same first weights, the same batches:

- ``plain``: attention, 1x1 convolution and person layer one after the other, all 2048 channels
  projected at every sample, eager fp32, torch's Adam, batches gathered and copied from the host.
- ``plain, no TF32`` (if asked): the same with TF32 convolutions off (torch allows them by default).
- ``plain, resident``: plain, with the trials on the device.
- ``ours``: what `SensorConv.fit` does with ``Plan(precision="bf16-mixed")``: the library's loop
  (`neurodecode.training.train`), trials on the device, one sensor matrix, time summed up before the
  last projection, steps replayed as CUDA graphs.
- ``ours, no graphs``: the same with ``Plan(capture=False)``.

Measured on an H100 (``results/sensor_conv_h100.json``): plain 9.46 s an epoch, plain resident 5.07,
ours without graphs 5.53, ours 2.16: 4.4 times faster than plain, 2.3 times than plain with the same
trials on the device. Mean losses of four epochs: plain 2.018 to .174, ours 2.016 to .173.

Cost: about 25 s and 4 GB on an H100 (with --no-tf32 a minute more and 46 GB). Ours is to be at
least 2 times faster than plain.

Run: ``python -m benchmarks.sensor_conv --device cuda --out FILE``; ``--tiny`` rehearses on a CPU.
Responses are simulated (a planted cause, noise); time, memory and loss curves are measured, not
decoding.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._record import write_record
from benchmarks._timed import Timed, now
from neurodecode.data import Embeddings, Responses
from neurodecode.encoders.core.resident import ResidentTrials
from neurodecode.encoders.core.sensor_model import HEADS, SensorConvModel, SensorStep, layout_of
from neurodecode.encoders.core.trials import PooledTrials
from neurodecode.encoders.sensor_conv.network import SensorConvNetwork
from neurodecode.training import Plan, train

EXAMPLES = 63_500
LEARNING_RATE, WEIGHT = 3e-4, 0.5
log = logging.getLogger("neurodecode")


@dataclass(frozen=True)
class Setting:
    """What all ways share."""

    device: torch.device
    people: list[Responses]
    target: Embeddings
    batch_size: int
    n_epochs: int
    sizes: dict[str, int]

    def trials(self, kind: type[PooledTrials]) -> PooledTrials:
        """All trials in batches of one person; ``kind`` says where they are."""
        targets = {"target": self.target}
        return kind(self.people, targets, batch_size=self.batch_size, device=self.device)

    def step(self) -> SensorStep:
        """The library's step."""
        layouts = {one.subject: layout_of(one).to(self.device) for one in self.people}
        return SensorStep(layouts, WEIGHT)


class PlainNetwork(SensorConvNetwork):
    """The published layers one after the other."""

    def forward(
        self, values: Tensor, layout: Tensor, person: int | None = None
    ) -> dict[str, Tensor]:
        """(b, c, t) to (b, d) for each head."""
        virtual = torch.einsum("vc,bct->bvt", self.attention.weights(layout), values)
        mixed = self.mix(virtual)
        if self.person_layer is not None and person is not None:
            mixed = torch.einsum("uv,bvt->but", self.person_layer.matrices[person], mixed)
        pooled = self.aggregate(self.project(self.blocks(mixed)))
        return {name: head(pooled) for name, head in self.heads.items()}


def make_setting(device: torch.device, *, tiny: bool, n_epochs: int) -> Setting:
    """Trials of 4 people whose signal is a mixture of 32 causes, and targets from the same."""
    n_trials, n_sensors, n_times, n_dims = (48, 12, 21, 8) if tiny else (2048, 272, 181, 768)
    rng = torch.Generator(device).manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, device=device)

    cause = draw(n_trials, 32)
    ids = np.arange(n_trials).astype(str)
    places = torch.nn.functional.normalize(draw(n_sensors, 3), dim=1)
    places[:, 2].abs_()
    people = []
    for number in range(4):
        field, course = draw(n_sensors, 32) / 6, draw(32, n_times).sigmoid()
        values = torch.einsum("nk,ck,kt->nct", cause, field, course) * 0.3
        for start in range(0, n_trials, 512):
            part = values[start : start + 512]
            part += draw(*part.shape)
        people.append(
            Responses(
                values.cpu().numpy(),
                ids,
                f"sub-{number}",
                "meg",
                dims=("trial", "channel", "time"),
                positions=(places * 100).cpu().numpy(),
            )
        )
    target = Embeddings((cause @ draw(32, n_dims)).cpu().numpy(), ids, "planted")
    sizes = {"n_virtual": 6, "hidden": 8, "n_out": 16} if tiny else {}
    return Setting(device, people, target, 16 if tiny else 128, n_epochs, sizes)


def make_model(setting: Setting, kind: type[SensorConvNetwork]) -> SensorConvModel:
    """The same first weights for every way."""
    torch.manual_seed(0)
    n_times, n_dims = setting.people[0].values.shape[2], setting.target.values.shape[1]
    network = kind(n_times, n_dims, len(setting.people), HEADS, **setting.sizes)  # type: ignore[arg-type]
    values = np.asarray(setting.target.values, dtype=np.float32)
    model = SensorConvModel(network, values.mean(axis=0), values.std(axis=0) + 1e-6)
    return model.to(setting.device).train()


def plain(setting: Setting, kind: type[PooledTrials], *, tf32: bool = True) -> dict[str, Any]:
    """Eager fp32 with Adam."""
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, tf32
    model, step, trials = make_model(setting, PlainNetwork), setting.step(), setting.trials(kind)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    torch.manual_seed(0)  # as the training loop does
    starts, curve = [], []
    for epoch in range(setting.n_epochs):
        starts.append(now(setting.device))
        losses = []
        for rows in trials.plan(epoch, seed=0):
            loss = step.alone(model, trials.batch(*rows[0]))["loss"]
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.detach())
        curve.append(float(torch.stack(losses).mean()))
    torch.backends.cudnn.allow_tf32 = before
    return told(setting, curve, [*starts, now(setting.device)], len(trials))


def ours(setting: Setting, *, capture: bool) -> dict[str, Any]:
    """The library's loop."""
    plan = Plan(
        max_epochs=setting.n_epochs,
        learning_rate=LEARNING_RATE,
        weight_decay=0.0,
        schedule="constant",
        gradient_clip=None,
        precision="bf16-mixed",
        device=setting.device.type,
        capture=capture,
    )
    timed = Timed(setting.trials(ResidentTrials), setting.device)
    history = train(make_model(setting, SensorConvNetwork), setting.step(), timed, plan)
    starts = [*timed.starts, now(setting.device)]
    return told(setting, history.column("train_loss"), starts, len(timed))


def told(setting: Setting, curve: list[float], starts: list[float], n_steps: int) -> dict[str, Any]:
    """Figures of one way; the first half of the epochs is warm-up."""
    warm = setting.n_epochs // 2
    a_step = (starts[-1] - starts[warm]) / (setting.n_epochs - warm) / n_steps
    cuda = setting.device.type == "cuda"
    return {
        "seconds_an_epoch": round(a_step * EXAMPLES / setting.batch_size, 2),
        "ms_a_step": round(1e3 * a_step, 3),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if cuda else None,
        "warm_up_s": round(starts[warm] - starts[0], 2),
        "losses": [round(one, 4) for one in curve],
    }


def run(device: torch.device, *, tiny: bool, n_epochs: int, no_tf32: bool) -> dict[str, Any]:
    """All ways, one after the other."""
    setting = make_setting(device, tiny=tiny, n_epochs=n_epochs)
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "plain": lambda: plain(setting, PooledTrials),
        "plain, resident": lambda: plain(setting, ResidentTrials),
        "ours, no graphs": lambda: ours(setting, capture=False),
        "ours": lambda: ours(setting, capture=True),
    }
    if no_tf32:
        ways["plain, no TF32"] = lambda: plain(setting, PooledTrials, tf32=False)
    runs: dict[str, dict[str, Any]] = {}
    for name, way in ways.items():
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        runs[name] = way()
        log.info("%-16s %s", name, runs[name])
    plain_ways = [name for name in ways if name.startswith("plain")]
    return {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "examples_an_epoch": EXAMPLES,
        "batch_size": setting.batch_size,
        "n_epochs_of_the_sample": n_epochs,
        "runs": runs,
        "speed_up": {
            f"ours over {base}": round(runs[base]["ms_a_step"] / runs["ours"]["ms_a_step"], 2)
            for base in plain_ways
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to rehearse")
    parser.add_argument("--epochs", type=int, default=4, help="of 64 steps; half are warm-up")
    parser.add_argument("--no-tf32", action="store_true", help="plain without TF32 too: a minute")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device, tiny = torch.device(options.device), bool(options.tiny)
    result = run(device, tiny=tiny, n_epochs=options.epochs, no_tf32=options.no_tf32)
    log.info("%s", result["speed_up"])
    if options.out:
        write_record(__file__, options.out, result)


if __name__ == "__main__":
    main()
