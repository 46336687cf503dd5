// What a peer can do with a segment, and which descriptors of a peer are refused.
#include "segment_suite.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using reel::ErrorCode;
using reel::Seal;
using reel::UniqueFd;
using reel_test::expect_error;

class SegmentTrust : public SegmentSuite {
 protected:
  void expect_refused(UniqueFd fd, std::size_t bytes, const std::string& word, bool writable = false) const {
    // Shared, because std::function copies what it holds.
    const auto held = std::make_shared<UniqueFd>(std::move(fd));
    expect_error(ErrorCode::protocol, {word},
                 [&] { (void)backend().map(std::move(*held), bytes, writable); });
  }
  /// False for kinds whose memory cannot be sealed.
  [[nodiscard]] bool sealable() const { return create()->seal(Seal::size).has_value(); }
};
INSTANTIATE_TEST_SUITE_P(EveryKind, SegmentTrust, ::testing::ValuesIn(reel::segment_kinds()), kind_name);

UniqueFd memfd_of(std::size_t bytes, int seals, bool reserve = true) {
  UniqueFd fd(::memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
  if (reserve) {
    EXPECT_EQ(::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes)), 0);
  }
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

TEST_P(SegmentTrust, WritingToAReadOnlyMappingIsAFault) {
  const auto segment = create();
  (void)segment->seal(Seal::size);
  const UniqueFd shared = segment->share_read_only();
  reel_test::ChildProcess child = reel_test::ChildProcess::call([&] {
    ::signal(SIGSEGV, SIG_DFL);  // sanitizers have a handler of their own
    const auto mapped = backend().map(UniqueFd(::dup(shared.get())), kBytes, false);
    *const_cast<volatile std::byte*>(mapped->data()) = std::byte{1};
    return 0;
  });
  EXPECT_EQ(child.wait().signal, SIGSEGV);
  EXPECT_EQ(segment->data()[0], std::byte{0});
}

TEST_P(SegmentTrust, AReadOnlyDescriptorCannotBeMadeWritable) {
  const auto segment = create();
  const UniqueFd shared = segment->share_read_only();
  EXPECT_EQ(::fcntl(shared.get(), F_GETFL) & O_ACCMODE, O_RDONLY);
  (void)segment->seal(Seal::size);
  expect_refused(segment->share_read_only(), kBytes, "writable", true);
  const auto mapped = backend().map(segment->share_read_only(), kBytes, false);
  EXPECT_NE(::mprotect(mapped->data(), kBytes, PROT_READ | PROT_WRITE), 0);
  EXPECT_EQ(errno, EACCES);
}

TEST_P(SegmentTrust, DescriptorsAreClosedOnExec) {
  const auto segment = create();
  for (const UniqueFd& fd : {segment->share_read_only(), segment->share_writable()}) {
    EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_P(SegmentTrust, SealsHoldAgainstAWritableDescriptor) {
  const auto segment = create();
  const std::optional<Seal> in_force = segment->seal(Seal::size_and_writes);
  if (!in_force) GTEST_SKIP() << reel::to_string(GetParam()) << " has no seals: its peers must be trusted";
  const UniqueFd fd = segment->share_writable();
  EXPECT_NE(::ftruncate(fd.get(), 0), 0);
  EXPECT_NE(::ftruncate(fd.get(), 2 * kBytes), 0);
  EXPECT_NE(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE), 0) << "a peer must not be able to freeze the maker";
  if (in_force != Seal::size_and_writes) GTEST_SKIP() << "no F_SEAL_FUTURE_WRITE: Linux 5.1 has it";
  EXPECT_NE(::write(fd.get(), "x", 1), 1);
  EXPECT_NE(::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kBytes), 0);
  expect_refused(segment->share_writable(), kBytes, "writable", true);
  const auto mapped = backend().map(segment->share_writable(), kBytes, false);
  EXPECT_NE(::mprotect(mapped->data(), kBytes, PROT_READ | PROT_WRITE), 0);
  segment->data()[0] = std::byte{3};
  EXPECT_EQ(mapped->data()[0], std::byte{3}) << "the maker's mapping stays writable";
}

TEST_P(SegmentTrust, SealTellsWhatIsInForceEvenWhenAskedTwice) {
  const auto segment = create();
  if (!segment->seal(Seal::size)) GTEST_SKIP() << "no seals";
  EXPECT_EQ(segment->seal(Seal::size), Seal::size);
  EXPECT_EQ(segment->seal(Seal::size_and_writes), Seal::size) << "it was sealed for good before";
}

TEST_P(SegmentTrust, RefusesAnotherSizeThanAnnounced) {
  const auto segment = create();
  (void)segment->seal(Seal::size);
  for (const std::size_t wrong :
       {std::size_t{0}, std::size_t{1}, kBytes - 1, kBytes + 1, 2 * kBytes, ~std::size_t{0}}) {
    expect_refused(segment->share_read_only(), wrong, std::to_string(wrong));
  }
}

TEST_P(SegmentTrust, RefusesWhatIsNotMemory) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  expect_refused(UniqueFd(ends[0]), kBytes, "not memory");
  expect_refused(UniqueFd(ends[1]), kBytes, "not memory");
  expect_refused(UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), kBytes, "not memory");
  expect_refused(UniqueFd(::open("/dev/zero", O_RDONLY | O_CLOEXEC)), kBytes, "not memory");
  expect_refused(UniqueFd(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), kBytes, "not memory");
  expect_refused(UniqueFd(), kBytes, "not open");
}

TEST_P(SegmentTrust, SealableKindsRefuseWhatCouldShrinkUnderThem) {
  if (!sealable()) GTEST_SKIP() << reel::to_string(GetParam()) << " has no seals: its peers must be trusted";
  expect_refused(memfd_of(kBytes, 0), kBytes, "not sealed");
  expect_refused(memfd_of(kBytes, F_SEAL_GROW), kBytes, "not sealed");
  expect_refused(memfd_of(kBytes, F_SEAL_SHRINK), kBytes, "not sealed");
  const auto good = backend().map(memfd_of(kBytes, F_SEAL_SHRINK | F_SEAL_GROW), kBytes, false);
  EXPECT_EQ(good->size(), kBytes);
}

TEST_P(SegmentTrust, SealableKindsRefuseWhatCouldFailToFault) {
  if (!sealable()) GTEST_SKIP() << "no seals";
  expect_refused(memfd_of(kBytes, F_SEAL_SHRINK | F_SEAL_GROW, false), kBytes, "reserved");
  std::string path = std::filesystem::temp_directory_path() / "reel-file-XXXXXX";
  UniqueFd file(::mkostemp(path.data(), O_CLOEXEC));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::posix_fallocate(file.get(), 0, kBytes), 0);
  expect_refused(std::move(file), kBytes, "not");
}

TEST_P(SegmentTrust, TruncatedByItsMakerIsRefused) {
  const auto segment = create();
  const UniqueFd fd = segment->share_writable();
  ASSERT_EQ(::ftruncate(fd.get(), kBytes / 2), 0) << "not sealed yet";
  expect_refused(segment->share_read_only(), kBytes, std::to_string(kBytes));
}

}  // namespace
