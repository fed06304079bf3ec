"""Who trains which seeds: in this process or in several, until done or told to stop."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from idkit.cli import seeds, show, signals, streams
from idkit.errors import ExitCode, IdkitError

if TYPE_CHECKING:
    from idkit.assembly import Design
    from idkit.data import Dataset
    from idkit.runs import Group
    from idkit.training.fit import Rows, Settings

POLL_SECONDS = 0.2
WAIT_SECONDS = 0.5  # between two looks at what other commands are doing


@dataclass(frozen=True)
class Job:
    """What is to be trained; it can be sent to another process.

    Attributes:
        group: where the runs stand.
        design: the model.
        settings: how it is trained.
        dataset: what on.
        commands: the command that each seed's artefact bears, by seed.
        device: a torch device.
        save_seconds: the longest time whose work a kill may cost.
        again: seeds whose runs are replaced, though they are finished.
    """

    group: "Group"
    design: "Design"
    settings: "Settings"
    dataset: "Dataset"
    commands: dict[int, str]
    device: str
    save_seconds: float
    again: frozenset[int] = frozenset()


@dataclass
class Trained:
    """What training made.

    Attributes:
        seconds: for each finished seed, wall time of its batch divided by the batch's seeds.
        signal: the signal that stopped it; None if it was not stopped.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    signal: int | None = None


Tell = Callable[[str, Any], None]
"""Takes news: ("at", (first seed, steps of all its batch, objective)), ("news", text) of what is
being done, ("note", text) on the result, ("trained", {seed: s})."""


class Stop:
    """Whether a signal has asked to stop; a second one does not wait."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def asked(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Handles a signal."""
        if self.asked():
            raise KeyboardInterrupt
        self.signal = number


@contextmanager
def stopping_on_signals() -> Iterator[Stop]:
    """Makes the signals that end a command a wish, granted between two chunks of steps."""
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in signals.ending()}
    for handler in before.values():  # it may have come, and vanished in a library, before
        stop.signal = stop.signal or getattr(handler, "signal", None)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train(job: Job, batches: Sequence[Sequence[int]], *, processes: int) -> Trained:
    """Trains batches of seeds, and shows how far it is.

    Args:
        job: what is to be trained.
        batches: seeds that are trained side by side.
        processes: how many batches are trained at the same time, each on one core.

    Raises:
        IdkitError: when a worker met bad input.
    """
    news = Trained()
    total = job.settings.steps * sum(len(batch) for batch in batches)
    steps: dict[int, int] = {}
    told: set[str] = set()
    with (
        show.progress(f"{job.group.name}", total) as advance,
        stopping_on_signals() as stop,
    ):

        def tell(what: str, value: Any) -> None:
            if what == "at":
                first, done, objective = value
                steps[first] = done
                advance(sum(steps.values()), f"ELBO {objective:.2f}")
            elif what == "news":
                show.news(value)
            elif what == "note":
                if value not in told:  # several computations meet the same
                    show.note(value)
                told.add(value)
            else:
                news.seconds.update(value)

        if processes == 1:
            work(job, batches, tell, stop)
        else:
            _in_processes(job, batches, tell, stop, processes)
        news.signal = stop.signal
    return news


def wait(job: Job, seeds: Sequence[int], *, said: str) -> int | None:
    """Waits until another command has finished one of some seeds, or has ended.

    Args:
        job: what is to be trained.
        seeds: what other commands are training.
        said: a note to begin with; empty for none.

    Returns:
        The signal that ended the wait; None if none did.
    """
    with job.group.shared() as locks, stopping_on_signals() as stop:
        if said:
            show.news(said)
        while not stop.asked():
            held = job.group.elsewhere(locks, seeds, again=job.again)
            if len(held) < len(seeds):
                break
            time.sleep(WAIT_SECONDS)
        return stop.signal


def work(job: Job, batches: Sequence[Sequence[int]], tell: Tell, stop: Stop) -> None:
    """Trains batches one after the other in this process, saving as it goes."""
    import torch

    from idkit.assembly import builder
    from idkit.training.fit import Ensembles
    from idkit.training.precision import multiply

    torch.set_num_threads(1)
    multiply(job.settings.precision)
    device = torch.device(job.device)
    rows = training_rows(job.dataset, device)
    ensembles = Ensembles(builder(job.design), rows, job.settings)
    with job.group.shared() as locks:
        for batch in batches:
            if stop.asked():
                return
            ours, _ = job.group.claim(locks, batch, again=job.again)
            for part in filter(None, job.group.begun_together(ours)):
                _train(job, ensembles, part, tell, stop)
            job.group.release(locks, ours)


