// `serve` and `health` of a pipeline file.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>

#include <reel/pipeline/config.hpp>

namespace reel {
namespace {

using ::testing::ElementsAre;

PipelineConfig config_of(const std::string& keys) {
  return parse_pipeline(
      "version: 1\n" + keys + "\nstages: {cam: {use: camera, out: v}, show: {use: show, in: v}}\n", "p.yaml");
}

TEST(ConfigService, IsNothingByDefault) {
  const PipelineConfig config = config_of("");
  EXPECT_FALSE(config.serve);
  EXPECT_EQ(config.health.stall_timeout_ms, 10'000);
  EXPECT_FALSE(config.health.watchdog_wants_frames);
}

TEST(ConfigService, SaysWhereItIsServed) {
  EXPECT_EQ(config_of("serve: 9477").serve->text(), "127.0.0.1:9477");
  EXPECT_EQ(config_of("serve: localhost:0").serve->text(), "127.0.0.1:0");
  EXPECT_EQ(config_of("serve: '[::1]:80'").serve->text(), "[::1]:80");
  EXPECT_EQ(config_of("serve: 0.0.0.0:9477").serve->text(), "0.0.0.0:9477");
}

TEST(ConfigService, SaysWhenThePipelineIsWell) {
  const HealthRule rule = config_of("health: {stall_timeout: 2s, ignore: [show], watchdog: frames}").health;
  EXPECT_EQ(rule.stall_timeout_ms, 2000);
  EXPECT_THAT(rule.ignored, ElementsAre("show"));
  EXPECT_TRUE(rule.watchdog_wants_frames);
  EXPECT_THAT(config_of("health: {ignore: cam}").health.ignored, ElementsAre("cam"));
}

TEST(ConfigService, IsRefusedWithItsLine) {
  const auto refused = [](const std::string& keys, std::initializer_list<std::string> words) {
    reel_test::expect_error(ErrorCode::bad_config, words, [&] { (void)config_of(keys); });
  };
  for (const char* address :
       {"0.0.0.0", "host:80", "127.0.0.1:65536", "1.2.3:4", "'127.0.0.1:'", "'::1:80'"})
    refused("serve: " + std::string(address), {"p.yaml:2", "'serve'", "127.0.0.1:9477"});
  refused("health: {stall_timeout: 0}", {"p.yaml:2", "no stage could keep to it"});
  refused("health: {ignore: [nobody]}", {"p.yaml:2", "cam or show"});
  refused("health: {watchdog: dog}", {"p.yaml:2", "watchdog", "supervisor"});
  refused("health: {stal_timeout: 1}", {"p.yaml:2", "stall_timeout"});
}

}  // namespace
}  // namespace reel
