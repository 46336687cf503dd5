"""Streams in asyncio's loop."""

import asyncio
import threading

import numpy as np

import reel
from support import WATCHDOG_S, StreamTest, main

FRAMES = 100


def run(work):
    return asyncio.run(asyncio.wait_for(work, WATCHDOG_S))


class Asyncio(StreamTest):
    def write(self, stream, started):
        with reel.Writer(stream, reel.Format.video("GRAY8", 8, 8), wait_for=["loop"]) as writer:
            started.wait(WATCHDOG_S)
            for i in range(FRAMES):
                writer.write(np.full((8, 8), i, np.uint8), pts_ns=i)
            writer.end()
            writer.drain()

    def test_one_task_reads_each_of_two_streams(self):
        started = threading.Event()
        writers = [threading.Thread(target=self.write, args=(name, started)) for name in ("a", "b")]
        for writer in writers:
            writer.start()
        others = 0

        async def tick():
            nonlocal others
            while True:
                others += 1
                await asyncio.sleep(0.001)

        async def read(stream):
            values = []
            with reel.Reader(stream, name="loop", policy="lossless") as reader:
                started.set()
                async for frame in reader:
                    values.append((int(frame.array[0, 0]), frame.pts_ns))
            return values

        async def both():
            ticking = asyncio.create_task(tick())
            results = await asyncio.gather(read("a"), read("b"))
            ticking.cancel()
            return results

        first, second = run(both())
        for writer in writers:
            writer.join()
        self.assertEqual(first, [(i, i) for i in range(FRAMES)])
        self.assertEqual(second, first)
        self.assertGreater(others, 0)

    def test_a_read_that_is_cancelled_loses_no_frame(self):
        async def work():
            writer, reader = reel.Writer("s", reel.Format.video("GRAY8", 8, 8)), reel.Reader("s")
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read_async(), 0.02)
            for i in range(3):
                writer.write(np.full((8, 8), i, np.uint8))
                task = asyncio.create_task(reader.read_async())
                await asyncio.sleep(0)
                task.cancel()
                try:
                    frame = await task
                except asyncio.CancelledError:
                    frame = await reader.read_async()
                self.assertEqual(frame.array[0, 0], i)
                del frame
            self.assertEqual(reader.stats["delivered"], 3)

        run(work())

    def test_interrupt_ends_the_loop_and_close_tells_it(self):
        async def work():
            writer, reader = reel.Writer("s", reel.Format.video("GRAY8", 8, 8)), reel.Reader("s")

            async def loop():
                return [frame.sequence async for frame in reader]

            task = asyncio.create_task(loop())
            await asyncio.sleep(0.02)
            threading.Thread(target=reader.interrupt).start()
            self.assertEqual(await task, [])
            reader.resume()
            task = asyncio.create_task(reader.read_async())
            await asyncio.sleep(0.02)
            reader.close()
            with self.assertRaises(reel.Error) as caught:
                await task
            self.assertEqual(caught.exception.code, "closed")
            writer.close()

        run(work())

    def test_leaving_the_with_block_ends_the_wait_of_another_task(self):
        async def work():
            writer = reel.Writer("s", reel.Format.video("GRAY8", 8, 8))
            with reel.Reader("s") as reader:
                task = asyncio.create_task(reader.read_async())
                await asyncio.sleep(0.02)
            with self.assertRaises(reel.Error) as caught:
                await asyncio.wait_for(task, 60)
            self.assertEqual(caught.exception.code, "closed")
            writer.close()

        run(work())

    def test_a_reader_waits_for_a_writer_that_comes_later(self):
        async def work():
            reader = reel.Reader("s", start="oldest")
            task = asyncio.create_task(reader.read_async())
            await asyncio.sleep(0.02)
            writer = reel.Writer("s", reel.Format.video("GRAY8", 8, 8))
            writer.write(np.full((8, 8), 5, np.uint8))
            self.assertEqual((await task).array[0, 0], 5)
            writer.close()

        run(work())


main()
