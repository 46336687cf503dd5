// Stages that are told to end, and stages that die.
#include "host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/observer.hpp>

namespace reel::stage_tests {
namespace {

using testing::ElementsAre;

class Signals : public testing::Test {
 protected:
  Signals() {
    StageSetup source =
        setup_of("source", "synthetic.source", {{"width", "64"}, {"height", "48"}, {"fps", "500"}});
    add_output(source, "out", stream_, {"verify.in"});
    source.outputs[0].writer.stall_timeout_ms = 0;  // a reader that stands still is waited for, for ever
    source_.emplace(source);
    StageSetup verify = setup_of("verify", "synthetic.verify");
    add_input(verify, "in", stream_);
    verify_.emplace(verify);
  }
  void start_both() {
    source_->start();
    verify_->start();
    ASSERT_TRUE(verify_->wait_for_more(20)) << verify_->log() << source_->log();
  }
  void expect_end(Host& host) { EXPECT_TRUE(host.wait().ok()) << host.log(); }

  reel_test::TempRuntimeDir directory_;
  std::string stream_ = reel_test::unique_name("synthetic");
  std::optional<Host> source_, verify_;
};

TEST_F(Signals, SigintDrainsASourceAndWhatFollowsIt) {
  start_both();
  source_->signal(SIGINT);
  expect_end(*source_);
  expect_end(*verify_);
  EXPECT_EQ(verify_->report().at("frames"), source_->output().frames.load());
  EXPECT_THAT(findings(verify_->report()), ElementsAre(testing::_, 0, 0, 0));
}

TEST_F(Signals, SigintLeavesAStageWithInputsToItsInputs) {
  start_both();
  verify_->signal(SIGINT);
  EXPECT_TRUE(verify_->wait_for_more(50)) << verify_->log();
  source_->signal(SIGINT);
  expect_end(*source_);
  expect_end(*verify_);
}

TEST_F(Signals, SigtermEndsOneStageAndHarmsNoOther) {
  start_both();
  verify_->signal(SIGTERM);
  expect_end(*verify_);
  EXPECT_FALSE(verify_->report().is_null()) << "stop() was called";
  EXPECT_EQ(verify_->state(), StageState::finished);
  EXPECT_TRUE(source_->wait_for_more(50)) << source_->log();
  source_->signal(SIGTERM);
  expect_end(*source_);
}

TEST_F(Signals, SigtermOfASourceIsAnEndOfStreamForItsReaders) {
  start_both();
  source_->signal(SIGTERM);
  expect_end(*source_);
  expect_end(*verify_);
  EXPECT_THAT(findings(verify_->report()), ElementsAre(testing::_, 0, 0, 0));
}

TEST_F(Signals, SigtermWakesASourceThatWaitsForAReader) {
  start_both();
  // The source's page is not brought up to date while it waits; its stream's header is.
  StreamObserver stream(stream_);
  const std::uint64_t before = stream.status().waits;
  verify_->signal(SIGSTOP);
  ASSERT_TRUE(reel_test::wait_until([&] { return stream.status().waits > before; }));
  source_->signal(SIGTERM);
  expect_end(*source_);
  EXPECT_GT(source_->output().waits.load(), 0u);
  verify_->signal(SIGCONT);
  expect_end(*verify_);
}

TEST_F(Signals, SigtermWakesAStageWhoseStreamNobodyWrites) {
  verify_->start();
  ASSERT_TRUE(reel_test::wait_until([&] { return verify_->state() == StageState::running; }))
      << verify_->log();
  verify_->signal(SIGTERM);
  expect_end(*verify_);
  EXPECT_THAT(findings(verify_->report()), ElementsAre(0, 0, 0, 0));
}

TEST_F(Signals, SigtermWakesASourceThatWaitsForReadersThatNeverCome) {
  source_->start();
  ASSERT_TRUE(reel_test::wait_until([&] { return source_->state() == StageState::running; }))
      << source_->log();
  source_->signal(SIGTERM);
  expect_end(*source_);
}

TEST_F(Signals, SigintEndsTheWaitOfASourceForReadersThatNeverCome) {
  StageSetup source = setup_of("lonely", "synthetic.source", {{"width", "64"}, {"height", "48"}});
  add_output(source, "out", stream_, {"nobody"});
  source.outputs[0].writer.start_timeout_ms = 3'600'000;
  Host lonely(source);
  lonely.start();
  ASSERT_TRUE(reel_test::wait_until([&] { return lonely.state() == StageState::running; })) << lonely.log();
  lonely.signal(SIGINT);
  expect_end(lonely);
  EXPECT_EQ(lonely.output().frames.load(), 0u);
}

TEST_F(Signals, SigintWhileASourceWaitsForOneReaderEndsTheStreamOfTheOthers) {
  StageSetup source = setup_of("source", "synthetic.source", {{"width", "64"}, {"height", "48"}});
  add_output(source, "out", stream_, {"verify.in", "nobody"});
  source.outputs[0].writer.start_timeout_ms = 3'600'000;
  Host lonely(source);
  lonely.start();
  verify_->start();
  ASSERT_TRUE(reel_test::wait_until([&] { return verify_->input().connects.load() == 1; })) << verify_->log();
  lonely.signal(SIGINT);
  expect_end(lonely);
  expect_end(*verify_);
  EXPECT_THAT(findings(verify_->report()), ElementsAre(0, 0, 0, 0));
}

TEST_F(Signals, AKilledReaderGoesOnWhereItWas) {
  start_both();
  const std::uint64_t before = verify_->input().frames.load();
  verify_->signal(SIGKILL);
  EXPECT_EQ(verify_->wait().signal, SIGKILL);
  verify_->start();
  ASSERT_TRUE(verify_->wait_for_more(50)) << verify_->log();
  EXPECT_GE(verify_->input().frames.load(), before + 50) << "the counters go on";
  source_->signal(SIGINT);
  expect_end(*source_);
  expect_end(*verify_);
  EXPECT_THAT(findings(verify_->report()), ElementsAre(testing::_, 0, 0, 0));
}

TEST_F(Signals, AKilledSourceIsFollowedByTheNext) {
  start_both();
  source_->signal(SIGKILL);
  EXPECT_EQ(source_->wait().signal, SIGKILL);
  EXPECT_TRUE(verify_->process().running());
  source_->start();
  ASSERT_TRUE(verify_->wait_for_more(50)) << verify_->log();
  source_->signal(SIGINT);
  expect_end(*source_);
  expect_end(*verify_);
  EXPECT_THAT(findings(verify_->report()), ElementsAre(testing::_, 0, 0, 0));
  EXPECT_EQ(verify_->report().at("restarts"), 1);
  EXPECT_EQ(verify_->input().connects.load(), 2u);
}

}  // namespace
}  // namespace reel::stage_tests
