"""Training SensorConv at the paper's size: seconds an epoch, ours against a plain implementation.

272 sensors, 181 samples, 4 people, targets of 768 dims, batches of 128, 63,500 examples an epoch
(a sample of trials is timed and scaled). The same first weights, the same batches:

- ``plain``: attention, 1x1 convolution and person layer one after the other, all 2048 channels
  projected at every sample, eager fp32, torch's Adam, batches gathered and copied from the host.
- ``plain, no TF32``: the same with TF32 convolutions switched off (torch allows them by default).
- ``plain, resident``: plain, with the trials on the device.
- ``ours``: the library's training loop (`neurodecode.training.train`) as `SensorConv.fit` runs it:
  one sensor matrix, time summed up before the last projection, bf16 autocast, trials on the device.
- ``ours, captured``: the same losses and autocast with fused AdamW, the whole step as one CUDA
  graph a person; shows what the loop around the step costs. CUDA only.

Cost: under 60 s and 10 GB on an H100. Expect: ours at least 2 times faster than plain.

Run: ``python benchmarks/sensor_conv.py --device cuda --out FILE``; ``--tiny`` rehearses on a CPU.
Responses are simulated (a planted cause, noise); time, memory and loss curves are measured, not
decoding.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

if __name__ == "__main__":  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neurodecode.data import Embeddings, Responses
from neurodecode.encoders._resident import ResidentTrials
from neurodecode.encoders._sensor_conv_model import HEADS, SensorConvModel, layout_of
from neurodecode.encoders._sensor_conv_network import SensorConvNetwork
from neurodecode.encoders._trials import PooledTrials, TrialBatch
from neurodecode.store import write_json
from neurodecode.training import Plan, train

EPOCH = 63_500
LEARNING_RATE, WEIGHT = 3e-4, 0.5
log = logging.getLogger("neurodecode")


@dataclass(frozen=True)
class Setting:
    """What all ways share."""

    device: torch.device
    people: list[Responses]
    target: Embeddings
    batch_size: int
    n_steps: int
    n_warm: int
    sizes: dict[str, int]


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


def make_setting(device: torch.device, *, tiny: bool, n_steps: int) -> Setting:
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
    return Setting(device, people, target, 16 if tiny else 128, n_steps, n_steps // 5, sizes)


def make_model(setting: Setting, kind: type[SensorConvNetwork]) -> SensorConvModel:
    """The same first weights for every way."""
    torch.manual_seed(0)
    n_times, n_dims = setting.people[0].values.shape[2], setting.target.values.shape[1]
    network = kind(n_times, n_dims, len(setting.people), HEADS, **setting.sizes)  # type: ignore[arg-type]
    values = np.asarray(setting.target.values, dtype=np.float32)
    model = SensorConvModel(network, values.mean(axis=0), values.std(axis=0) + 1e-6)
    return model.to(setting.device).train()


def layouts_of(setting: Setting) -> dict[str, Tensor]:
    """Flat layout of every person's sensors, on the device."""
    return {one.subject: layout_of(one).to(setting.device) for one in setting.people}


def endless(trials: PooledTrials) -> Iterator[TrialBatch]:
    """Batches, epoch after epoch."""
    epoch = 0
    while True:
        for step in trials.plan(epoch, seed=0):
            yield trials.batch(*step[0])
        epoch += 1


def plain(setting: Setting, kind: type[PooledTrials]) -> dict[str, Any]:
    """Eager fp32 with Adam; ``kind`` says where the trials are."""
    model, layouts = make_model(setting, PlainNetwork), layouts_of(setting)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    trials = _trials(setting, kind)

    def step(batch: TrialBatch) -> Tensor:
        loss = model.losses(batch, layouts, WEIGHT)["loss"]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach()

    return _timed(setting, trials, step)


def ours(setting: Setting) -> dict[str, Any]:
    """The library's loop; the clock runs from the first step after the warm-up."""
    model, layouts = make_model(setting, SensorConvNetwork), layouts_of(setting)
    trials = _trials(setting, ResidentTrials)
    plan = Plan(
        max_epochs=math.ceil(setting.n_steps / len(trials)),
        learning_rate=LEARNING_RATE,
        weight_decay=0.0,
        schedule="constant",
        gradient_clip=None,
        precision="bf16-mixed",
        device=setting.device.type,
    )
    losses: list[Tensor] = []
    times: list[float] = []

    def step(module: Any, batch: list[TrialBatch], progress: Any) -> dict[str, Tensor]:
        if len(losses) in (setting.n_warm, setting.n_steps):
            times.append(_now(setting.device))
        found: dict[str, Tensor] = module.losses(batch[0], layouts, WEIGHT)
        losses.append(found["loss"].detach())
        return found

    train(model, step, trials, plan)
    if len(times) < 2:
        times.append(_now(setting.device))
    return _told(setting, losses[: setting.n_steps], times[1] - times[0])


