#include <reel/channel/options.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <reel/channel/handshake.hpp>

namespace reel {
namespace {

constexpr std::array<std::pair<Policy, std::string_view>, 3> kPolicies{
    {{Policy::lossless, "lossless"}, {Policy::queue, "queue"}, {Policy::latest, "latest"}}};
constexpr std::array<std::pair<Start, std::string_view>, 4> kStarts{{{Start::live, "live"},
                                                                     {Start::oldest, "oldest"},
                                                                     {Start::keyframe, "keyframe"},
                                                                     {Start::resume, "resume"}}};

template <typename Table, typename Value>
std::string_view name_of(const Table& table, Value value) {
  for (const auto& [candidate, name] : table) {
    if (candidate == value) return name;
  }
  return "unknown";
}

template <typename Value, std::size_t size>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, size>& table,
                              std::string_view name) {
  for (const auto& [value, candidate] : table) {
    if (candidate == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Policy policy) noexcept {
  return name_of(kPolicies, policy);
}
std::string_view to_string(Start start) noexcept {
  return name_of(kStarts, start);
}
std::optional<Policy> policy_from(std::string_view name) noexcept {
  return value_of(kPolicies, name);
}
std::optional<Start> start_from(std::string_view name) noexcept {
  return value_of(kStarts, name);
}

bool valid_reader_name(std::string_view name) noexcept {
  return name.size() < kReaderNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("._/-").find(c) != std::string_view::npos;
         });
}

std::string bad_reader_name(std::string_view name) {
  return fmt::format("\"{}\" cannot name a reader: at most {} letters, digits and . _ / -", name,
                     kReaderNameBytes - 1);
}

}  // namespace reel
