// A pipeline as a service: what it serves over HTTP, to a real Prometheus too, and what it tells systemd.
#include "served.hpp"

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/notify_socket.hpp>
#include <reel_test/run_reel.hpp>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <reel/channel/observer.hpp>
#include <reel/pipeline/control.hpp>

namespace reel_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string pipeline_with(const std::string& keys, const std::string& camera = {}) {
  return "version: 1\nname: yard\n" + keys +
         "\nstages:\n"
         "  camera: {use: synthetic.source, options: {width: 64, height: 48, fps: 50}, out: pictures" +
         camera +
         "}\n"
         "  sink: {use: synthetic.verify, in: pictures}\n";
}

const char* const kServed = "serve: 127.0.0.1:0\nhealth: {stall_timeout: 2s}";

void end(RunningPipeline& pipeline) {
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(Service, HealthIsRedWhileASourceStallsAndGreenAgain) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(kServed));
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  const pid_t camera = pipeline.wait_for_stage("camera");
  ::kill(camera, SIGSTOP);
  EXPECT_TRUE(wait_for_health(port, 503, "camera: stalled"));
  EXPECT_THAT(nlohmann::json::parse(get(port, "/health").body)["reason"], Not(HasSubstr("sink")));
  EXPECT_THAT(get(port, "/metrics").body, HasSubstr("reel_pipeline_healthy{pipeline=\"yard\"} 0"));
  ::kill(camera, SIGCONT);
  EXPECT_TRUE(wait_for_health(port, 200));
  end(pipeline);
}

TEST(Service, HealthNamesTheReaderThatHoldsUpItsWriter) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(kServed));
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  const pid_t sink = pipeline.wait_for_stage("sink");
  ::kill(sink, SIGSTOP);
  EXPECT_TRUE(wait_for_health(port, 503, "sink: stalled"));
  ::kill(sink, SIGCONT);
  EXPECT_TRUE(wait_for_health(port, 200));
  end(pipeline);
}

std::string condition(std::uint16_t port, const std::string& stage) {
  const nlohmann::json health = nlohmann::json::parse(get(port, "/health").body, nullptr, false);
  if (health.is_object())
    for (const nlohmann::json& one : health["stages"])
      if (one["name"] == stage) return one["condition"];
  return {};
}

TEST(Service, HealthNamesTheSourceThatStallsAndNoReaderThatThins) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(kServed) + R"(
  other: {use: synthetic.source, options: {width: 64, height: 48, fps: 50}, out: others}
  every: {use: synthetic.verify, options: {pattern: none}, in: {stream: pictures, every: 7}}
  rate: {use: synthetic.verify, options: {pattern: none}, in: {stream: pictures, max_fps: 3}}
  newest: {use: synthetic.verify, options: {pattern: none}, in: {stream: pictures, policy: latest}}
  pairs: {use: synthetic.sets, in: [pictures, others], join: 15ms}
)");
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  const pid_t camera = pipeline.wait_for_stage("camera");
  ::kill(camera, SIGSTOP);
  EXPECT_TRUE(wait_for_health(port, 503, "camera: stalled"));
  for (const char* reader : {"sink", "every", "rate", "newest", "pairs", "other"})
    EXPECT_TRUE(wait_until([&] { return condition(port, reader) == "waiting"; }))
        << reader << ": " << condition(port, reader);
  EXPECT_THAT(nlohmann::json::parse(get(port, "/health").body)["reason"], Not(HasSubstr(";")));
  ::kill(camera, SIGCONT);
  EXPECT_TRUE(wait_for_health(port, 200));
  end(pipeline);
}

