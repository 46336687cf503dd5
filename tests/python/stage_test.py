"""Stages in Python, run by `reel run` from YAML and by hand."""

import json
import os
import signal
import sys

import reel
from support import StreamTest, main, wait_until

CONFIGS = os.path.join(os.environ["REEL_TEST_SOURCE"], "configs")
COMPARE = """
    import collections, sys
    import numpy as np
    import reel

    class Compare(reel.Stage):
        seen = 0
        def start(self):
            self.waiting = {port: collections.OrderedDict() for port in self.inputs}
        def process(self, frame, port):
            self.waiting[port][frame.pts_ns] = ([plane.copy() for plane in frame.planes], frame.sequence)
            both = [time for time in self.waiting["in"] if time in self.waiting["flipped"]]
            for time in both:
                (original, number), (flipped, other) = self.waiting["in"].pop(time), self.waiting["flipped"].pop(time)
                if number != other or not all((a == b[::-1]).all() for a, b in zip(original, flipped)) or len(original) != len(flipped):
                    raise SystemExit(f"frame {number} is not the flipped one")
                self.seen += 1
        def stop(self):
            print("compared", self.seen)

    Compare.main()
"""
PICTURES = "{use: synthetic.source, options: {format: FORMAT, width: 320, height: 180, fps: FPS, frames: FRAMES}, out: camera}"


