"""A training step as a CUDA graph: recorded once for each form of batch, then replayed.

A small step takes longer to launch from Python than to run. Replaying its graph launches all its
kernels at once, on the same random numbers and with the same results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, Protocol

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from neurodecode.training._plan import Plan, Progress
from neurodecode.training._tensors import form_of, tensors_of, with_tensors

# Every form is met once without a graph, so that what libraries set up at first use is there.
WARM = 1
# Forms beyond these run without a graph.
MOST = 128

Values = dict[str, Tensor]
Work = Callable[[Any, Progress], Values]


class Recorder(Protocol):
    """Turns work on fixed inputs into something that repeats it."""

    def warm(self, work: Work, batch: Any, progress: Progress) -> Values:
        """Do the work once."""

    def record(self, work: Work, batch: Any, progress: Progress) -> Callable[[], Values]:
        """Give what does the work again on the values that the inputs' tensors then have."""


class Captured:
    """Does ``work(batch, progress)``, from the second time on by replaying a record of it.

    Parameters
    ----------
    work : callable
        Leaves gradients behind; what it does may depend on the tensors of the batch and
        ``progress.done``, on names and numbers in the batch, and on ``branch``, nothing else.
    branch : callable
        ``branch(batch, progress)`` gives what else of Python's the work depends on.
    recorder : Recorder
    """

    def __init__(
        self, work: Work, branch: Callable[[Any, Progress], Hashable], recorder: Recorder
    ) -> None:
        self.work, self.branch, self.recorder = work, branch, recorder
        self.records: dict[Hashable, Callable[[], Values]] = {}
        self._met: Counter[Hashable] = Counter()
        # Graphs of the same form read from the same tensors.
        self._inputs: dict[Hashable, tuple[Any, Tensor]] = {}

    def __call__(self, batch: Any, progress: Progress) -> Values:
        """The values of one step; the gradients are those of this step until the next call."""
        form = form_of(batch)
        key = (form, self.branch(batch, progress))
        if key not in self.records:
            self._met[key] += 1
            if self._met[key] <= WARM or len(self.records) >= MOST:
                return self.recorder.warm(self.work, batch, progress)
        fixed = self._filled(form, batch, progress)
        if key not in self.records:
            self.records[key] = self.recorder.record(self.work, *fixed)
        return self.records[key]()

    def _filled(self, form: Hashable, batch: Any, progress: Progress) -> tuple[Any, Progress]:
        """The batch with its numbers in tensors that stay."""
        if form not in self._inputs:
            self._inputs[form] = (with_tensors(batch, torch.clone), torch.clone(progress.done))
        kept, done = self._inputs[form]
        torch._foreach_copy_([*tensors_of(kept), done], [*tensors_of(batch), progress.done])
        return kept, Progress(progress.epoch, progress.step, progress.fraction, done)


class CudaRecorder:
    """Records CUDA graphs that share their memory.

    Graphs run one after the other, so the gradients of one may lie where those of another lay: the
    optimizer must have read them before the next call.
    """

    def __init__(self, module: nn.Module) -> None:
        self.weights = [one for one in module.parameters() if one.requires_grad]
        self.stream = torch.cuda.Stream()
        self.pool: Any = None

    def warm(self, work: Work, batch: Any, progress: Progress) -> Values:
        """On the stream of the recording, where graphs expect what was set up."""
        current = torch.cuda.current_stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            values = work(batch, progress)
        current.wait_stream(self.stream)
        return values

    def record(self, work: Work, batch: Any, progress: Progress) -> Callable[[], Values]:
        """A graph, and where it leaves the gradients.

        Raises
        ------
        RuntimeError
            If the step waits for the device or copies from the host.
        """
        graph = torch.cuda.CUDAGraph()
        mode = "thread_local"  # another thread reads batches meanwhile
        try:
            with torch.cuda.graph(graph, self.pool, self.stream, capture_error_mode=mode):
                values = work(batch, progress)
                numbers = torch.stack([one.float() for one in values.values()])
                slopes = [(one, one.grad) for one in self.weights if one.grad is not None]
        except RuntimeError as error:
            raise RuntimeError(
                f"This training step can't be recorded as a CUDA graph "
                f"({str(error).partition(chr(10))[0]}). Its branch() promises that it neither "
                f"waits for the device nor copies from the host. Train with Plan(capture=False) "
                f"in a new process (this one's random numbers are stuck), or mend the step."
            ) from error
        self.pool = graph.pool()
        # Held by address alone: the next recording may use the memory again.
        kept = [(weight, _at_address(slope)) for weight, slope in slopes]
        for weight, _ in kept:
            weight.grad = None
        names = list(values)
        del slopes, values

        def replay() -> Values:
            graph.replay()
            for weight, slope in kept:
                weight.grad = slope
            return dict(zip(names, numbers.clone().unbind(), strict=True))

        return replay


def recorder_for(module: nn.Module, plan: Plan, fabric: Fabric) -> Recorder | None:
    """A recorder where steps can be recorded: one CUDA device, no accumulation, no loss scaling."""
    alone = fabric.device.type == "cuda" and fabric.world_size == 1
    plain = plan.accumulate == 1 and plan.precision != "16-mixed"
    return CudaRecorder(module) if plan.capture and alone and plain else None


class _Place:
    """Memory by address, as torch can take it over from other libraries: not owned."""

    def __init__(self, address: int, n_bytes: int) -> None:
        self.__cuda_array_interface__ = {
            "shape": (n_bytes,),
            "typestr": "|u1",
            "data": (address, False),
            "version": 3,
        }


def _at_address(tensor: Tensor) -> Tensor:
    """The same numbers without a hold on their memory."""
    before = int(tensor.storage_offset()) * tensor.element_size()
    n_bytes = int(tensor.untyped_storage().nbytes()) - before
    flat = torch.as_tensor(_Place(tensor.data_ptr(), n_bytes), device=tensor.device)
    return flat.view(tensor.dtype).as_strided(tensor.shape, tensor.stride())
