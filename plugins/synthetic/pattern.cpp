#include "pattern.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace reel::synthetic {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
constexpr std::size_t kHeaderBytes = 2 * kWordBytes;
// Fits the second-level cache; prime, so that no stride of a picture falls on the table's period.
constexpr std::size_t kTableWords = 8191;

constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

using Table = std::array<std::uint64_t, kTableWords>;

const Table& table() noexcept {
  static const Table words = [] {
    Table made{};
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = mixed(i + 1);
    return made;
  }();
  return words;
}

// Calls run(place, words, count, key) for every stretch of the frame whose words lie one behind the other in
// the table, until it returns false. The last word may be cut: `count` words are touched fully, the caller
// sees to the rest.
template <typename Run>
void each_run(std::size_t bytes, std::uint64_t number, Run&& run) {
  const std::uint64_t key = mixed(number ^ mixed(bytes));
  std::size_t at = key % kTableWords;
  const std::size_t words = (bytes + kWordBytes - 1) / kWordBytes;
  for (std::size_t done = 0; done < words;) {
    const std::size_t count = std::min(words - done, kTableWords - at);
    if (!run(done * kWordBytes, table().data() + at, count, key)) return;
    done += count;
    at = 0;
  }
}

std::uint64_t load(const std::byte* place) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, place, sizeof word);
  return word;
}

// Written so that compilers make vector loops of them.
void fill_words(std::byte* out, const std::uint64_t* words, std::size_t count, std::uint64_t key,
                std::uint64_t keep, std::uint64_t set) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t word = ((words[i] ^ key) & keep) | set;
    std::memcpy(out + i * kWordBytes, &word, sizeof word);
  }
}

bool words_differ(const std::byte* in, const std::uint64_t* words, std::size_t count, std::uint64_t key,
                  std::uint64_t keep, std::uint64_t set) noexcept {
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < count; ++i)
    difference |= load(in + i * kWordBytes) ^ (((words[i] ^ key) & keep) | set);
  return difference != 0;
}

}  // namespace

Pattern::Pattern(const Format& format) noexcept {
  if (format.audio() != nullptr && format.audio()->sample == SampleFormat::F32LE) {
    keep_ = 0x807f'ffff'807f'ffff;
    set_ = 0x3e00'0000'3e00'0000;
  }
}

void Pattern::fill(std::span<std::byte> frame, std::uint64_t number) const noexcept {
  each_run(frame.size(), number,
           [&](std::size_t place, const std::uint64_t* words, std::size_t count, std::uint64_t key) {
             const std::size_t whole = std::min(count, (frame.size() - place) / kWordBytes);
             fill_words(frame.data() + place, words, whole, key, keep_, set_);
             if (whole < count) {
               const std::uint64_t last = ((words[whole] ^ key) & keep_) | set_;
               const std::size_t end = place + whole * kWordBytes;
               std::memcpy(frame.data() + end, &last, frame.size() - end);
             }
             return true;
           });
  if (frame.size() < kHeaderBytes) return;
  std::memcpy(frame.data(), &kMagic, kWordBytes);
  std::memcpy(frame.data() + kWordBytes, &number, kWordBytes);
}

Verdict Pattern::check(std::span<const std::byte> frame, std::uint64_t told_number) const noexcept {
  Verdict verdict{true, told_number, 0};
  const std::size_t header = frame.size() < kHeaderBytes ? 0 : kHeaderBytes;
  if (header != 0 && load(frame.data()) != kMagic) return {false, told_number, 0};
  if (header != 0) verdict.number = load(frame.data() + kWordBytes);
  if (verdict.number != told_number) return {false, told_number, kWordBytes};

  each_run(frame.size(), told_number,
           [&](std::size_t place, const std::uint64_t* words, std::size_t count, std::uint64_t key) {
             // The header's words are not the table's: they have been looked at.
             const std::size_t skip = place < header ? std::min((header - place) / kWordBytes, count) : 0;
             const std::size_t whole = std::min(count, (frame.size() - place) / kWordBytes);
             bool wrong = words_differ(frame.data() + place + skip * kWordBytes, words + skip, whole - skip,
                                       key, keep_, set_);
             if (!wrong && whole == count) return true;
             for (std::size_t i = (place + skip * kWordBytes);
                  i < std::min(frame.size(), place + count * kWordBytes); ++i) {
               const std::uint64_t word = ((words[(i - place) / kWordBytes] ^ key) & keep_) | set_;
               if (frame[i] == static_cast<std::byte>(word >> (8 * (i % kWordBytes)))) continue;
               verdict.intact = false;
               verdict.first_wrong = i;
               return false;
             }
             return true;
           });
  return verdict;
}

}  // namespace reel::synthetic
