// Events in real pipelines: begun by motion, by `reel event` and by HTTP; what is in their files, their
// pictures, and what the hook is told.
#include "recordings.hpp"

#include "http_client.hpp"

#include <running_pipeline.hpp>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include <facts/frame_facts.hpp>
#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using record::EventMark;
using record::SegmentClass;
using record::SegmentRecord;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kVtest = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
constexpr std::int64_t kSecond = 1'000'000'000;

std::vector<SegmentRecord> of_class(const std::vector<SegmentRecord>& all, SegmentClass kind) {
  std::vector<SegmentRecord> chosen;
  for (const SegmentRecord& record : all)
    if (record.kind == kind) chosen.push_back(record);
  return chosen;
}

/// What the facts beside the files say of each frame, in their order.
std::vector<record::FrameFacts> facts_of(const std::string& directory,
                                         const std::vector<SegmentRecord>& segments) {
  std::vector<record::FrameFacts> all;
  for (const SegmentRecord& segment : segments) {
    const fs::path path = fs::path(directory) / segment.path;
    record::FactsReader reader(fs::path(path).replace_extension(".frames"));
    while (auto facts = reader.next()) all.push_back(std::move(*facts));
  }
  return all;
}

std::vector<EventMark> marks_of(const std::vector<SegmentRecord>& segments) {
  std::vector<EventMark> marks;
  for (const SegmentRecord& segment : segments)
    marks.insert(marks.end(), segment.events.begin(), segment.events.end());
  return marks;
}

void expect_picture(const std::string& directory, const std::string& path) {
  const std::string bytes = read_file(directory + "/" + path);
  EXPECT_TRUE(bytes.starts_with("\xff\xd8\xff")) << "\"" << path << "\" is no JPEG";
  EXPECT_GT(bytes.size(), 1000U) << path;
}