TEST(Service, HealthNamesAReaderFromOutsideThatHoldsABranchUp) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(std::string(kServed) + "\nstreams: {pictures: {stall_timeout: 0}}") +
                           "  other: {use: synthetic.source, options: {width: 64, height: 48}, out: others}\n"
                           "  view: {use: synthetic.verify, in: others}\n");
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  ChildProcess outsider = ChildProcess::program(
      reel_command(), {"verify", "pictures", "--policy", "lossless", "--frames", "100000"});
  ASSERT_TRUE(wait_until([] {
    const auto readers = reel::StreamObserver("pictures").status().readers;
    return std::any_of(readers.begin(), readers.end(),
                       [](const auto& one) { return one.name == "reel-verify"; });
  }));
  outsider.signal(SIGSTOP);
  const std::string who = "(pid " + std::to_string(outsider.pid()) + ") of the stream \"pictures\"";
  EXPECT_TRUE(wait_for_health(port, 503, "camera: held up by the reader \"reel-verify\" " + who));
  EXPECT_EQ(condition(port, "sink"), "waiting");
  EXPECT_EQ(condition(port, "view"), "ok");
  outsider.signal(SIGCONT);
  EXPECT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  outsider.signal(SIGKILL);
  end(pipeline);
}

TEST(Service, HealthOfProgramsGoesByTheirStreams) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string inner = scratch.write("inner.yaml",
                                          "version: 1\nname: inner\nstages: {source: {use: synthetic.source, "
                                          "options: {width: 64, height: 48, fps: 50}, "
                                          "out: numbers}}\n");
  const std::string into = scratch.file("into");
  RunningPipeline pipeline("version: 1\nname: programs\n" + std::string(kServed) + R"(
stages:
  from: {use: exec, out: numbers, options: {command: [)" +
                           reel_command() + ", run, " + inner + R"(]}}
  into: {use: exec, in: numbers, options: {command: 'echo $$$$ >)" +
                           into + "; exec " + reel_command() +
                           R"( verify numbers --policy lossless --frames 100000'}}
  aside: {use: exec, options: {command: 'exec sleep 1000'}}
)");
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  ASSERT_TRUE(wait_until([&] { return scratch.read("into").ends_with('\n'); }));
  const pid_t reader = static_cast<pid_t>(std::stol(scratch.read("into")));
  ASSERT_TRUE(wait_until([] {
    const auto readers = reel::StreamObserver("numbers").status().readers;
    return std::any_of(readers.begin(), readers.end(),
                       [](const auto& one) { return one.name == "programs/into"; });
  }));
  ::kill(reader, SIGSTOP);
  EXPECT_TRUE(wait_for_health(port, 503, "into: stalled"));
  EXPECT_TRUE(wait_until([&] { return condition(port, "from") == "waiting"; })) << condition(port, "from");
  ::kill(reader, SIGCONT);
  EXPECT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  EXPECT_EQ(condition(port, "aside"), "ok");
  end(pipeline);
}

TEST(Service, HealthIsRedWhileAStageIsAwayForItsRestart) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(kServed, ", restart_delay: 10s, restart_delay_max: 10s"));
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  ::kill(pipeline.wait_for_stage("camera"), SIGKILL);
  EXPECT_TRUE(wait_for_health(port, 503, "camera: restarting"));
  EXPECT_TRUE(wait_for_health(port, 200));
  EXPECT_THAT(get(port, "/metrics").body,
              HasSubstr("reel_process_restarts_total{pipeline=\"yard\",stage=\"camera\"} 1\n"));
  end(pipeline);
}

TEST(Service, CountsGoOnOverARestart) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(kServed));
  const std::uint16_t port = served_port(pipeline);
  const auto frames = [&] {
    const std::string text = get(port, "/metrics").body;
    const std::string name =
        "reel_output_frames_total{pipeline=\"yard\",stage=\"camera\",port=\"out\",stream=\"pictures\"} ";
    const std::size_t place = text.find(name);
    return place == std::string::npos ? -1L : std::stol(text.substr(place + name.size()));
  };
  ASSERT_TRUE(wait_until([&] { return frames() > 20; })) << pipeline.log();
  const pid_t before = pipeline.wait_for_stage("camera");
  ::kill(before, SIGKILL);
  (void)pipeline.wait_for_stage("camera", before);
  EXPECT_GT(frames(), 20);
  end(pipeline);
}

