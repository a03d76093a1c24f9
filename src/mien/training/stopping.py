"""When a training saves amid an epoch: after a signal that is to end it, and now and then."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any, Self

from mien.training.distributed import World

GO_ON, SAVE, END = range(3)
TWICE_S = 1.0  # `timeout` and torchrun send a signal twice; so soon, the second says nothing new
SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTED = "stopping: this step is finished and saved first; once more stops at once, unsaved"


class Watch:
    """Note the first signal and leave the second to whoever minded signals before.

    minutes: from one checkpoint to the next within an epoch, 0 for none. Signals that are ignored
    stay so, and where this is not the main thread, none is minded.
    """

    def __init__(self, minutes: float, *, quiet: bool = False) -> None:
        self._seconds = minutes * 60 or float("inf")
        self._quiet = quiet
        self._saved = self._noted_s = time.monotonic()
        self._noted: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, mind in self._before.items():
            signal.signal(number, mind)

    def wish(self) -> int:
        """Tell whether to GO_ON, to SAVE, or to save and END."""
        if self._noted is not None:
            return END
        return SAVE if time.monotonic() - self._saved >= self._seconds else GO_ON

    def saved(self, wish: int, world: World) -> None:
        """Go on after a checkpoint, or end as the signal would have, had nobody noted it.

        wish: the most that any process had; where another was to END, it is as Ctrl-C here.
        """
        self._saved = time.monotonic()
        if wish != END:
            return
        world.wait()  # one that is gone would have the others killed while they write
        self.__exit__()
        if self._noted is not None:
            signal.raise_signal(self._noted)
        raise KeyboardInterrupt

    def _note(self, number: int, _frame: object) -> None:
        if self._noted is None:
            self._noted, self._noted_s = number, time.monotonic()
            if not self._quiet:  # print may be amid a line, and then raises
                with suppress(OSError):  # Ctrl-C ends who reads this, such as `tee`, too
                    os.write(2, f"{NOTED}\n".encode())
        elif time.monotonic() - self._noted_s > TWICE_S:
            self.__exit__()
            signal.raise_signal(number)
