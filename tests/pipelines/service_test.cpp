// A pipeline as a service: what it serves over HTTP, to a real Prometheus too, and what it tells systemd.
#include "served.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/notify_socket.hpp>
#include <reel_test/run_reel.hpp>

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