TEST(EventPipeline, MotionIsRecordedWithThePreRollAndPictures) {
  REEL_NEEDS(fs::exists(kVtest) ? "" : std::string("no ") + kVtest + " (package opencv-doc)");
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(std::string(R"(
version: 1
name: motion
stages:
  camera: {use: capture, options: {uri: )") +
                           kVtest + R"(, realtime: false, audio: optional}, out: {video: camera}}
  motion: {use: opencv.motion, in: camera, out: moving}
  recorder:
    use: record
    in: moving
    options:
      {directory: recordings, name: yard, mode: both, events: ["motion 0.033 for 200ms"], pre_roll: 5s, post_roll: 2s}
)");
  ASSERT_TRUE(pipeline.wait(4 * kWatchdog).ok()) << pipeline.log();
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto all = finished_in(directory);
  const auto events = of_class(all, SegmentClass::event);
  expect_intact(directory, all);
  ASSERT_FALSE(events.empty()) << pipeline.log();

  // Continuous files have everything, whatever is in the others.
  const auto seen = facts_of(directory, of_class(all, SegmentClass::continuous));
  ASSERT_EQ(seen.size(), 795U);

  std::set<std::uint64_t> recorded;
  for (const SegmentRecord& segment : events) {
    ASSERT_EQ(segment.tracks.size(), 1U);
    const record::Track& track = segment.tracks[0];
    for (std::uint64_t i = 0; i < track.frames; ++i)
      EXPECT_TRUE(recorded.insert(track.first_frame + i).second)
          << "frame " << track.first_frame + i << " twice";
    std::vector<std::uint64_t> expected(track.frames);
    std::iota(expected.begin(), expected.end(), track.first_frame);
    EXPECT_EQ(numbers_of(directory, {segment}, "moving"), expected) << segment.path;
  }
  const auto frames_between = [&](std::int64_t from_ns, std::int64_t to_ns) {
    std::vector<std::uint64_t> missing;
    for (const record::FrameFacts& frame : seen)
      if (frame.media_ns >= from_ns && frame.media_ns < to_ns && !recorded.contains(frame.frame))
        missing.push_back(frame.frame);
    return missing;
  };
  const auto marks = marks_of(events);
  EXPECT_GE(marks.size(), 2U);
  for (const EventMark& mark : marks) {
    SCOPED_TRACE(mark.id);
    EXPECT_EQ(mark.kind, "motion");
    EXPECT_THAT(frames_between(mark.start_ns - 5 * kSecond, mark.start_ns), IsEmpty()) << "pre-roll";
    EXPECT_THAT(frames_between(mark.start_ns, mark.end_ns), IsEmpty());
    const auto best = std::find_if(seen.begin(), seen.end(), [&](const record::FrameFacts& frame) {
      return frame.media_ns == mark.best_ns;
    });
    ASSERT_NE(best, seen.end());
    EXPECT_FLOAT_EQ(best->side().motion()->score, static_cast<float>(mark.score));
    expect_picture(directory, mark.picture);
    expect_picture(directory, mark.thumbnail);
  }
  // Nothing that moved so much for so long is left out, and what rested is.
  int kept = 0;
  for (const record::FrameFacts& frame : seen) {
    kept = frame.side().motion()->score >= 0.033F ? kept + 1 : 0;
    if (kept >= 3) {
      EXPECT_TRUE(recorded.contains(frame.frame)) << frame.frame;
    }
  }
  EXPECT_LT(recorded.size(), seen.size());
}

class CalledFor : public ::testing::Test {
 protected:
  /// Pictures at 20 a second, until it is stopped.
  static std::string pipeline(const std::string& options) {
    return R"(
version: 1
name: called
stages:
  source: {use: synthetic.source, options: {width: 160, height: 120, fps: 20, format: I420}, out: pictures}
  recorder:
    use: record
    in: pictures
    options: {directory: recordings, name: door, key_interval: 500ms, pre_roll: 1s, post_roll: 500ms, )" +
           options + "}\n";
  }
  static std::string directory_of(const RunningPipeline& pipeline) {
    return pipeline.scratch().path() + "/recordings";
  }
  TempRuntimeDir runtime_;
};

TEST_F(CalledFor, ReelEventBeginsAndEndsOne) {
  RunningPipeline pipeline(CalledFor::pipeline("mode: events"));
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 60)) << pipeline.log();
  const ReelRun called = run_reel({"event", "--kind", "bell", "--note", "the postman", "--duration", "1h"});
  ASSERT_EQ(called.status, 0) << called.errors;
  EXPECT_EQ(called.output, "");
  ASSERT_TRUE(pipeline.wait_for_log("begins: the postman"));
  ASSERT_EQ(run_reel({"event", "door", "--stop"}).status, 0);
  EXPECT_TRUE(pipeline.wait_for_log("-bell has ended"));
  EXPECT_TRUE(pipeline.wait_for_log("wrote "));
  const std::string directory = directory_of(pipeline);
  const auto events = finished_in(directory);
  ASSERT_EQ(events.size(), 1U) << pipeline.log();
  EXPECT_EQ(events[0].kind, SegmentClass::event);
  ASSERT_EQ(events[0].events.size(), 1U);
  const EventMark& mark = events[0].events[0];
  EXPECT_EQ(mark.kind, "bell");
  EXPECT_EQ(mark.note, "the postman");
  EXPECT_LE(events[0].start_ns, mark.start_ns - kSecond) << "pre-roll";
  EXPECT_GE(events[0].end_ns, mark.end_ns);
  expect_picture(directory, mark.picture);
  expect_intact(directory, events);
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST_F(CalledFor, HttpMarksOneInWhatIsRecordedAnyway) {
  RunningPipeline pipeline(CalledFor::pipeline("http: \"127.0.0.1:0\""));
  ASSERT_TRUE(pipeline.wait_for_log("/event"));
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 20)) << pipeline.log();
  const std::string log = pipeline.log();
  const std::size_t url = log.find("http://127.0.0.1:");
  auto ask = [&](const std::string& request) {
    return record::HttpClient::tcp(log.substr(url, log.find("/event", url) - url)).ask(request);
  };
  const std::string body = R"({"kind": "alarm", "duration": 1})";
  EXPECT_THAT(
      ask("POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body),
      HasSubstr("202 Accepted"));
  EXPECT_TRUE(pipeline.wait_for_log("-alarm has ended"));
  EXPECT_THAT(ask("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), HasSubstr("\"kind\":\"alarm\""));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = directory_of(pipeline);
  const auto segments = finished_in(directory);
  const auto marks = marks_of(segments);
  ASSERT_EQ(marks.size(), 1U) << pipeline.log();
  expect_picture(directory, marks[0].picture);
  EXPECT_THAT(of_class(segments, SegmentClass::event), IsEmpty());
}