def captured(setting: Setting) -> dict[str, Any]:
    """The whole step, optimizer included, as one CUDA graph a person."""
    model, layouts = make_model(setting, SensorConvNetwork), layouts_of(setting)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, weight_decay=0.0, fused=True, capturable=True
    )
    trials = _trials(setting, ResidentTrials)
    first = next(endless(trials))
    kept = TrialBatch(
        0, "", first.values.clone(), {"target": first.targets["target"].clone()},
        first.stimulus, None, first.rows,
    )  # fmt: skip

    def whole(person: int) -> Tensor:
        batch = TrialBatch(
            person, setting.people[person].subject, kept.values, kept.targets,
            kept.stimulus, None, kept.rows,
        )  # fmt: skip
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            loss = model.losses(batch, layouts, WEIGHT)["loss"]
        optimizer.zero_grad(set_to_none=False)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach()

    graphs = _capture(model, optimizer, whole, len(setting.people))

    def step(batch: TrialBatch) -> Tensor:
        kept.values.copy_(batch.values)
        kept.targets["target"].copy_(batch.targets["target"])
        graph, loss = graphs[batch.person]
        graph.replay()
        return loss.clone()

    return _timed(setting, trials, step)


def _capture(
    model: SensorConvModel,
    optimizer: torch.optim.Optimizer,
    whole: Callable[[int], Tensor],
    n_people: int,
) -> list[tuple[Any, Tensor]]:
    """Graphs of a step for each person; the warm-up that capture needs is undone."""
    before = {name: one.clone() for name, one in model.state_dict().items()}
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for person in range(n_people):
            whole(person)
    torch.cuda.current_stream().wait_stream(side)
    graphs, pool = [], None
    for person in range(n_people):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            loss = whole(person)
        pool = graph.pool()
        graphs.append((graph, loss))
    with torch.no_grad():
        for name, one in model.state_dict().items():
            one.copy_(before[name])
        for state in optimizer.state.values():
            for value in state.values():
                value.zero_()
    return graphs


def run(device: torch.device, *, tiny: bool, n_steps: int) -> dict[str, Any]:
    """All ways, one after the other; a way that fails is told and does not end the others."""
    setting = make_setting(device, tiny=tiny, n_steps=n_steps)
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "plain": lambda: plain(setting, PooledTrials),
        "plain, no TF32": lambda: _without_tf32(lambda: plain(setting, PooledTrials)),
        "plain, resident": lambda: plain(setting, ResidentTrials),
        "ours": lambda: ours(setting),
    }
    if device.type == "cuda":
        ways["ours, captured"] = lambda: captured(setting)
    runs: dict[str, dict[str, Any]] = {}
    for name, way in ways.items():
        start = time.perf_counter()
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            runs[name] = way()
        except RuntimeError as error:
            log.error("%s failed: %s", name, error)
            continue
        runs[name]["seconds_in_all"] = round(time.perf_counter() - start, 1)
        log.info("%-16s %s", name, _line(runs[name]))
    return {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "examples_an_epoch": EPOCH,
        "batch_size": setting.batch_size,
        "n_steps": n_steps,
        "runs": runs,
        "speed_up": _speed_ups(runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to rehearse")
    parser.add_argument("--steps", type=int, default=250, help="a fifth of them is warm-up")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    result = run(torch.device(options.device), tiny=options.tiny, n_steps=options.steps)
    for name, one in result["runs"].items():
        log.info("%-16s loss %s", name, " ".join(f"{loss:.3f}" for loss in one["losses"][::10]))
    log.info("%s", result["speed_up"])
    if options.out:
        write_json(options.out, result)


def _trials(setting: Setting, kind: type[PooledTrials]) -> PooledTrials:
    return kind(
        setting.people,
        {"target": setting.target},
        batch_size=setting.batch_size,
        device=setting.device,
    )


def _timed(
    setting: Setting, trials: PooledTrials, step: Callable[[TrialBatch], Tensor]
) -> dict[str, Any]:
    batches = endless(trials)
    torch.manual_seed(0)  # as the training loop does
    losses = [step(next(batches)) for _ in range(setting.n_warm)]
    start = _now(setting.device)
    losses += [step(next(batches)) for _ in range(setting.n_steps - setting.n_warm)]
    return _told(setting, losses, _now(setting.device) - start)


def _told(setting: Setting, losses: list[Tensor], seconds: float) -> dict[str, Any]:
    a_step = seconds / (setting.n_steps - setting.n_warm)
    cuda = setting.device.type == "cuda"
    return {
        "seconds_an_epoch": round(a_step * EPOCH / setting.batch_size, 2),
        "ms_a_step": round(1e3 * a_step, 3),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if cuda else None,
        "losses": [round(one, 4) for one in torch.stack(losses).float().tolist()],
    }


def _line(one: dict[str, Any]) -> str:
    return (
        f"{one['seconds_an_epoch']:8.2f} s an epoch {one['ms_a_step']:8.2f} ms a step "
        f"{one['peak_gb']} GB, took {one['seconds_in_all']} s, "
        f"loss {one['losses'][0]:.3f} to {np.mean(one['losses'][-10:]):.3f}"
    )


def _speed_ups(runs: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {
        f"{name} over {base}": round(runs[base]["ms_a_step"] / runs[name]["ms_a_step"], 2)
        for name in ("ours", "ours, captured")
        for base in ("plain", "plain, no TF32", "plain, resident")
        if name in runs and base in runs
    }


def _without_tf32(way: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        return way()
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