class Stage(StreamTest):
    def pipeline(self, text, *arguments, **environment):
        path = self.file("pipeline.yaml", text)
        self.summary_path = os.path.join(self.directory.name, "summary.json")
        return self.reel("run", path, "--summary-json", self.summary_path, *arguments,
                         env=dict(os.environ, PYTHON=sys.executable, **environment))

    def stages(self):
        with open(self.summary_path) as file:
            return {stage["name"]: stage for stage in json.load(file)["stages"]}

    def pictures(self, format="I420", fps=0, frames=60):
        return PICTURES.replace("FORMAT", format).replace("FPS", str(fps)).replace("FRAMES", str(frames))

    def program(self, text):
        """Its command, as a list of words in YAML."""
        return json.dumps([sys.executable, self.file("program.py", text)])

    def test_the_sample_flips_every_picture_in_under_fifteen_lines(self):
        with open(os.path.join(CONFIGS, "flip.py")) as file:
            self.assertLess(len(file.read().splitlines()), 15)
        for format in ("I420", "NV12", "BGR", "GRAY8", "YUY2"):
            run = self.pipeline(f"""
                version: 1
                streams: {{camera: {{start_timeout: 1h}}}}
                stages:
                  camera: {self.pictures(format)}
                  flip: {{use: exec, options: {{command: [{sys.executable}, {CONFIGS}/flip.py]}}, in: {{stream: camera, wait: true}}, out: flipped}}
                  compare:
                    use: exec
                    options: {{command: {self.program(COMPARE)}}}
                    in: {{in: {{stream: camera, wait: true}}, flipped: {{stream: flipped, wait: true}}}}
                """)
            status, output, errors = run.end()
            self.assertEqual(status, 0, errors)
            self.assertIn("compared 60", output + errors)

    def test_the_sample_in_configs_runs(self):
        summary = os.path.join(self.directory.name, "summary.json")
        run = self.reel("run", os.path.join(CONFIGS, "python.yaml"), "--summary-json", summary,
                        env=dict(os.environ, PYTHON=sys.executable, FRAMES="40"))
        status, output, errors = run.end()
        self.assertEqual(status, 0, errors)
        self.assertIn('"stage":"check","frames":40,"gaps":0,"corrupted":0', output)

    def test_readers_keep_their_stream_while_a_stage_is_restarted(self):
        run = self.pipeline(f"""
            version: 1
            name: turned
            streams: {{camera: {{start_timeout: 1h, absence_timeout: 1h}}}}
            stages:
              camera: {self.pictures(fps=100, frames=600)}
              flip: {{use: exec, options: {{command: [{sys.executable}, {CONFIGS}/flip.py]}}, in: {{stream: camera, wait: true}}, out: flipped}}
              check: {{use: synthetic.verify, options: {{pattern: none}}, in: flipped}}
            """)

        def frames():
            ended = self.reel("top", "turned", "--count", "1", "--interval", "0.1").end()
            return "flipped" in ended[1]

        wait_until(frames)
        for _ in range(2):
            status, _, errors = self.reel("restart", "flip", "turned").end()
            self.assertEqual(status, 0, errors)
            wait_until(frames)
        status, output, errors = run.end()
        self.assertEqual(status, 0, errors)
        check = json.loads(next(line for line in output.splitlines() if '"stage":"check"' in line))
        self.assertGreaterEqual(check["frames"], 600, errors)  # one that was being worked on comes again
        self.assertEqual((check["gaps"], check["corrupted"], check["lapped"]), (0, 0, 0), errors)

    def test_a_source_in_python_is_drained_by_sigint(self):
        source = """
            import reel, time
            import numpy as np
            class Source(reel.Stage):
                made = 0
                def produce(self):
                    self.made += 1
                    time.sleep(0.005)
                    self.output.write(np.full((8, 8), self.made % 256, np.uint8), pts_ns=self.made)
                    if self.made == 20:
                        print("twenty", flush=True)
                    return True
                def stop(self):
                    print("made", self.made)
            Source.main()
        """
        run = self.pipeline(f"""
            version: 1
            stages:
              source: {{use: exec, options: {{command: {self.program(source)}}}, out: numbers}}
              check: {{use: synthetic.verify, options: {{pattern: none}}, in: numbers}}
            """)
        seen = []
        while not any("twenty" in line for line in seen):
            seen.append(run.process.stdout.readline() or self.fail(seen))
        run.process.send_signal(signal.SIGINT)
        status, output, errors = run.end()
        self.assertEqual(status, 0, errors)
        made = int(next(line for line in output.splitlines() if "made" in line).split()[-1])
        self.assertEqual(self.stages()["check"]["inputs"][0]["frames"], made)
        self.assertEqual({stage["state"] for stage in self.stages().values()}, {"finished"})

    def alone(self, text, **environment):
        """A stage run by hand; its first line of output has come."""
        program = self.start(sys.executable, self.file("stage.py", text),
                             env=dict(os.environ, REEL_STAGE="alone", **environment))
        return program

    WAITER = """
        import reel, time
        class Waiter(reel.Stage):
            def start(self):
                print("up", flush=True)
            def process(self, frame, port):
                print("frame", flush=True)
                while True:
                    time.sleep(1)
            def stop(self):
                print("stopped", flush=True)
        Waiter.main()
    """

    def test_sigterm_stops_a_stage_that_waits_or_works(self):
        for working in (False, True):
            with reel.Writer("a", reel.Format.video("GRAY8", 8, 8)) as writer:
                stage = self.alone(self.WAITER, REEL_IN="a", REEL_OUT="b")
                self.assertEqual(stage.line(), "up")
                if working:
                    self.assertTrue(wait_until(lambda: writer.readers))
                    writer.publish(writer.acquire())
                    self.assertEqual(stage.line(), "frame")
                stage.process.send_signal(signal.SIGTERM)
                status, output, errors = stage.end()
                self.assertEqual((status, output, errors), (0, "stopped\n", ""))

    def test_sigterm_stops_a_stage_that_catches_everything(self):
        stubborn = """
            import reel, time
            class Stubborn(reel.Stage):
                def process(self, frame, port):
                    print("frame", flush=True)
                    try:
                        time.sleep(1000)
                    except:
                        pass
                def stop(self):
                    print("stopped", flush=True)
            Stubborn.main()
        """
        with reel.Writer("a", reel.Format.video("GRAY8", 8, 8)) as writer:
            stage = self.alone(stubborn, REEL_IN="a")
            self.assertTrue(wait_until(lambda: writer.readers))
            for _ in range(3):
                writer.publish(writer.acquire())
            self.assertEqual(stage.line(), "frame")
            stage.process.send_signal(signal.SIGTERM)
            self.assertEqual(stage.end(), (0, "stopped\n", ""))

    def test_sigint_ends_a_stage_that_waits(self):
        stage = self.alone(self.WAITER, REEL_IN="a", REEL_OUT="b")
        self.assertEqual(stage.line(), "up")
        stage.process.send_signal(signal.SIGINT)
        self.assertEqual(stage.end(), (0, "stopped\n", ""))

    def test_names_of_streams_come_from_the_environment(self):
        names = """
            import reel
            class Names(reel.Stage):
                def start(self):
                    print({port: [reader.stream for reader in readers] for port, readers in self.inputs.items()},
                          {port: writer.stream for port, writer in self.outputs.items()}, self.output.stream, flush=True)
                    self.finish()
            Names.main()
        """
        stage = self.alone(names, REEL_IN="left", REEL_IN_IN="left right", REEL_IN_SOUND="voice", REEL_OUT="b",
                           REEL_OUT_A="a", REEL_OUT_B="b")
        status, output, errors = stage.end()
        self.assertEqual(output, "{'in': ['left', 'right'], 'sound': ['voice']} {'b': 'b', 'a': 'a'} b\n", errors)
        stage = self.alone(names, REEL_IN="one", REEL_OUT="two")
        self.assertEqual(stage.end()[1], "{'in': ['one']} {'out': 'two'} two\n")

    def test_a_failure_is_told_with_its_place_and_is_the_stage_s(self):
        broken = """
            import reel
            class Broken(reel.Stage):
                def process(self, frame, port):
                    return 1 // (frame.sequence - frame.sequence)
            Broken.main()
        """
        run = self.pipeline(f"""
            version: 1
            streams: {{camera: {{start_timeout: 1h}}}}
            stages:
              camera: {self.pictures(frames=3)}
              broken: {{use: exec, options: {{command: {self.program(broken)}}}, in: {{stream: camera, wait: true}}, restart: never}}
            """)
        status, _, errors = run.end()
        self.assertEqual(status, 1)
        line = next(line for line in errors.splitlines() if "ZeroDivisionError" in line and "(program.py:" in line)
        self.assertIn("error", line)
        self.assertIn("broken", line)

    def test_a_stage_that_is_wrongly_connected_is_not_tried_again(self):
        run = self.pipeline(f"""
            version: 1
            streams: {{camera: {{start_timeout: 1h}}}}
            stages:
              camera: {self.pictures(frames=3)}
              flip: {{use: exec, options: {{command: [{sys.executable}, {CONFIGS}/flip.py]}}, in: {{stream: camera, wait: true}}}}
            """)
        status, _, errors = run.end()
        self.assertEqual(status, 1)
        self.assertIn("has no output", errors)
        self.assertEqual(self.stages()["flip"]["restarts"], 0)

    def test_what_the_file_says_of_an_input_holds(self):
        slow = """
            import reel, time
            class Slow(reel.Stage):
                def process(self, frame, port):
                    time.sleep(0.05)
                def stop(self):
                    reader = self.inputs["in"][0]
                    print("skipped", reader.stats["skipped"])
            Slow.main()
        """
        run = self.pipeline(f"""
            version: 1
            streams: {{camera: {{start_timeout: 1h}}}}
            stages:
              camera: {self.pictures(fps=100, frames=60)}
              slow: {{use: exec, options: {{command: {self.program(slow)}}}, in: {{stream: camera, policy: latest, wait: true}}}}
            """)
        status, output, errors = run.end()
        self.assertEqual(status, 0, errors)
        skipped = next(line for line in (output + errors).splitlines() if "skipped" in line)
        self.assertGreater(int(skipped.split()[-1]), 10)


main()
