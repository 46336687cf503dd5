// mp4mux lets each track of a fragmented file begin at 0. This puts between what the tracks begin later: adds
// it to the time of every fragment. Called by the muxer's thread.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "mux.hpp"

namespace record {

class FragmentTimes : public ByteSink {
 public:
  explicit FragmentTimes(ByteSink& sink) noexcept : sink_(sink) {}
  /// How much later than 0 each track of the file begins, by its number less 1. Before anything is written.
  void set_begins(std::vector<std::int64_t> begins_ns) { begins_ns_ = std::move(begins_ns); }
  [[nodiscard]] int write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept override;

 private:
  ByteSink& sink_;
  std::vector<std::int64_t> begins_ns_;
  std::map<std::uint32_t, std::uint32_t> timescales_;  // ticks a second, by the track's number
};

}  // namespace record
