"""One pod: a process that is started, probed and ended as its manifest says, as the node's agent would do it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
from overlay import OF_THE_IMAGE, Told

TROUBLE = (aiohttp.ClientError, OSError, TimeoutError)


class Pod:
    """`changed` is called whenever it becomes ready or unready, begins to leave, or is gone."""

    def __init__(
        self,
        told: Told,
        number: int,
        port: int,
        environment: Mapping[str, str],
        home: Path,
        changed: Callable[[], None],
    ) -> None:
        self.told, self.port, self.changed = told, port, changed
        self.name = f"{told.called}-{number}"
        self.log = home / f"{self.name}.log"
        self.ready = self.leaving = self.gone = False
        self.trouble: list[str] = []  # what a pod should not do: end by itself, hang, be killed
        self.readied = 0.0  # seconds from its start until it was ready
        self.left = 0.0  # seconds from the request to end until it was gone
        self._home, self._environment = home, environment
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._begun = 0.0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        self._begun = time.monotonic()
        await self._launch()
        self._life = asyncio.create_task(self._live(), name=self.name)

    async def _launch(self) -> None:
        """As the image does: `python3 -m PACKAGE ROLE`, with the pod's settings and nothing of ours."""
        with self.log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.told.pod.args,
                cwd=self._home,
                env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._home), **OF_THE_IMAGE, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )  # fmt: skip

    # -- probes ------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
            await self._started(http)
            await asyncio.gather(self._probed_ready(http), self._probed_alive(http))

    async def _started(self, http: aiohttp.ClientSession) -> None:
        probe, failed = self.told.probe("startupProbe"), 0
        while not await self._passes(http, probe):
            failed += 1
            if failed >= probe["failureThreshold"]:
                await self._again("it does not start")
                failed = 0
            await asyncio.sleep(probe["periodSeconds"])

    async def _probed_ready(self, http: aiohttp.ClientSession) -> None:
        probe, failed = self.told.probe("readinessProbe"), 0
        while True:
            passes = await self._passes(http, probe)
            failed = 0 if passes else failed + 1
            if passes != self.ready and (passes or failed >= probe["failureThreshold"]):
                self.ready = passes
                self.readied = self.readied or time.monotonic() - self._begun
                if not passes and not self.leaving:
                    self.trouble.append("it was not ready any more")
                self.changed()
            await asyncio.sleep(probe["periodSeconds"])

    async def _probed_alive(self, http: aiohttp.ClientSession) -> None:
        probe, failed = self.told.probe("livenessProbe"), 0
        while True:
            assert self._process is not None
            if self._process.returncode is not None and not self.leaving:
                await self._again(f"it ended by itself with {self._process.returncode}")
            failed = 0 if await self._passes(http, probe) else failed + 1
            if failed >= probe["failureThreshold"]:
                await self._again("it does not answer any more")
                failed = 0
            await asyncio.sleep(probe["periodSeconds"])

    async def _passes(self, http: aiohttp.ClientSession, probe: Mapping[str, object]) -> bool:
        asked = probe["httpGet"]
        assert isinstance(asked, dict)
        within = aiohttp.ClientTimeout(total=float(str(probe.get("timeoutSeconds", 1))))
        try:
            async with http.get(f"http://127.0.0.1:{self.port}{asked['path']}", timeout=within) as answer:
                return 200 <= answer.status < 400
        except TROUBLE:
            return False

    async def _again(self, why: str) -> None:
        self.trouble.append(why)
        self.kill()
        assert self._process is not None
        await self._process.wait()
        await self._launch()

    # -- its end -----------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """Off the list; what the manifest says comes before; asked to end; cut off when its grace is over."""
        begun = time.monotonic()
        self.leaving = True
        self.changed()
        await asyncio.sleep(self.told.leaving())
        await self._forgotten()
        process = self._process
        assert process is not None
        asked = time.monotonic()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(max(0.0, self.told.grace() - (asked - begun))):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()
            self.trouble.append(f"it did not end within {self.told.grace():g} s")
        self.left = time.monotonic() - asked
        if process.returncode != 0:
            self.trouble.append(f"it ended with {process.returncode}")
        self.gone, self.ready = True, False
        self.changed()

    async def cut(self) -> None:
        """At once, and nobody starts it again."""
        self.leaving = True
        await self._forgotten()
        self.kill()
        if self._process is not None:
            await self._process.wait()

    async def _forgotten(self) -> None:
        """Nobody probes it any more."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    async def completed(self, within: float) -> int:
        """Runs it to its end, as a Job does; how it ended."""
        await self._launch()
        assert self._process is not None
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            raise
