"""``neurodecode stream``; in Python ``neurodecode.streaming``."""

from __future__ import annotations

import argparse
import gc
import html
import tempfile
import time
import webbrowser
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.cli._terminal import Terminal

if TYPE_CHECKING:
    from neurodecode.streaming import Drawing, FileSource, LslSource, StreamKit


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "source", metavar="SOURCE", help="a raw recording to play, or lsl:NAME of a stream"
    )
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="what StreamKit.save wrote"
    )
    parser.add_argument(
        "--pace", type=float, default=1.0, help="1 plays a file as recorded (default), 2 faster"
    )
    parser.add_argument("--fast", action="store_true", help="play a file without waiting")
    parser.add_argument("--events", type=Path, metavar="TSV", help="what was shown, for the page")
    parser.add_argument("--every-ms", type=float, default=50.0, help="a window so often (50)")
    parser.add_argument(
        "--draw", action="store_true", help="draw pictures too, by the small generator"
    )
    parser.add_argument("--port", type=int, default=0, help="of the page (default: any free one)")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.add_argument("--stay", action="store_true", help="keep the page when a file has ended")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Decode until the signal ends; print what each second's last window says."""
    from neurodecode.preprocessing.meg import read_events
    from neurodecode.streaming import LivePage, StreamDecoder, StreamKit, play

    kit = StreamKit.load(options.model)
    source = _source(options, kit.cleaning.channels)
    decoder = StreamDecoder(
        kit.encoder, kit.cleaning, kit.layout, source.sfreq, options.every_ms / 1e3, kit.head
    )
    events = None if options.events is None else read_events(options.events)
    evidence = f"{kit.evidence} Single windows; chance is 1 of {len(kit.candidates)}."
    latency: deque[float] = deque(maxlen=10_000)
    with ExitStack() as stack:
        drawing = stack.enter_context(_drawing(kit)) if options.draw else None
        page = stack.enter_context(
            LivePage(
                kit.candidates,
                title=f"Decoding {kit.layout.subject}",
                evidence=evidence,
                port=options.port,
                drawing=drawing,
            )
        )
        terminal.remark(f"the page: {page.url} (on this machine, for who has the address)")
        if options.open:
            stack.enter_context(_opened(page.url))
        # what is loaded by now stays: collecting garbage would look at all of it, for half a second
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        second = -1
        for decoded, nearest in play(source, decoder, page, events=events):
            latency.append(decoded.latency_ms)
            if int(decoded.time_s) > second:
                second = int(decoded.time_s)
                terminal.print(f"{decoded.time_s:.2f} {nearest[0].stimulus}")
        while options.stay:
            time.sleep(0.2)
    if not latency:
        raise ValueError(
            f"{options.source} ended before the first window of "
            f"{decoder.n_times / kit.cleaning.new_sfreq(source.sfreq):.2f} s was complete."
        )
    low, high = np.percentile(latency, [50, 99])
    terminal.remark(f"{page.state.count} windows; median {low:.1f} ms, 99 % under {high:.1f} ms")
    return 0


@contextmanager
def _opened(address: str) -> Iterator[None]:
    """Have a browser show an address that is nobody else's business.

    Programs and their arguments are seen by everybody on a machine, so the browser is given a file
    that only this person reads (mkdtemp), and which leads on to the address.
    """
    with tempfile.TemporaryDirectory() as folder:
        lead = Path(folder) / "stream.html"
        lead.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(address)}">')
        webbrowser.open(lead.as_uri())
        yield


def _source(options: argparse.Namespace, channels: tuple[str, ...]) -> FileSource | LslSource:
    """A recording that is played, or a stream of the lab streaming layer."""
    from neurodecode.preprocessing.meg import read_raw
    from neurodecode.streaming import FileSource, LslSource

    if options.source.startswith("lsl:"):
        return LslSource(options.source.removeprefix("lsl:"), channels)
    pace = None if options.fast else options.pace
    return FileSource(read_raw(options.source), channels, pace=pace)


def _drawing(kit: StreamKit) -> Drawing:
    """The small generator, if it is led by the space that the kit decodes into."""
    from neurodecode.generators import SmallFlow
    from neurodecode.streaming import Drawing
    from neurodecode.targets import OpenClip

    space = kit.candidates.points.space
    if space != OpenClip().space:
        raise ValueError(
            f"The small generator draws from '{OpenClip().space}', but this decoder gives points "
            f"of '{space}'. Leave --draw out."
        )
    return Drawing(SmallFlow(device="cpu"), space)
