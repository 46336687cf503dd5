// What a segment is: its size, its bytes, its pages, and how it is shared.
#include "segment_suite.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

using reel::ErrorCode;
using reel::OwnedSegment;
using reel::SharedSegment;
using reel_test::expect_error;

class SegmentMemory : public SegmentSuite {};
INSTANTIATE_TEST_SUITE_P(EveryKind, SegmentMemory, ::testing::ValuesIn(reel::segment_kinds()), kind_name);

TEST_P(SegmentMemory, HasWholePagesThatHoldWhatWasAskedFor) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  EXPECT_EQ(create(1)->size(), page);
  EXPECT_EQ(create(page)->size(), page);
  EXPECT_EQ(create(page + 1)->size(), 2 * page);
  const auto segment = create();
  EXPECT_EQ(segment->size(), kBytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment->data()) % page, 0U);
}

TEST_P(SegmentMemory, IsZeroFilled) {
  EXPECT_TRUE(all_zero(*create()));
}

TEST_P(SegmentMemory, IsPrefaultedWhenMade) {
  const auto segment = create();
  EXPECT_EQ(kernel_bytes("Rss", segment->data()), segment->size());
}

TEST_P(SegmentMemory, IsPrefaultedWhenMapped) {
  const auto segment = create();
  (void)segment->seal(reel::Seal::size);
  const auto mapped = backend().map(segment->share_read_only(), segment->size(), false);
  EXPECT_EQ(kernel_bytes("Rss", mapped->data()), mapped->size());
}

TEST_P(SegmentMemory, RefusesSizesThatNoSegmentCanHave) {
  expect_error(ErrorCode::bad_argument, {name(), "0 bytes"}, [&] { (void)create(0); });
  expect_error(ErrorCode::bad_argument, {name()}, [&] { (void)create(~std::size_t{0}); });
}

TEST_P(SegmentMemory, RefusesBadNames) {
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a b"),
        std::string("a\0b", 3), std::string("\xc3\xa9"), std::string("new\nline"), std::string(201, 'x')}) {
    expect_error(ErrorCode::bad_argument, {"segment name", "1 to 200"},
                 [&] { (void)backend().create(bad, kBytes); });
  }
  const std::string longest = name() + std::string(200 - name().size(), 'x');
  EXPECT_EQ(backend().create(longest, kBytes)->size(), kBytes);
}

TEST_P(SegmentMemory, SecondOfANameIsRefusedOrItsOwn) {
  const auto first = create();
  first->data()[0] = std::byte{1};
  try {
    const auto second = create();
    EXPECT_TRUE(all_zero(*second));
  } catch (const reel::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::in_use);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(name()));
  }
  EXPECT_EQ(first->data()[0], std::byte{1});
}

TEST_P(SegmentMemory, ShowsItsNameInProcMaps) {
  const auto segment = create();
  EXPECT_THAT(reel_test::mappings_of(name()), ::testing::SizeIs(1));
}

TEST_P(SegmentMemory, IsSeenByAnotherProcessAsItChanges) {
  const auto segment = create();
  (void)segment->seal(reel::Seal::size);
  segment->data()[kBytes - 1] = std::byte{41};
  const reel::UniqueFd shared = segment->share_read_only();
  reel_test::ChildProcess child = reel_test::ChildProcess::call([&] {
    const auto mapped = backend().map(reel::UniqueFd(::dup(shared.get())), kBytes, false);
    const volatile std::byte* last = mapped->data() + kBytes - 1;
    if (*last != std::byte{41}) return 1;
    reel_test::say("mapped");
    return reel_test::wait_until([&] { return *last == std::byte{42}; }) ? 0 : 2;
  });
  ASSERT_EQ(child.wait_for_line("mapped"), "mapped") << child.errors();
  segment->data()[kBytes - 1] = std::byte{42};
  const reel_test::ExitStatus status = child.wait();
  EXPECT_TRUE(status.ok()) << status << child.errors();
}

TEST_P(SegmentMemory, WritesOfAPeerWithAWritableDescriptorAreSeen) {
  const auto segment = create();
  (void)segment->seal(reel::Seal::size);
  const reel::UniqueFd shared = segment->share_writable();
  expect_child_succeeds([&] {
    const auto mapped = backend().map(reel::UniqueFd(::dup(shared.get())), kBytes, true);
    mapped->data()[17] = std::byte{99};
    return 0;
  });
  EXPECT_EQ(segment->data()[17], std::byte{99});
}

TEST_P(SegmentMemory, OutlivesItsMakerForThoseWhoMappedIt) {
  auto segment = create();
  (void)segment->seal(reel::Seal::size);
  segment->data()[5] = std::byte{6};
  const auto mapped = backend().map(segment->share_read_only(), kBytes, false);
  segment.reset();
  EXPECT_EQ(mapped->data()[5], std::byte{6});
}

/// A signal interrupts fallocate, which undoes all it did: a timer faster than the reservation must not
/// starve it.
TEST_P(SegmentMemory, IsMadeUnderAStormOfSignals) {
  expect_child_succeeds([&] {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, nullptr);
    const itimerval storm{{0, 200}, {0, 200}};
    ::setitimer(ITIMER_REAL, &storm, nullptr);
    const auto segment = create(std::size_t{64} << 20);
    return all_zero(*segment) ? 0 : 1;
  });
}

}  // namespace
