// A runtime directory and a stream name of its own for every test of a writer and its readers in one process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace channel_test {

inline constexpr int kWatchdogMs = 30'000;

class ChannelTest : public ::testing::Test {
 protected:
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
  [[nodiscard]] reel_test::TempRuntimeDir& runtime_dir() noexcept { return directory_; }

 private:
  reel_test::TempRuntimeDir directory_;
  std::string stream_ = reel_test::unique_name("c");
};

[[nodiscard]] inline std::vector<std::byte> bytes(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}
[[nodiscard]] inline bool all_are(std::span<const std::byte> data, int value) {
  return std::all_of(data.begin(), data.end(),
                     [&](std::byte one) { return one == static_cast<std::byte>(value); });
}
[[nodiscard]] inline reel::Format nv12(std::uint32_t width, std::uint32_t height) {
  return reel::VideoFormat{reel::PixelFormat::NV12, width, height, {30, 1}};
}

}  // namespace channel_test
