// Frames from one stage's process to another's, counted and checked.
#include "host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/runtime_dir.hpp>

namespace reel::stage_tests {
namespace {

using reel_test::unique_name;
using testing::ElementsAre;

struct Pair {
  Host source, verify;
};

Pair source_and_verify(const std::vector<std::pair<std::string, std::string>>& options) {
  const std::string stream = unique_name("synthetic");
  StageSetup source = setup_of("source", "synthetic.source", options);
  add_output(source, "out", stream, {"verify.in"});
  StageSetup verify = setup_of("verify", "synthetic.verify");
  add_input(verify, "in", stream);
  return {Host(std::move(source)), Host(std::move(verify))};
}

const std::vector<std::pair<std::string, std::string>> kSmall{
    {"width", "64"}, {"height", "48"}, {"fps", "0"}, {"frames", "200"}};

class StartOrder : public testing::TestWithParam<bool> {};

TEST_P(StartOrder, DoesNotMatterForALosslessReader) {
  const reel_test::TempRuntimeDir directory;
  Pair pair = source_and_verify(kSmall);
  (GetParam() ? pair.source : pair.verify).start();
  (GetParam() ? pair.verify : pair.source).start();
  EXPECT_TRUE(pair.source.wait().ok()) << pair.source.log();
  EXPECT_TRUE(pair.verify.wait().ok()) << pair.verify.log();
  EXPECT_THAT(findings(pair.verify.report()), ElementsAre(200, 0, 0, 0));
  EXPECT_EQ(pair.verify.report().at("verified"), 200);
}

INSTANTIATE_TEST_SUITE_P(Both, StartOrder, testing::Bool(), [](const auto& first) {
  return std::string(first.param ? "SourceFirst" : "ReaderFirst");
});

TEST(StagePage, HasTheCountsAtTheEnd) {
  const reel_test::TempRuntimeDir directory;
  Pair pair = source_and_verify(kSmall);
  pair.source.start();
  pair.verify.start();
  ASSERT_TRUE(pair.source.wait().ok()) << pair.source.log();
  ASSERT_TRUE(pair.verify.wait().ok()) << pair.verify.log();
  EXPECT_EQ(pair.source.state(), StageState::finished);
  EXPECT_EQ(pair.verify.state(), StageState::finished);
  EXPECT_EQ(pair.source.page().pid.load(), static_cast<std::uint32_t>(pair.source.process().pid()));
  EXPECT_EQ(pair.source.page().output_count.load(), 1u);
  EXPECT_STREQ(pair.source.output().port.data(), "out");
  EXPECT_EQ(pair.source.output().frames.load(), 200u);
  EXPECT_EQ(pair.source.output().bytes.load(), 200u * 64 * 48 * 3 / 2);
  EXPECT_EQ(pair.verify.page().input_count.load(), 1u);
  EXPECT_STREQ(pair.verify.input().stream.data(), pair.source.output().stream.data());
  EXPECT_EQ(pair.verify.input().frames.load(), 200u);
  EXPECT_EQ(pair.verify.input().verified.load(), 200u);
  EXPECT_EQ(pair.verify.input().connects.load(), 1u);
  EXPECT_EQ(pair.verify.input().hop.count(), 200u);
  EXPECT_EQ(pair.verify.input().end_to_end.count(), 200u);
  EXPECT_GT(pair.verify.input().hop.quantile(0.5), 0);
  EXPECT_GE(pair.verify.input().end_to_end.quantile(0.5), pair.verify.input().hop.quantile(0.5));
  EXPECT_GT(pair.verify.page().process_ns.load(), 0u);
}

class AnyFormat : public testing::TestWithParam<std::vector<std::pair<std::string, std::string>>> {};

TEST_P(AnyFormat, ArrivesByteForByte) {
  const reel_test::TempRuntimeDir directory;
  std::vector<std::pair<std::string, std::string>> options = GetParam();
  options.emplace_back("frames", "30");
  options.emplace_back("fps", "1000");
  Pair pair = source_and_verify(options);
  pair.source.start();
  pair.verify.start();
  EXPECT_TRUE(pair.source.wait().ok()) << pair.source.log();
  EXPECT_TRUE(pair.verify.wait().ok()) << pair.verify.log();
  EXPECT_THAT(findings(pair.verify.report()), ElementsAre(30, 0, 0, 0));
  EXPECT_EQ(pair.verify.report().at("disordered"), 0);
}

using Choice = std::vector<std::pair<std::string, std::string>>;
INSTANTIATE_TEST_SUITE_P(All, AnyFormat,
                         testing::Values(Choice{{"format", "GRAY8"}, {"width", "1"}, {"height", "1"}},
                                         Choice{{"format", "BGR"}, {"width", "333"}, {"height", "77"}},
                                         Choice{{"format", "I420"}, {"width", "321"}, {"height", "241"}},
                                         Choice{{"rate", "44100"}},
                                         Choice{{"format", "F32LE"}, {"rate", "48000"}, {"channels", "6"}}),
                         [](const auto& choice) {
                           std::string name;
                           for (const auto& [option, value] : choice.param) name += option + value;
                           return name;
                         });

// Rate 44100 with 1000 buffers a second: 44 or 45... samples each, none lost.
TEST(SyntheticAudio, KeepsItsRateExactly) {
  const reel_test::TempRuntimeDir directory;
  Pair pair = source_and_verify({{"rate", "44100"}, {"channels", "1"}, {"fps", "1000"}, {"frames", "1000"}});
  pair.source.start();
  pair.verify.start();
  EXPECT_TRUE(pair.source.wait().ok()) << pair.source.log();
  EXPECT_TRUE(pair.verify.wait().ok()) << pair.verify.log();
  EXPECT_EQ(pair.source.output().bytes.load(), 44100u * 2);
}

TEST(SyntheticVerify, CountsWhatIsNotThePattern) {
  const reel_test::TempRuntimeDir directory;
  const std::string raw = unique_name("raw"), turned = unique_name("turned");
  StageSetup source = setup_of("source", "synthetic.source", kSmall);
  add_output(source, "out", raw, {"negative.in"});
  StageSetup negative = setup_of("negative", "example.negative");
  add_input(negative, "in", raw);
  add_output(negative, "out", turned, {"verify.in"});
  StageSetup verify = setup_of("verify", "synthetic.verify");
  add_input(verify, "in", turned);
  Host hosts[] = {Host(source), Host(negative), Host(verify)};
  for (Host& host : hosts) host.start();
  for (Host& host : hosts) EXPECT_TRUE(host.wait().ok()) << host.log();
  EXPECT_THAT(findings(hosts[2].report()), ElementsAre(200, 0, 200, 0));
  EXPECT_EQ(hosts[2].report().at("verified"), 200) << "the checksums are right all the same";
}

TEST(ReadmeFilter, TurnsTheFramesOfAPipelineAround) {
  const reel_test::TempRuntimeDir directory;
  const std::string raw = unique_name("raw"), once = unique_name("once"), twice = unique_name("twice");
  StageSetup source = setup_of("source", "synthetic.source", kSmall);
  add_output(source, "out", raw, {"first.in"});
  StageSetup first = setup_of("first", "example.negative");
  add_input(first, "in", raw);
  add_output(first, "out", once, {"second.in"});
  StageSetup second = setup_of("second", "example.negative", {{"white", "255"}});
  add_input(second, "in", once);
  add_output(second, "out", twice, {"verify.in"});
  StageSetup verify = setup_of("verify", "synthetic.verify");
  add_input(verify, "in", twice);
  Host hosts[] = {Host(source), Host(first), Host(second), Host(verify)};
  for (Host& host : hosts) host.start();
  for (Host& host : hosts) EXPECT_TRUE(host.wait().ok()) << host.log();
  EXPECT_THAT(findings(hosts[3].report()), ElementsAre(200, 0, 0, 0))
      << "turned around twice is the pattern again";
  EXPECT_EQ(hosts[3].input().end_to_end.count(), 200u) << "the capture time came through two filters";
}

}  // namespace
}  // namespace reel::stage_tests
