// What is left when segments and their makers are gone, and what a child inherits.
#include "segment_suite.hpp"

#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace {

using reel_test::ChildProcess;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SegmentLifetime : public SegmentSuite {};
INSTANTIATE_TEST_SUITE_P(EveryKind, SegmentLifetime, ::testing::ValuesIn(reel::segment_kinds()), kind_name);

TEST_P(SegmentLifetime, NothingStaysOpenOrMapped) {
  const std::vector<std::string> before = reel_test::descriptor_targets();
  for (int round = 0; round < 100; ++round) {
    const auto segment = create();
    (void)segment->seal(reel::Seal::size);
    const auto reading = backend().map(segment->share_read_only(), kBytes, false);
    const auto writing = backend().map(segment->share_writable(), kBytes, true);
  }
  EXPECT_EQ(reel_test::descriptor_targets(), before);
  EXPECT_THAT(reel_test::mappings_of(name()), IsEmpty());
  EXPECT_THAT(reel_test::shm_entries(name()), IsEmpty());
}

TEST_P(SegmentLifetime, NothingStaysOpenAfterARefusal) {
  const std::vector<std::string> before = reel_test::descriptor_targets();
  const auto segment = create();
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW((void)backend().map(segment->share_read_only(), 1, false), reel::Error);
    EXPECT_THROW((void)backend().create(name() + "-large", std::size_t{1} << 50), reel::Error);
  }
  EXPECT_THAT(reel_test::shm_entries(name() + "-large"), IsEmpty());
  EXPECT_EQ(reel_test::descriptor_targets().size(), before.size() + 1) << "the segment's own and no other";
}

TEST_P(SegmentLifetime, SweepRemovesWhatAKilledProcessLeft) {
  ChildProcess child = ChildProcess::call([&] {
    const auto first = backend().create(name() + ".one", kBytes);
    const auto second = backend().create(name() + ".two", kBytes);
    reel_test::say("made");
    ::pause();
    return 0;
  });
  ASSERT_EQ(child.wait_for_line("made"), "made") << child.errors();
  const std::vector<std::string> made = reel_test::shm_entries(name());
  EXPECT_THAT(backend().sweep(name()), IsEmpty()) << "its maker lives";
  EXPECT_EQ(reel_test::shm_entries(name()), made);
  child.signal(SIGKILL);
  EXPECT_EQ(child.wait().signal, SIGKILL);
  EXPECT_EQ(reel_test::shm_entries(name()), made) << "a killed process cannot tidy up";
  EXPECT_EQ(backend().sweep(name()), made);
  EXPECT_THAT(reel_test::shm_entries(name()), IsEmpty());
  EXPECT_THAT(backend().sweep(name()), IsEmpty());
}

TEST_P(SegmentLifetime, SweepKeepsWhatPeersOfTheDeadStillMap) {
  ChildProcess child = ChildProcess::call([&] {
    const auto segment = create();
    segment->data()[0] = std::byte{8};
    reel_test::say("made");
    ::pause();
    return 0;
  });
  ASSERT_EQ(child.wait_for_line("made"), "made") << child.errors();
  const std::vector<std::string> names = reel_test::shm_entries(name());
  if (names.empty()) GTEST_SKIP() << "this kind leaves no names";
  reel::UniqueFd fd(::open(("/dev/shm/" + names.front()).c_str(), O_RDONLY | O_CLOEXEC));
  const auto mapped = backend().map(std::move(fd), kBytes, false);
  child.signal(SIGKILL);
  (void)child.wait();
  EXPECT_EQ(backend().sweep(name()), names);
  EXPECT_EQ(mapped->data()[0], std::byte{8});
}

TEST_P(SegmentLifetime, SweepLooksAtItsPrefixAlone) {
  const auto mine = create();
  EXPECT_THAT(backend().sweep(name() + "-other"), IsEmpty());
  EXPECT_EQ(mine->data()[0], std::byte{0});
}

TEST_P(SegmentLifetime, AForkedChildHasNoMappingOfIt) {
  const auto segment = create();
  (void)segment->seal(reel::Seal::size);
  const auto mapped = backend().map(segment->share_read_only(), kBytes, false);
  ASSERT_THAT(reel_test::mappings_of(name()), ::testing::SizeIs(2));
  expect_child_succeeds([&] { return static_cast<int>(reel_test::mappings_of(name()).size()); });
}

TEST_P(SegmentLifetime, AForkedChildThatDestroysItsCopyTakesNothingAway) {
  auto segment = create();
  const std::vector<std::string> names = reel_test::shm_entries(name());
  expect_child_succeeds([&] {
    segment.reset();
    return 0;
  });
  EXPECT_EQ(reel_test::shm_entries(name()), names);
  EXPECT_GE(segment->share_read_only().get(), 0);
}

}  // namespace
