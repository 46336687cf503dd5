// Readers that died and are to come back: their place in the scan set is kept for a while, so that the writer
// waits for them as it would for slow ones. The part of StreamServer that does this; under its mutex.
#include <algorithm>

#include <fmt/format.h>
#include <reel/base/clock.hpp>
#include <reel/base/log.hpp>
#include <reel/base/peer_text.hpp>

#include "stream_server.hpp"

namespace reel {

bool StreamServer::has_ended(const std::string& name) const noexcept {
  if (options_.ended_readers == nullptr) return false;
  const std::vector<std::string>& declared = options_.wait_for;
  const auto place = std::find(declared.begin(), declared.end(), name) - declared.begin();
  if (place >= std::min<std::ptrdiff_t>(std::ssize(declared), 64)) return false;
  // relaxed: the bits stand for themselves.
  return (options_.ended_readers->load(std::memory_order_relaxed) >> place & 1) != 0;
}

bool StreamServer::is_awaited(const Peer& peer) const {
  const ScanEntry& entry = epoch_->ring().entry(peer.index);
  const std::vector<std::string>& declared = options_.wait_for;
  const std::string name = name_of(peer.hello);
  return options_.absence_timeout_ms > 0 && options_.resume_ms > 0 && !options_.live && !peer.left &&
         entry.lossless.load(std::memory_order_relaxed) && !entry.demoted.load(std::memory_order_relaxed) &&
         !entry.hostile.load(std::memory_order_relaxed) &&
         ((peer.comes_back && !name.empty()) ||
          std::find(declared.begin(), declared.end(), name) != declared.end());
}

void StreamServer::keep_place(const Peer& peer) {
  // While its own page still counts: what it holds cannot be filled anew before it was looked at.
  const std::uint64_t cursor = unfinished_cursor(peer);
  // A page of our own: the one it had may still be mapped by whoever it shared it with.
  Absent& absent = absent_.emplace_back(
      peer.hello, peer.index, std::make_unique<ReaderPage>(), peer.credentials.pid, monotonic_ns(),
      monotonic_ns() + std::int64_t{options_.absence_timeout_ms} * 1'000'000);
  absent.page->cursor.store(cursor, std::memory_order_relaxed);
  epoch_->ring().replace(peer.index, *absent.page);
  remember(peer, cursor);
  log_info(
      fmt::format("stream \"{}\": lossless reader \"{}\" ({}) is gone: what it has still to take is "
                  "kept for {} ms (absence_timeout)",
                  stream_, name_of(peer.hello), pid_text(peer.credentials.pid), options_.absence_timeout_ms));
}

// Its entry of the scan set is somebody else's now.
void StreamServer::forget_absence(const std::string& name) {
  std::erase_if(absent_, [&](const Absent& one) { return name_of(one.hello) == name; });
}

const StreamServer::Absent* StreamServer::absence_of(const std::string& name) const noexcept {
  const auto found = std::find_if(absent_.begin(), absent_.end(),
                                  [&](const Absent& one) { return name_of(one.hello) == name; });
  return found == absent_.end() ? nullptr : &*found;
}

std::int64_t StreamServer::expire_absences(std::int64_t now_ns) noexcept {
  const std::lock_guard lock(mutex_);
  return drop_expired(now_ns);
}

std::int64_t StreamServer::drop_expired(std::int64_t now_ns) noexcept {
  std::int64_t next_ns = kNoExpiry;
  std::erase_if(absent_, [&](const Absent& one) {
    const std::string name = name_of(one.hello);
    if (has_ended(name)) {
      log_info(
          fmt::format("stream \"{}\": lossless reader \"{}\" will not come back: the stream goes on "
                      "without it",
                      stream_, name));
    } else if (now_ns < one.until_ns) {
      next_ns = std::min({next_ns, one.until_ns, now_ns + look_every_ns()});
      return false;
    } else {
      log_warning(
          fmt::format("stream \"{}\": lossless reader \"{}\" did not come back within {} ms "
                      "(absence_timeout): the stream goes on without it",
                      stream_, name, options_.absence_timeout_ms));
    }
    epoch_->ring().remove(one.index);
    return true;
  });
  return next_ns;
}

// Of frames that are kept, only those of the new memory are: who joins later cannot see the old one.
void StreamServer::move_absent_to(WriterEpoch& next) noexcept {
  for (const Absent& one : absent_) {
    next.ring().admit(one.index, *one.page, true, one.hello.max_pins);
    next.ring().grant(one.index, next.view().geometry.first_sequence);
  }
}

}  // namespace reel
