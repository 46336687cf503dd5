#include "mux_pace.hpp"

#include <chrono>
#include <thread>

#include <reel/base/error.hpp>

namespace record {

namespace {

constexpr std::size_t kMuch = std::size_t{32} << 20U;
constexpr auto kLook = std::chrono::milliseconds(1);
constexpr int kStill = 200;  // looks without a byte written: it waits for another track

}  // namespace

void pace(const Mux& mux, const std::string& where) {
  std::uint64_t written = mux.bytes();
  for (int still = 0; mux.held_bytes() > kMuch && still < kStill; ++still) {
    std::this_thread::sleep_for(kLook);
    if (mux.bytes() != written) still = 0;
    written = mux.bytes();
  }
  if (mux.held_bytes() > kMostHeldBytes)
    throw reel::Error(
        reel::ErrorCode::unsupported,
        "one track pauses while the others have more than " + std::to_string(kMostHeldBytes >> 20U) +
            " MiB, which a file cannot be made of in one go: take the times before and after the pause "
            "by themselves",
        where);
}

}  // namespace record