double number(const std::string& metrics, const std::string& series) {
  const std::size_t place = metrics.find("\n" + series + " ");
  return place == std::string::npos ? -1 : std::stod(metrics.substr(place + series.size() + 2));
}

// Made since: pages are given twice while they are fresh.
std::string metrics_after(std::uint16_t port, const std::string& before) {
  const std::string uptime = "reel_pipeline_uptime_seconds{pipeline=\"yard\"}";
  std::string after;
  EXPECT_TRUE(wait_until([&] {
    after = get(port, "/metrics").body;
    return number(after, uptime) > number(before, uptime) + 0.5;
  }));
  return after;
}

TEST(Service, CountsOfAStageThatWasTakenOutAndAddedAgainComeOnce) {
  const TempRuntimeDir runtime;
  const std::string with = pipeline_with(kServed), without = with.substr(0, with.find("  sink:"));
  RunningPipeline pipeline(with);
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  reel::PipelineControl control("yard");
  for (const std::string& text : {without, with})
    (void)control.apply(pipeline.scratch().write("changed.yaml", text));
  std::istringstream lines(metrics_after(port, get(port, "/metrics").body));
  std::set<std::string> series;
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second || line.starts_with('#')) << line;
  EXPECT_TRUE(series.contains("reel_process_healthy{pipeline=\"yard\",stage=\"sink\"}"));
  end(pipeline);
}

TEST(Service, ProcessorTimeNeverFalls) {
  const TempRuntimeDir runtime;
  // It works in a process whose parent leaves, so that nobody of the stage's is told what it took.
  RunningPipeline pipeline(pipeline_with(kServed) + R"(
  busy:
    use: exec
    options:
      command: |
        (
          (i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo worked >worked; exec sleep 1000) &
          while [ ! -e leave ]; do sleep 0.02; done
        )
        echo left >left
        exec sleep 1000
)");
  const std::uint16_t port = served_port(pipeline);
  const std::string scratch = pipeline.scratch().path();
  ASSERT_TRUE(wait_until([&] { return ::access((scratch + "/worked").c_str(), F_OK) == 0; }))
      << pipeline.log();
  const std::string cpu = "reel_process_cpu_seconds_total{pipeline=\"yard\",stage=\"busy\"}";
  const std::string before = get(port, "/metrics").body;
  EXPECT_GT(number(before, cpu), 0);
  (void)pipeline.scratch().write("leave", "");
  ASSERT_TRUE(wait_until([&] { return ::access((scratch + "/left").c_str(), F_OK) == 0; })) << pipeline.log();
  EXPECT_GE(number(metrics_after(port, before), cpu), number(before, cpu));
  end(pipeline);
}

TEST(Service, IsServedWhereTheCommandLineSays) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_with(""), {"--serve", "0.0.0.0:0"});
  const std::uint16_t port = served_port(pipeline);
  EXPECT_TRUE(wait_for_health(port, 200));
  EXPECT_THAT(pipeline.log(),
              AllOf(HasSubstr("serves http://0.0.0.0:"), HasSubstr("is no address of this machine alone")));
  end(pipeline);
}

