#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {
namespace {

// Another process reads the page while this one writes it.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::is_standard_layout_v<StagePage> && std::is_trivially_destructible_v<StagePage>);
static_assert(offsetof(StagePage, version) == 0, "the version is read before anything else is believed");

// Durations below 4 ns have a bucket each; above, four buckets share a power of two.
std::size_t bucket_of(std::uint64_t value) noexcept {
  if (value < 4) return value;
  const auto power = static_cast<unsigned>(std::bit_width(value)) - 1;
  return 4 * (power - 1) + ((value >> (power - 2)) & 3);
}

struct Bounds {
  double from, width;
};

Bounds bounds_of(std::size_t bucket) noexcept {
  if (bucket < 4) return {static_cast<double>(bucket), 1};
  const double width = std::ldexp(1.0, static_cast<int>(bucket / 4) - 1);
  return {static_cast<double>(4 + bucket % 4) * width, width};
}

StagePage* map_page(int fd, int protection) {
  void* place = ::mmap(nullptr, sizeof(StagePage), protection, MAP_SHARED, fd, 0);
  if (place == MAP_FAILED) throw_errno(errno, "cannot map a stage's statistics page");
  return static_cast<StagePage*>(place);
}

constexpr int kReadWrite = PROT_READ | PROT_WRITE;

void check_page(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_errno(errno, "cannot look at a stage's statistics page");
  std::uint32_t version = 0;
  if (::pread(fd, &version, sizeof version, 0) == sizeof version && version != kStagePageVersion)
    throw Error(ErrorCode::version,
                fmt::format("the statistics page is of version {}, this program writes version {}: use "
                            "programs of one Reel together",
                            version, kStagePageVersion));
  if (!S_ISREG(status.st_mode) || status.st_size != static_cast<off_t>(sizeof(StagePage)))
    throw Error(ErrorCode::protocol,
                fmt::format("the descriptor given as statistics page holds {} bytes; a page has {}",
                            status.st_size, sizeof(StagePage)));
}

}  // namespace

std::string_view to_string(StageState state) noexcept {
  switch (state) {
    case StageState::none: return "none";
    case StageState::starting: return "starting";
    case StageState::running: return "running";
    case StageState::draining: return "draining";
    case StageState::finished: return "finished";
    case StageState::failed: return "failed";
  }
  return "unknown";
}

void LatencyHistogram::add(std::int64_t nanoseconds) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  auto& bucket = buckets_[bucket_of(value)];
  // relaxed, and no locked add: one writer, and readers want each number alone.
  bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

std::uint64_t LatencyHistogram::count() const noexcept {
  std::uint64_t all = 0;
  for (const auto& bucket : buckets_) all += bucket.load(std::memory_order_relaxed);
  return all;
}

std::int64_t LatencyHistogram::quantile(double quantile) const noexcept {
  std::array<std::uint64_t, kBuckets> counts;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) all += counts[i] = buckets_[i].load(std::memory_order_relaxed);
  if (all == 0) return 0;
  const auto rank =
      static_cast<std::uint64_t>(std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(all)));
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && below + counts[bucket] < std::max<std::uint64_t>(rank, 1))
    below += counts[bucket++];
  const Bounds bounds = bounds_of(bucket);
  return static_cast<std::int64_t>(bucket < 4 ? bounds.from : bounds.from + bounds.width / 2);
}

SpanRing& StagePage::spans() noexcept {
  return *std::launder(reinterpret_cast<SpanRing*>(span_bytes.data()));
}

const SpanRing& StagePage::spans() const noexcept {
  return *std::launder(reinterpret_cast<const SpanRing*>(span_bytes.data()));
}

StagePageMapping StagePageMapping::create() {
  constexpr off_t kSpansAt = offsetof(StagePage, span_bytes);
  UniqueFd fd(::memfd_create("reel-stage", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) throw_errno(errno, "cannot make a stage's statistics page");
  if (const int failed = ::posix_fallocate(fd.get(), 0, kSpansAt); failed != 0)
    throw_errno(failed, fmt::format("cannot reserve {} bytes for a stage's statistics page", kSpansAt));
  if (::ftruncate(fd.get(), sizeof(StagePage)) != 0)
    throw_errno(errno, "cannot size a stage's statistics page");
  // A stage that shrank its page would crash the supervisor that reads it.
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    throw_errno(errno, "cannot seal a stage's statistics page");
  auto* page = new (map_page(fd.get(), kReadWrite)) StagePage;
  return {std::move(fd), page};
}

StagePageMapping StagePageMapping::open(UniqueFd fd) {
  check_page(fd.get());
  (void)::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);  // it came through an exec; it goes no further
  StagePage* page = map_page(fd.get(), kReadWrite);
  return {std::move(fd), page};
}

void StagePageMapping::reserve_spans() const {
  const int failed = ::posix_fallocate(fd_.get(), offsetof(StagePage, span_bytes), sizeof(SpanRing));
  if (failed != 0)
    throw Error(ErrorCode::no_memory, fmt::format("cannot reserve {} bytes for a stage's spans: {}",
                                                  sizeof(SpanRing), std::generic_category().message(failed)));
}

void StagePageMapping::release_spans() const noexcept {
  constexpr off_t kSlotsAt = offsetof(StagePage, span_bytes) + offsetof(SpanRing, slots);
  (void)::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kSlotsAt, sizeof(SpanRing::slots));
}

UniqueFd StagePageMapping::open_read_only() const {
  const std::string path = fmt::format("/proc/self/fd/{}", fd_.get());
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fd = UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd) throw_errno(errno, "cannot open a stage's statistics page once more");
  return fd;
}

StagePageMapping::StagePageMapping(UniqueFd fd, StagePage* page) noexcept : fd_(std::move(fd)), page_(page) {}

StagePageMapping::StagePageMapping(StagePageMapping&& other) noexcept
    : fd_(std::move(other.fd_)), page_(std::exchange(other.page_, nullptr)) {}

StagePageMapping& StagePageMapping::operator=(StagePageMapping&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(page_, other.page_);
  return *this;
}

StagePageMapping::~StagePageMapping() {
  if (page_ != nullptr) ::munmap(page_, sizeof(StagePage));
}

StagePageView StagePageView::open(UniqueFd fd) {
  check_page(fd.get());
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
    throw Error(ErrorCode::protocol,
                "the descriptor given as statistics page can be shrunk by whoever sent it: it is none");
  return StagePageView(map_page(fd.get(), PROT_READ));
}

StagePageView::StagePageView(StagePageView&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}

StagePageView& StagePageView::operator=(StagePageView&& other) noexcept {
  std::swap(page_, other.page_);
  return *this;
}

StagePageView::~StagePageView() {
  if (page_ != nullptr) ::munmap(const_cast<StagePage*>(page_), sizeof(StagePage));
}

}  // namespace reel
