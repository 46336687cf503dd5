// The fixture of the SegmentBackend suite: a backend, and segments of unique names.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/base/error.hpp>
#include <reel/shm/segment.hpp>

class SegmentSuite : public ::testing::TestWithParam<reel::SegmentKind> {
 protected:
  static constexpr std::size_t kBytes = std::size_t{1} << 20;

  [[nodiscard]] const reel::SegmentBackend& backend() const { return reel::segment_backend(GetParam()); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::unique_ptr<reel::OwnedSegment> create(std::size_t bytes = kBytes) const {
    return backend().create(name_, bytes);
  }
  void TearDown() override { EXPECT_THAT(reel_test::shm_entries(name_), ::testing::IsEmpty()); }

 private:
  std::string name_ = reel_test::unique_name("reel-conformance");
};

/// For INSTANTIATE_TEST_SUITE_P: "memfd".
inline std::string kind_name(const ::testing::TestParamInfo<reel::SegmentKind>& info) {
  return std::string(reel::to_string(info.param));
}

/// What /proc/self/smaps says of the mapping that begins at `address`, in bytes: "Rss", "ShmemPmdMapped".
std::size_t kernel_bytes(const std::string& what, const void* address);

bool all_zero(reel::SharedSegment& segment);

/// Runs `body` in a forked process, which must end with status 0; what it wrote to standard error is shown
/// when it does not.
inline void expect_child_succeeds(const std::function<int()>& body) {
  reel_test::ChildProcess child = reel_test::ChildProcess::call(body);
  const reel_test::ExitStatus status = child.wait();
  EXPECT_TRUE(status.ok()) << status << '\n' << child.errors();
}

/// For such bodies: 0 when `action` throws Error{code} with all `words` in its text, else 1 and the reason on
/// standard error.
int throws_error(reel::ErrorCode code, std::initializer_list<std::string> words,
                 const std::function<void()>& action);