TEST(Service, BeginsNotWhereItsPortIsTaken) {
  const TempRuntimeDir runtime;
  const TakenPort taken;
  const ScratchDir scratch;
  const std::string address = "127.0.0.1:" + std::to_string(taken.number());
  const ReelRun run =
      run_reel({"run", scratch.write("p.yaml", pipeline_with("serve: " + address)), "--duration", "1"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, AllOf(HasSubstr(address), HasSubstr("another port")));
}

// What a Prometheus of Debian's knows by its own API.
class Prometheus {
 public:
  Prometheus(const ScratchDir& scratch, std::uint16_t target)
      : port_(free_port()),
        process_(ChildProcess::program("prometheus",
                                       {"--config.file=" + scratch.write("prometheus.yml", config(target)),
                                        "--storage.tsdb.path=" + scratch.file("tsdb"),
                                        "--web.listen-address=127.0.0.1:" + std::to_string(port_)})) {}
  /// The value of the first series that the query gives; empty when there is none.
  [[nodiscard]] std::string value(const std::string& query) const {
    const nlohmann::json json =
        nlohmann::json::parse(get(port_, "/api/v1/query?query=" + query).body, nullptr, false);
    if (!json.is_object() || json["status"] != "success" || json["data"]["result"].empty()) return {};
    return json["data"]["result"][0]["value"][1];
  }
  [[nodiscard]] std::string log() const { return process_.errors(); }

 private:
  static std::string config(std::uint16_t target) {
    return "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
           "scrape_configs:\n"
           "  - job_name: reel\n"
           "    static_configs: [{targets: ['127.0.0.1:" +
           std::to_string(target) + "']}]\n";
  }

  std::uint16_t port_;
  ChildProcess process_;
};

TEST(Service, IsScrapedByARealPrometheus) {
  REEL_NEEDS(missing_programs({"prometheus", "promtool"}));
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  RunningPipeline pipeline(pipeline_with(kServed));
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  const Prometheus prometheus(scratch, port);
  const auto becomes = [&](const std::string& query, const std::string& value) {
    return wait_until([&] { return prometheus.value(query) == value; });
  };
  ASSERT_TRUE(becomes("up{job=\"reel\"}", "1")) << prometheus.log();
  EXPECT_TRUE(becomes("reel_pipeline_healthy", "1"));
  EXPECT_TRUE(becomes("reel_output_frames_total{stage=\"camera\"}>bool%20100", "1"));
  EXPECT_TRUE(becomes("reel_input_hop_seconds_count{stage=\"sink\"}>bool%20100", "1"));
  ::kill(pipeline.wait_for_stage("camera"), SIGSTOP);
  EXPECT_TRUE(becomes("reel_pipeline_healthy", "0"));
  ::kill(pipeline.wait_for_stage("camera"), SIGCONT);
  EXPECT_TRUE(becomes("reel_pipeline_healthy", "1"));
  ChildProcess lint = ChildProcess::program("promtool", {"check", "metrics"});
  (void)lint.send(get(port, "/metrics").body);
  lint.close_input();
  EXPECT_TRUE(lint.wait().ok()) << lint.errors() << lint.output();
  end(pipeline);
}

void forget_what_came(NotifySocket& systemd) {
  (void)systemd.lines();
  systemd.forget();
}

TEST(Service, TellsSystemdOfItsLife) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  NotifySocket systemd(scratch.file("notify"));
  RunningPipeline pipeline(pipeline_with("health: {stall_timeout: 2s}"), {},
                           {{"NOTIFY_SOCKET", systemd.address()}, {"WATCHDOG_USEC", "200000"}});
  EXPECT_EQ(systemd.wait_for("READY=1"), "READY=1") << pipeline.log();
  EXPECT_EQ(systemd.wait_for("STATUS=well"), "STATUS=well: 2 stages");
  EXPECT_TRUE(wait_until([&] { return systemd.count("WATCHDOG=1") >= 10; }));
  // The watchdog is the supervisor's own: a camera that stalls is its business, not systemd's.
  ::kill(pipeline.wait_for_stage("camera"), SIGSTOP);
  forget_what_came(systemd);
  EXPECT_THAT(systemd.wait_for("STATUS=camera: stalled"), HasSubstr("no frame for"));
  forget_what_came(systemd);
  EXPECT_TRUE(wait_until([&] { return systemd.count("WATCHDOG=1") >= 10; }));
  ::kill(pipeline.wait_for_stage("camera"), SIGCONT);
  pipeline.reel().signal(SIGTERM);
  EXPECT_EQ(systemd.wait_for("STOPPING=1"), "STOPPING=1");
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_EQ(systemd.count("READY=1"), 0u) << "once is enough";
}

// Stops one thread of a child alone: all others go on.
class StoppedThread {
 public:
  explicit StoppedThread(pid_t thread) : thread_(thread) {
    stopped_ = ::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) == 0 &&
               ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 &&
               ::waitpid(thread, nullptr, __WALL | __WNOTHREAD) == thread;
  }
  ~StoppedThread() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
  StoppedThread(const StoppedThread&) = delete;
  StoppedThread& operator=(const StoppedThread&) = delete;
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  pid_t thread_;
  bool stopped_ = false;
};