TEST_F(CalledFor, AreListedCountedAndKeepTheTokenToThemselves) {
  constexpr const char* kToken = "wHo-kNoCkS-at-the-door";
  const ScratchDir scratch;
  const std::string file = scratch.write("token", std::string(kToken) + "\n");
  fs::permissions(file, fs::perms::owner_read);
  RunningPipeline pipeline(
      CalledFor::pipeline("mode: both, http: \"127.0.0.1:0\", http_token_file: " + file) +
      "serve: \"127.0.0.1:0\"\n");
  ASSERT_TRUE(pipeline.wait_for_log("/event")) << pipeline.log();
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 20)) << pipeline.log();
  const ReelRun none = run_reel({"event", "--list"});
  EXPECT_EQ(none.status, 0) << none.errors;
  EXPECT_THAT(none.output, HasSubstr("no events of the recording door so far"));

  const auto url_before = [&](const std::string& path) {
    const std::string log = pipeline.log();
    const std::size_t end = log.find(path), begin = log.rfind("http://", end);
    return log.substr(begin, end - begin);
  };
  const auto ask = [&](const std::string& path, const std::string& request) {
    return record::HttpClient::tcp(url_before(path)).ask(request);
  };
  const std::string call =
      "POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 15\r\n";
  EXPECT_THAT(ask("/event", call + "\r\n{\"kind\":\"bell\"}"), HasSubstr("401"));
  EXPECT_THAT(ask("/event", call + "Authorization: Bearer " + kToken + "\r\n\r\n{\"kind\":\"bell\"}"),
              HasSubstr("202"));
  ASSERT_TRUE(pipeline.wait_for_log("-bell has ended")) << pipeline.log();
  ASSERT_EQ(run_reel({"event", "--kind", "alarm", "--note", "smoke", "--duration", "1h"}).status, 0);
  ASSERT_TRUE(pipeline.wait_for_log("-alarm begins")) << pipeline.log();

  const ReelRun listed = run_reel({"event", "door", "--list"});
  EXPECT_THAT(listed.output, ::testing::ContainsRegex("goes on +alarm"));
  EXPECT_THAT(listed.output, HasSubstr("smoke"));
  const auto json = nlohmann::json::parse(run_reel({"event", "--list", "--json"}).output);
  ASSERT_EQ(json["events"].size(), 2U);
  EXPECT_EQ(json["events"][0]["kind"], "alarm");
  EXPECT_EQ(json["events"][0]["going_on"], true);
  EXPECT_EQ(json["events"][1]["kind"], "bell");
  EXPECT_EQ(json["events"][1]["going_on"], false);

  std::string metrics;
  EXPECT_TRUE(wait_until([&] {
    metrics = ask("/metrics", "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    return metrics.find("reel_stage_events_going_on{pipeline=\"called\",stage=\"recorder\"} 1\n") !=
           std::string::npos;
  })) << metrics;
  for (const std::string kind : {"alarm", "bell"})
    EXPECT_THAT(metrics,
                HasSubstr("reel_stage_events_total{pipeline=\"called\",stage=\"recorder\",stream=\"" + kind +
                          "\"} 1\n"));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log() + metrics, ::testing::Not(HasSubstr(kToken)));
}

TEST_F(CalledFor, TheHookIsGivenEachFinishedFile) {
  const ScratchDir scratch;
  const std::string hook = scratch.write(
      "hook", "#!/bin/sh\n[ -s \"$1\" ] && [ -s \"$2\" ] && echo \"$1 $2\" >> \"$(dirname \"$0\")/said\"\n");
  fs::permissions(hook, fs::perms::owner_all);
  RunningPipeline pipeline(CalledFor::pipeline("segment: 1s, hook: " + hook));
  EXPECT_TRUE(wait_until([&] { return !scratch.read("said").empty(); })) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  std::string expected;
  for (const SegmentRecord& segment : finished_in(directory_of(pipeline))) {
    const fs::path file = fs::path(directory_of(pipeline)) / segment.path;
    expected += file.string() + " " + fs::path(file).replace_extension(".json").string() + "\n";
  }
  // Two run at a time.
  const auto lines = [](const std::string& text) {
    std::multiset<std::string> all;
    std::istringstream rest(text);
    for (std::string line; std::getline(rest, line);) all.insert(line);
    return all;
  };
  EXPECT_EQ(lines(scratch.read("said")), lines(expected)) << pipeline.log();
}

