// Three readers of one source, each by its policy.
#include "host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/runtime_dir.hpp>

namespace reel::stage_tests {
namespace {

using testing::ElementsAre;

std::uint64_t accounted(const nlohmann::json& report) {
  std::uint64_t sum = 0;
  for (const char* key : {"frames", "skipped", "lapped", "corrupted"})
    sum += report.at(key).get<std::uint64_t>();
  return sum;
}

TEST(Readers, GetWhatTheirPoliciesOweThem) {
  const reel_test::TempRuntimeDir directory;
  constexpr std::uint64_t kFrames = 2000;
  const std::string stream = reel_test::unique_name("synthetic");
  StageSetup source = setup_of("source", "synthetic.source",
                               {{"width", "640"}, {"height", "360"}, {"fps", "0"}, {"frames", "2000"}});
  add_output(source, "out", stream, {"lossless.in", "queue.in", "latest.in"});
  source.outputs[0].writer.slots = 16;
  StageSetup lossless = setup_of("lossless", "synthetic.verify");
  add_input(lossless, "in", stream, Policy::lossless);
  StageSetup queue = setup_of("queue", "synthetic.verify");
  add_input(queue, "in", stream, Policy::queue);
  StageSetup latest = setup_of("latest", "synthetic.verify", {{"delay_ms", "50"}});
  add_input(latest, "in", stream, Policy::latest);
  Host hosts[] = {Host(source), Host(lossless), Host(queue), Host(latest)};
  for (Host& host : hosts) host.start();
  for (Host& host : hosts) EXPECT_TRUE(host.wait().ok()) << host.log();
  EXPECT_THAT(findings(hosts[1].report()), ElementsAre(kFrames, 0, 0, 0));
  EXPECT_EQ(accounted(hosts[2].report()), kFrames) << hosts[2].report();
  EXPECT_EQ(accounted(hosts[3].report()), kFrames) << hosts[3].report();
  EXPECT_EQ(hosts[3].report().at("corrupted"), 0);
  EXPECT_GT(hosts[3].report().at("skipped"), 0);
}

}  // namespace
}  // namespace reel::stage_tests