TEST(Service, LetsTheWatchdogGoHungryWhereTheSupervisorIsWedged) {
  const TempRuntimeDir runtime;
  NotifySocket systemd("@" + unique_name("reel-systemd"));
  RunningPipeline pipeline(pipeline_with(kServed), {},
                           {{"NOTIFY_SOCKET", systemd.address()}, {"WATCHDOG_USEC", "200000"}});
  const std::uint16_t port = served_port(pipeline);
  ASSERT_EQ(systemd.wait_for("WATCHDOG=1"), "WATCHDOG=1") << pipeline.log();
  {
    const StoppedThread loop(pipeline.reel().pid());
    ASSERT_TRUE(loop.stopped());
    forget_what_came(systemd);
    // The thread that serves goes on, and waits for longer than systemd would.
    const Answer answer = get(port, "/health");
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("does not answer"));
    EXPECT_EQ(systemd.count("WATCHDOG=1"), 0u);
  }
  EXPECT_EQ(systemd.wait_for("WATCHDOG=1"), "WATCHDOG=1") << "it goes on";
  end(pipeline);
}

TEST(Service, TellsAnAbstractSocketToo) {
  const TempRuntimeDir runtime;
  NotifySocket systemd("@" + unique_name("reel-systemd"));
  RunningPipeline pipeline(pipeline_with(""), {}, {{"NOTIFY_SOCKET", systemd.address()}});
  EXPECT_EQ(systemd.wait_for("READY=1"), "READY=1") << pipeline.log();
  end(pipeline);
  EXPECT_EQ(systemd.count("STOPPING=1"), 1u);
  EXPECT_EQ(systemd.count("WATCHDOG=1"), 0u) << "nobody asked for it";
}

TEST(Service, LetsTheWatchdogGoHungryWhereFramesAreWanted) {
  const TempRuntimeDir runtime;
  NotifySocket systemd("@" + unique_name("reel-systemd"));
  RunningPipeline pipeline(pipeline_with("health: {stall_timeout: 2s, watchdog: frames}"), {},
                           {{"NOTIFY_SOCKET", systemd.address()}, {"WATCHDOG_USEC", "200000"}});
  ASSERT_EQ(systemd.wait_for("STATUS=well"), "STATUS=well: 2 stages") << pipeline.log();
  ::kill(pipeline.wait_for_stage("camera"), SIGSTOP);
  forget_what_came(systemd);  // a busy machine may have been stalled before
  ASSERT_TRUE(wait_until([&] { return systemd.count("STATUS=camera: stalled") >= 2; }));
  forget_what_came(systemd);
  EXPECT_TRUE(wait_until([&] { return systemd.count("STATUS=camera: stalled") >= 3; }));
  EXPECT_EQ(systemd.count("WATCHDOG=1"), 0u);
  ::kill(pipeline.wait_for_stage("camera"), SIGCONT);
  EXPECT_EQ(systemd.wait_for("WATCHDOG=1"), "WATCHDOG=1");
  end(pipeline);
}

TEST(Service, IsReadyThoughOneStageFailsAgainAndAgain) {
  const TempRuntimeDir runtime;
  NotifySocket systemd("@" + unique_name("reel-systemd"));
  RunningPipeline pipeline(
      pipeline_with("") +
          "  doomed: {use: exec, options: {command: [\"false\"]}, restart: always, restart_limit: 1000}\n",
      {}, {{"NOTIFY_SOCKET", systemd.address()}});
  EXPECT_EQ(systemd.wait_for("READY=1"), "READY=1") << pipeline.log();
  EXPECT_NE(systemd.wait_for("STATUS=doomed: restarting"), "");
  pipeline.reel().signal(SIGINT);
  EXPECT_EQ(pipeline.wait().code, 1) << "that stage has failed";
}

}  // namespace
}  // namespace reel_test