TEST_F(CalledFor, FilesOfEventsHaveLimitsOfTheirOwn) {
  RunningPipeline pipeline(CalledFor::pipeline("mode: both, segment: 1s, event_max_bytes: 1"));
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 60)) << pipeline.log();
  ASSERT_EQ(run_reel({"event"}).status, 0);
  EXPECT_TRUE(pipeline.wait_for_log("-call has ended")) << pipeline.log();
  EXPECT_TRUE(pipeline.wait_for_log("max_bytes is 1 B")) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto left = finished_in(directory_of(pipeline));
  EXPECT_THAT(of_class(left, SegmentClass::event), IsEmpty()) << pipeline.log();
  EXPECT_GE(left.size(), 2U);
  EXPECT_EQ(left.front().start_ns, 0) << "continuous ones stay";
}

TEST_F(CalledFor, NothingIsRecordedOutsideOfTheSchedule) {
  // The day that is three days from now, so that midnight changes nothing.
  const std::time_t later = std::time(nullptr) + 3 * 24 * 3600;
  std::tm local{};
  localtime_r(&later, &local);
  const char* const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  RunningPipeline pipeline(
      CalledFor::pipeline(std::string("schedule: \"") + days[local.tm_wday] + " 00:00-24:00\""));
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 60)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr("the schedule says that nothing is recorded"));
  EXPECT_THAT(segments_in(directory_of(pipeline)), IsEmpty());
}

TEST_F(CalledFor, ReelEventSaysWhatIsWrong) {
  const ReelRun none = run_reel({"event"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("no recording runs (looked in " + runtime_.path() + ")"));
  RunningPipeline pipeline(CalledFor::pipeline("mode: events"));
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 1)) << pipeline.log();
  const ReelRun slip = run_reel({"event", "dor"});
  EXPECT_EQ(slip.status, 1);
  EXPECT_THAT(slip.errors, HasSubstr("did you mean \"door\"?"));
  const ReelRun kind = run_reel({"event", "--kind", "A B"});
  EXPECT_EQ(kind.status, 2);
  EXPECT_THAT(kind.errors, HasSubstr("recording door: \"A B\" cannot be a kind of event"));
  const ReelRun time = run_reel({"event", "--duration", "soon"});
  EXPECT_EQ(time.status, 2);
  EXPECT_THAT(time.errors, HasSubstr("'soon' is not a duration"));
  const ReelRun both = run_reel({"event", "--list", "--stop"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.errors, HasSubstr("--list"));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST_F(CalledFor, OptionsThatCannotBeAreRefused) {
  const auto refused = [](const std::string& options, const std::string& why) {
    SCOPED_TRACE(options);
    RunningPipeline pipeline(CalledFor::pipeline(options));
    EXPECT_FALSE(pipeline.wait().ok());
    EXPECT_THAT(pipeline.log(), HasSubstr(why));
  };
  refused("events: [\"motion 7\"]", "\"7\" is no number from 0 to 1");
  refused("schedule: always", "days and times are two words");
  refused("http: \"0.0.0.0:0\"", "http_token");
  const ScratchDir scratch;
  const std::string open = scratch.write("token", "0123456789abcdef");
  fs::permissions(open, fs::perms::owner_read | fs::perms::others_read);
  refused("http: \"127.0.0.1:0\", http_token_file: " + open, "chmod 600 \"" + open + "\"");
  refused("http_token: 0123456789abcdef, http_token_file: " + open, "leave one out");
  refused("hook: /no/such/program", "there is no program \"/no/such/program\"");
}

}  // namespace
}  // namespace reel_test
