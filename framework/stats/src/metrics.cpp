#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/stats/metrics.hpp>

namespace reel {
namespace {

static_assert(std::is_standard_layout_v<MetricTable> && std::is_trivially_destructible_v<MetricTable>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "another process reads it");

constexpr std::uint64_t kNothing = std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN());

template <std::size_t Size>
std::string_view text_of(const std::array<char, Size>& text) {
  return {text.data(), static_cast<std::size_t>(std::find(text.begin(), text.end(), '\0') - text.begin())};
}

// What does not fit is left out, never half a character of UTF-8; the last byte stays zero.
template <std::size_t Size>
std::string_view fitting(std::string_view text) {
  if (text.size() < Size) return text;
  std::size_t size = Size - 1;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

template <std::size_t Size>
void write_text(std::array<char, Size>& to, std::string_view text) {
  std::copy(text.begin(), text.end(), to.begin());
}

bool is_metric_name(std::string_view name) {
  const auto small = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto fits = [&](char c) { return small(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() < std::tuple_size_v<decltype(MetricSlot::name)> &&
         small(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

MetricKind kind_of(const MetricSlot& slot) {
  return static_cast<MetricKind>(slot.kind.load(std::memory_order_relaxed));
}

}  // namespace

std::string_view to_string(MetricKind kind) noexcept {
  switch (kind) {
    case MetricKind::none: return "none";
    case MetricKind::counter: return "counter";
    case MetricKind::gauge: return "gauge";
  }
  return "none";
}

// relaxed: readers want each number alone.
void Counter::add(std::uint64_t more) noexcept {
  if (bits_ != nullptr) bits_->fetch_add(more, std::memory_order_relaxed);
}

std::uint64_t Counter::value() const noexcept {
  return bits_ == nullptr ? 0 : bits_->load(std::memory_order_relaxed);
}

void Gauge::set(double value) noexcept {
  if (bits_ != nullptr) bits_->store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);
}

StageMetrics::StageMetrics(MetricTable& table) noexcept : table_(table) {
  const std::size_t count = std::min<std::size_t>(table.count.load(std::memory_order_relaxed), kMaxMetrics);
  for (std::size_t i = 0; i < count; ++i)
    if (kind_of(table.slots[i]) == MetricKind::gauge)
      table.slots[i].bits.store(kNothing, std::memory_order_relaxed);
}

Counter StageMetrics::counter(std::string_view name, std::string_view help, std::string_view stream) {
  return Counter(slot(MetricKind::counter, name, help, stream).bits);
}

Gauge StageMetrics::gauge(std::string_view name, std::string_view help, std::string_view stream) {
  return Gauge(slot(MetricKind::gauge, name, help, stream).bits);
}

MetricSlot& StageMetrics::slot(MetricKind kind, std::string_view name, std::string_view help,
                               std::string_view stream) {
  if (!is_metric_name(name))
    throw Error(
        ErrorCode::bad_argument,
        fmt::format("\"{}\" is no name of a metric: a-z, 0-9 and _, at most 63, a letter first", name));
  stream = fitting<std::tuple_size_v<decltype(MetricSlot::stream)>>(stream);
  const std::lock_guard lock(adding_);
  const std::size_t count = std::min<std::size_t>(table_.count.load(std::memory_order_relaxed), kMaxMetrics);
  for (std::size_t i = 0; i < count; ++i) {
    MetricSlot& slot = table_.slots[i];
    if (text_of(slot.name) != name || text_of(slot.stream) != stream) continue;
    if (kind_of(slot) == kind) return slot;
    throw Error(ErrorCode::bad_argument, fmt::format("the metric \"{}\" is a {} already, and no {}", name,
                                                     to_string(kind_of(slot)), to_string(kind)));
  }
  if (count == kMaxMetrics)
    throw Error(ErrorCode::bad_argument,
                fmt::format("the metric \"{}\" is one too many: a stage has at most {}", name, kMaxMetrics));
  MetricSlot& slot = table_.slots[count];
  write_text(slot.name, name);
  write_text(slot.stream, stream);
  write_text(slot.help, fitting<std::tuple_size_v<decltype(MetricSlot::help)>>(help));
  slot.kind.store(static_cast<std::uint32_t>(kind), std::memory_order_relaxed);
  slot.bits.store(kind == MetricKind::gauge ? kNothing : 0, std::memory_order_relaxed);
  // SYNC page.metrics: release, pairs with the acquire in read_metrics.
  table_.count.store(static_cast<std::uint32_t>(count + 1), std::memory_order_release);
  return slot;
}

std::vector<MetricReading> read_metrics(const MetricTable& table) {
  std::vector<MetricReading> readings;
  // SYNC page.metrics: acquire, pairs with the stage's release once the texts are written.
  const std::size_t count = std::min<std::size_t>(table.count.load(std::memory_order_acquire), kMaxMetrics);
  for (std::size_t i = 0; i < count; ++i) {
    const MetricSlot& slot = table.slots[i];
    const std::uint64_t bits = slot.bits.load(std::memory_order_relaxed);
    MetricReading reading{std::string(text_of(slot.name)), std::string(text_of(slot.stream)),
                          std::string(text_of(slot.help)), kind_of(slot), 0};
    if (!is_metric_name(reading.name)) continue;
    if (reading.kind == MetricKind::counter)
      reading.value = static_cast<double>(bits);
    else if (reading.kind == MetricKind::gauge)
      reading.value = std::bit_cast<double>(bits);
    else
      continue;
    if (std::isfinite(reading.value)) readings.push_back(std::move(reading));
  }
  return readings;
}

}  // namespace reel
