#!/usr/bin/python3
"""Follows frames through the processes of a trace: follow_frames.py [--some] TRACE.json SOURCE STAGE... SINK

Opens what `reel trace` wrote as any viewer would, and checks that it is well-formed (Trace Event Format), and of every
frame that the first stage published and the others took that its spans lie in order across the processes: published,
then waited for no longer, then processed, and what came of it published meanwhile, and so on to the sink. From the first
frame that comes to its end to the last one, all must, unless only some go all the way (--some). Says how many it
followed from end to end; ends with status 1 at the first thing that is wrong, or where there was none.
"""
import collections
import decimal
import json
import sys

NEEDED = {"X": ("name", "cat", "ts", "dur", "pid", "tid", "args"), "M": ("name", "pid", "args"),
          "s": ("name", "cat", "id", "ts", "pid", "tid"), "f": ("name", "cat", "id", "ts", "pid", "tid", "bp"),
          "C": ("name", "ts", "pid", "args")}


class Wrong(Exception):
    pass


def check(right, text, *events):
    if not right:
        raise Wrong(text + "".join("\n  " + json.dumps(event, default=str) for event in events))


def end(span):
    return span["ts"] + span["dur"]


def frames_of(span):
    """The frames that a span is of: several where they are a set."""
    args = span["args"]
    return [(each["stream"], each["sequence"], each["publish_us"])
            for each in args.get("frames", [args]) if "sequence" in each]


def check_form(trace):
    events = trace["traceEvents"]
    check(events, "there are no events")
    for event in events:
        check(event.get("ph") in NEEDED, "an event of no known phase", event)
        for field in NEEDED[event["ph"]]:
            check(field in event, f"an event without '{field}'", event)
    check(sum(len(span["args"].get("frames", [1])) for span in of_phase(trace, "X")) == trace["otherData"]["spans"],
          "it says that it has another number of spans")
    named = {event["pid"] for event in events if event["ph"] == "M" and event["name"] == "process_name"}
    for event in events:
        check(event["pid"] in named, "an event of a process without a name", event)


def of_phase(trace, phase):
    return [event for event in trace["traceEvents"] if event["ph"] == phase]


def check_nesting(spans):
    """Of one thread, each lies within another or beside it."""
    threads = collections.defaultdict(list)
    for span in spans:
        check(span["dur"] >= 0, "a span that ends before it begins", span)
        threads[span["pid"], span["tid"]].append(span)
    for of_thread in threads.values():
        around = []
        for span in sorted(of_thread, key=lambda span: (span["ts"], -span["dur"])):
            while around and end(around[-1]) <= span["ts"]:
                around.pop()
            check(not around or end(span) <= end(around[-1]), "spans of one thread overlap", span, *around[-1:])
            around.append(span)


class Trace:
    def __init__(self, trace):
        check_form(trace)
        spans = of_phase(trace, "X")
        check_nesting(spans)
        self.published = collections.defaultdict(list)  # (stage, pid, call): what was published in that call
        self.first = collections.defaultdict(list)  # stage: all that it published
        self.taken, self.waited = {}, {}  # (stage, frame): span
        self.arrows = collections.defaultdict(list)
        for span in spans:
            args = span["args"]
            if span["name"] == "publish":
                if "call" in args:
                    self.published[args["stage"], span["pid"], args["call"]].append(span)
                self.first[args["stage"]].append(span)
            for frame in frames_of(span):
                if span["name"] == "process":
                    check((args["stage"], frame) not in self.taken, "a frame that was processed twice", span)
                    self.taken[args["stage"], frame] = span
                elif span["name"] == "wait":
                    self.waited[args["stage"], frame] = span
        for event in of_phase(trace, "s") + of_phase(trace, "f"):
            self.arrows[event["id"]].append(event)
        self.check_arrows()

    def check_arrows(self):
        self.ends = set()
        for id_, pair in self.arrows.items():
            check([event["ph"] for event in pair] == ["s", "f"], "an arrow with other than two ends", *pair)
            begin, stop = pair
            check(begin["ts"] <= stop["ts"], "an arrow that goes back in time", *pair)
            self.ends.add((begin["pid"], begin["ts"], stop["pid"], stop["ts"]))

    def follow(self, publish, stages):
        """From its publish through each of the stages. False where one did not take it, or not within the trace."""
        check(publish["ts"] <= publish["args"]["publish_us"] <= end(publish),
              "a frame was handed over outside of its publish", publish)
        if not stages:
            return False
        (frame,) = frames_of(publish)
        process = self.taken.get((stages[0], frame))
        if process is None:
            return False
        check(process["pid"] != publish["pid"], "a frame went from a process to itself", publish, process)
        check(publish["args"]["publish_us"] <= process["ts"], "a frame was processed before it was published",
              publish, process)
        check(publish["args"].get("pts_ns") == process["args"].get("pts_ns", publish["args"].get("pts_ns")),
              "a frame with two times", publish, process)
        check((publish["pid"], publish["args"]["publish_us"], process["pid"], process["ts"]) in self.ends,
              "a frame without its arrow", publish, process)
        wait = self.waited.get((stages[0], frame))
        check(wait is not None or "frames" in process["args"], "a frame that was not waited for", process)
        if wait is not None:
            check(end(wait) <= process["ts"], "a frame was waited for while it was processed", wait, process)
            check(publish["args"]["publish_us"] <= end(wait), "a wait ended before its frame came", publish, wait)
        if len(stages) == 1:
            return True
        made = self.published[stages[0], process["pid"], process["args"]["call"]]
        for one in made:
            check(process["ts"] <= one["ts"] and end(one) <= end(process), "published outside of the process() that made it",
                  process, one)
        return any([self.follow(one, stages[1:]) for one in made])


def main(path, stages, all_come):
    with open(path, encoding="utf-8") as file:
        trace = Trace(json.load(file, parse_float=decimal.Decimal))
    publishes = sorted(trace.first[stages[0]], key=lambda publish: publish["ts"])
    came = [trace.follow(publish, stages[1:]) for publish in publishes]
    check(any(came), f"no frame of '{stages[0]}' can be followed to '{stages[-1]}'")
    first, last = came.index(True), len(came) - 1 - came[::-1].index(True)
    for publish, one in zip(publishes[first:last], came[first:last]):
        check(one or not all_come, f"a frame did not come to '{stages[-1]}'", publish)
    print(f"followed {sum(came)} frames through {' > '.join(stages)}")


some = sys.argv[1] == "--some"
file_name, *names = sys.argv[2 if some else 1:]
try:
    main(file_name, names, not some)
except Wrong as wrong:
    sys.exit(f"{file_name}: {wrong}")