def _train(job: Job, ensembles: Any, batch: Sequence[int], tell: Tell, stop: Stop) -> None:
    """Trains seeds side by side, to their end or until told to stop."""
    from idkit.runs import model_arrays

    started = time.monotonic()
    training = _begin_or_resume(job, ensembles, batch)
    if training.step:
        tell("news", f"from step {training.step} on: {seeds.named(batch)}")
    saved = time.monotonic()
    while not training.done:
        training.advance()
        if training.ensemble.fallback:
            tell("note", f"note: {training.ensemble.fallback}")
            training.ensemble.fallback = ""
        objective = training.history.get("objective")
        mean = float(objective[-1].nanmean()) if objective else float("nan")
        tell("at", (batch[0], len(batch) * training.step, mean))
        if stop.asked() or time.monotonic() - saved > job.save_seconds:
            job.group.save_checkpoint(batch, training.snapshot())
            saved = time.monotonic()
        if stop.asked() and not training.done:
            return
    if len(batch) > 1:  # a kill between two of the files must not part the seeds
        job.group.save_checkpoint(batch, training.snapshot())
    for outcome in training.outcomes():
        arrays = model_arrays(outcome.state, outcome.history)
        command = job.commands[outcome.seed]
        job.group.save(outcome.seed, arrays, command, outcome.failed_at)
    job.group.drop_checkpoints(batch)
    each = (time.monotonic() - started) / len(batch)
    tell("trained", dict.fromkeys(batch, each))


def training_rows(dataset: "Dataset", device: Any) -> "Rows":
    """The rows that are trained on, in memory once."""
    import numpy as np
    import torch

    from idkit import labels
    from idkit.training.fit import Rows

    chosen = dataset.rows("train")
    x = torch.from_numpy(np.ascontiguousarray(dataset.x[chosen]))
    u = np.zeros(len(chosen), np.int64)
    if dataset.u is not None:
        known = dataset.u[chosen]
        u = labels.numbered(known, dataset.values, label=dataset.name, model="the model")
    return Rows(x.to(device), torch.from_numpy(u).to(device))


def _begin_or_resume(job: Job, ensembles: Any, batch: Sequence[int]) -> Any:
    from idkit import files
    from idkit.training.fit import Training

    for path, held in job.group.checkpoints(batch):
        if set(batch) <= set(held):
            begun = files.read(str(path))
            files.require(begun)
            return Training.resume(ensembles, begun.arrays, batch)
    return Training.start(ensembles, batch)


def _in_processes(
    job: Job, batches: Sequence[Sequence[int]], tell: Tell, stop: Stop, processes: int
) -> None:
    """Deals the batches to processes and passes their news on until all have ended."""
    import multiprocessing
    import queue

    context = multiprocessing.get_context("spawn")
    with _signals_blocked():  # for good in the process that tracks resources, which it starts
        news: Any = context.Queue()
    workers = [
        context.Process(target=_worker, args=(job, batches[n::processes], news, os.getpid()))
        for n in range(processes)
    ]
    with _signals_blocked():  # until workers, which inherit this, have handlers
        for worker in workers:
            worker.start()
    failure: tuple[str, ExitCode | None] | None = None
    told = False
    try:
        while True:
            alive = any(worker.is_alive() for worker in workers)
            try:
                what, value = news.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if not alive:
                    break
                what = ""
            if what == "failed":
                failure = failure or value
                stop.signal = stop.signal or signal.SIGTERM
            elif what:
                tell(what, value)
            if stop.asked() and not told:  # SIGINT may have reached this process alone
                _signal(workers)
                told = True
    finally:
        if any(worker.is_alive() for worker in workers):
            _signal(workers)
        for worker in workers:
            worker.join()
    _raise_failure(failure, workers, stop)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Starts processes that no signal ends before they listen."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signals.ending())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.ending())


def _raise_failure(
    failure: tuple[str, ExitCode | None] | None, workers: Sequence[Any], stop: Stop
) -> None:
    if failure is not None:
        text, code = failure
        if code is None:
            raise RuntimeError(f"a worker met a bug:\n{text}")
        error = IdkitError(text)
        error.exit_code = code
        raise error
    codes = [worker.exitcode for worker in workers]
    if not stop.asked() and any(codes):
        raise IdkitError(
            f"a worker process ended with code {next(c for c in codes if c)} (out of memory?): "
            "the same command goes on from the last checkpoint; fewer --threads need less memory"
        )


def _signal(workers: Sequence[Any]) -> None:
    for worker in workers:
        if worker.is_alive():
            worker.terminate()


def _worker(job: Job, batches: Sequence[Sequence[int]], news: Any, parent: int) -> None:
    """One process; it stops, too, when the process that started it is no longer there."""
    stop = Stop()

    def once(number: int, frame: FrameType | None) -> None:
        if not stop.asked():  # Ctrl-C reaches it twice: from the terminal and from the parent
            stop(number, frame)

    streams.guard()
    for number in signals.ending():
        signal.signal(number, once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.ending())

    def tell(what: str, value: Any) -> None:
        if os.getppid() != parent:
            stop.signal = stop.signal or signal.SIGTERM
        news.put((what, value))

    try:
        work(job, batches, tell, stop)
    except IdkitError as error:
        news.put(("failed", (str(error), error.exit_code)))
    except Exception:
        news.put(("failed", (traceback.format_exc(), None)))
