// Who may join a stream, where it begins, and what it is sent: the part of StreamServer that decides. Service
// thread, under its mutex.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/peer_text.hpp>

#include "stream_server.hpp"

namespace reel {
namespace {

constexpr std::size_t kMaxObservers = 16;
constexpr std::uint16_t kParkedSinceMinor = 1;  // older readers take it for a wrong answer to hello

bool contains(const std::vector<Policy>& policies, Policy policy) {
  return policies.empty() || std::find(policies.begin(), policies.end(), policy) != policies.end();
}

}  // namespace

bool StreamServer::user_allowed(const Peer& peer) const {
  const auto listed = [](const auto& list, auto id) {
    return std::find(list.begin(), list.end(), id) != list.end();
  };
  const auto& [pid, user, group] = peer.credentials;
  if (options_.allow_everyone || user == ::geteuid() || user == 0 || listed(options_.allowed_users, user))
    return true;
  if (options_.allowed_groups.empty()) return false;
  const std::vector<gid_t> groups = peer_groups_of(peer.socket.get());
  return listed(options_.allowed_groups, group) || std::any_of(groups.begin(), groups.end(), [&](gid_t one) {
           return listed(options_.allowed_groups, one);
         });
}

bool StreamServer::greet(Peer& peer, const HelloMessage& hello) {
  try {
    if (!user_allowed(peer))
      throw Error(
          ErrorCode::no_permission,
          fmt::format("{} may not read stream \"{}\" of {}: its writer must list that user or its group",
                      user_text(peer.credentials.uid), stream_, user_text(::geteuid())));
    switch (hello.role) {
      case PeerRole::observer: {
        const auto observers = std::count_if(peers_.begin(), peers_.end(), [](const auto& one) {
          return one.second->stage == Peer::Stage::observer;
        });
        if (static_cast<std::size_t>(observers) >= kMaxObservers)
          throw Error(
              ErrorCode::refused,
              fmt::format("stream \"{}\" has {} observers already, the most there can be: end some of "
                          "the tools that look at it",
                          stream_, observers));
        watch_for_room(peer.socket.get(), send(peer, welcome(0, MessageType::welcome, *epoch_, nullptr)));
        peer.stage = Peer::Stage::observer;
        return true;
      }
      case PeerRole::reader: admit(peer, hello); return true;
    }
    throw Error(ErrorCode::protocol, fmt::format("role {} is not known: 1 (reader) or 2 (observer)",
                                                 static_cast<std::uint32_t>(hello.role)));
  } catch (const Error& error) {
    refuse(peer, error.code(), error.message());
    return false;
  }
}

StreamServer::Room StreamServer::check_admission(const Peer& peer, const HelloMessage& hello) {
  const auto policy = static_cast<Policy>(hello.policy);
  if (hello.policy < 1 || hello.policy > 3)
    throw Error(ErrorCode::protocol,
                fmt::format("policy {} is not known: 1 (lossless), 2 (queue) or 3 (latest)", hello.policy));
  if (hello.start < 1 || hello.start > 4)
    throw Error(
        ErrorCode::protocol,
        fmt::format("start {} is not known: 1 (live), 2 (oldest), 3 (keyframe) or 4 (resume)", hello.start));
  if (hello.max_pins < 1)
    throw Error(ErrorCode::protocol,
                "max_pins is 0: a reader holds 1 frame at least, the one that it is taking");
  if (hello.name.back() != '\0' || !valid_reader_name(name_of(hello)))
    throw Error(ErrorCode::protocol,
                "the reader's name is not of letters, digits and . _ / - with a closing zero");
  if (!contains(options_.allowed_policies, policy))
    throw Error(ErrorCode::refused,
                fmt::format("stream \"{}\" does not allow readers of policy {}", stream_, to_string(policy)));

  const StreamView& view = epoch_->view();
  const std::uint32_t format_id = view.header->format_id.load(std::memory_order_acquire);
  if (policy == Policy::latest && format_id != 0 &&
      view.formats[format_id - 1].kind == static_cast<std::uint32_t>(MediaKind::audio))
    throw Error(
        ErrorCode::refused,
        fmt::format("stream \"{}\" is audio: policy latest would cut holes into the sound; use queue or "
                    "lossless",
                    stream_));

  std::uint64_t readers = 0;
  std::uint64_t pins = 0;
  std::uint64_t lossless = policy == Policy::lossless ? 1 : 0;
  for (const auto& [fd, other] : peers_) {
    if (other.get() == &peer || (other->stage != Peer::Stage::reader && other->stage != Peer::Stage::parked))
      continue;
    ++readers;
    pins += other->hello.max_pins;
    if (other->hello.policy == static_cast<std::uint32_t>(Policy::lossless)) ++lossless;
  }
  for (const Absent& one : absent_) {
    if (name_of(one.hello) == name_of(hello)) continue;  // the place that is kept for it
    ++readers;
    pins += one.hello.max_pins;
    ++lossless;
  }
  if (readers >= kScanEntries)
    throw Error(ErrorCode::refused,
                fmt::format("stream \"{}\" has {} readers already, the most there can be", stream_, readers));
  const std::uint64_t lag = options_.live ? options_.lag_frames * lossless : 0;
  const std::uint64_t needed =
      std::uint64_t{options_.history} + options_.loans + pins + hello.max_pins + lag + 1;
  if (needed <= view.geometry.slots) return Room::enough;
  if (options_.grow_for_readers && needed <= kMaxSlots) {
    wanted_slots_.store(static_cast<std::uint32_t>(needed), std::memory_order_relaxed);
    return Room::more_slots;
  }
  const std::string more = needed <= kMaxSlots
                               ? fmt::format("raise `slots` to {} or lower `max_pins`", needed)
                               : fmt::format("a stream has {} at most: lower `max_pins`", kMaxSlots);
  throw Error(ErrorCode::refused, fmt::format("stream \"{}\" has {} slots, and this reader would make it "
                                              "need {}: {} history + {} loans + {} pins of {} "
                                              "readers + {} pins asked + {} lag of lossless readers + 1 "
                                              "spare; {}",
                                              stream_, view.geometry.slots, needed, options_.history,
                                              options_.loans, pins, readers, hello.max_pins, lag, more));
}

std::uint64_t StreamServer::first_cursor(const HelloMessage& hello) const {
  const RingWriter& ring = epoch_->ring();
  const std::uint64_t head = ring.head();
  switch (static_cast<Start>(hello.start)) {
    case Start::live: return head;
    case Start::oldest: return ring.oldest();
    case Start::keyframe: return ring.last_key() >= ring.oldest() ? ring.last_key() : head;
    case Start::resume: {
      const auto left = left_.find(name_of(hello));
      if (left == left_.end() || left->second.until_ns < monotonic_ns()) return head;
      return std::min(left->second.cursor, head);
    }
  }
  return head;
}

std::unique_ptr<OwnedSegment> StreamServer::make_page() const {
  auto page = segment_backend(SegmentKind::memfd).create("reel." + stream_ + ".page", sizeof(ReaderPage));
  (void)page->seal(Seal::size);
  return page;
}

// It is let in when the data thread comes by, which in an idle or paused program may be never: it hears so.
void StreamServer::park(Peer& peer) {
  if (std::exchange(peer.stage, Peer::Stage::parked) == Peer::Stage::parked) return;
  notify();
  if (peer.hello.header.minor < kParkedSinceMinor) return;
  const PlainMessage message{{.type = MessageType::parked}};
  const auto bytes = bytes_of(message);
  Outbox outbox(1);
  outbox.front().bytes.assign(bytes.begin(), bytes.end());
  watch_for_room(peer.socket.get(), send(peer, std::move(outbox)));
}

void StreamServer::admit(Peer& peer, const HelloMessage& hello) {
  drop_expired(monotonic_ns());
  peer.hello = hello;
  if (check_admission(peer, hello) == Room::more_slots) {
    park(peer);
    return;
  }
  RingWriter& ring = epoch_->ring();
  std::uint32_t index = 0;
  if (const Absent* kept = absence_of(name_of(hello)))
    index = kept->index;
  else
    while (ring.entry(index).page.load(std::memory_order_relaxed) != nullptr)
      ++index;  // check_admission saw a free one
  auto page = make_page();
  Outbox message = welcome(index, MessageType::welcome, *epoch_, page.get());
  // From here on nothing fails.
  sockets_[index] = peer.socket.get();
  peer.index = index;
  peer.page = std::move(page);
  peer.stage = Peer::Stage::reader;
  ring.admit(index, page_of(peer), hello.policy == static_cast<std::uint32_t>(Policy::lossless),
             hello.max_pins);
  ring.grant(index, first_cursor(hello));
  left_.erase(name_of(hello));
  forget_absence(name_of(hello));
  watch_for_room(peer.socket.get(), send(peer, std::move(message)));
  tell(peer, true);
  notify();
}

void StreamServer::settle_parked(const std::string& why) noexcept {
  const auto service =
      service_->hold();  // admit() watches a socket anew: handlers have the two in this order
  const std::lock_guard lock(mutex_);
  wanted_slots_.store(0, std::memory_order_relaxed);
  for (const auto& [fd, peer] : peers_) {
    if (peer->stage != Peer::Stage::parked) continue;
    try {
      const HelloMessage hello = peer->hello;
      admit(*peer, hello);
      if (peer->stage == Peer::Stage::parked && !why.empty()) throw Error(ErrorCode::refused, why);
    } catch (const Error& error) {
      refuse(*peer, error.code(), error.message());
      ::shutdown(fd, SHUT_RDWR);  // the service thread sees it and removes the peer
    } catch (const std::exception& error) {
      refuse(*peer, ErrorCode::internal, error.what());
      ::shutdown(fd, SHUT_RDWR);
    }
  }
}

void StreamServer::tell(const Peer& peer, bool joined) const noexcept {
  if (!options_.on_reader) return;
  try {
    options_.on_reader(
        {joined, peer.credentials.pid, name_of(peer.hello), static_cast<Policy>(peer.hello.policy)});
  } catch (const std::exception& error) {
    log_warning(fmt::format("stream \"{}\": {}", stream_, error.what()));
  }
}

StreamServer::Outbox StreamServer::welcome(std::uint32_t index, MessageType type, WriterEpoch& epoch,
                                           const OwnedSegment* page) {
  const StreamGeometry& geometry = epoch.view().geometry;
  WelcomeMessage message;
  message.header.type = type;
  message.memory = geometry.memory;
  message.reader_index = index;
  message.control_bytes = geometry.control_bytes;
  message.payload_bytes = geometry.payload_bytes;
  message.page_bytes = page != nullptr ? page->size() : 0;
  message.epoch = geometry.epoch;
  const auto bytes = bytes_of(message);
  Outbox outbox(1);
  Outgoing& outgoing = outbox.front();
  outgoing.bytes.assign(bytes.begin(), bytes.end());
  outgoing.fds.push_back(epoch.memory().control().share_read_only());
  outgoing.fds.push_back(epoch.memory().payload().share_read_only());
  if (page != nullptr) outgoing.fds.push_back(page->share_writable());
  return outbox;
}

ReaderStatus StreamServer::status_of(const Peer& peer) const {
  const ScanEntry& entry = epoch_->ring().entry(peer.index);
  const ReaderPage& page = page_of(peer);
  ReaderStatus status;
  status.pid = static_cast<std::uint32_t>(peer.credentials.pid);
  status.name = name_of(peer.hello);
  status.policy = static_cast<Policy>(peer.hello.policy);
  status.demoted = entry.demoted.load(std::memory_order_relaxed);
  status.cursor = epoch_->ring().believed_cursor(entry, page);
  for (const auto& word : page.pins)
    status.pinned += static_cast<std::uint32_t>(std::popcount(word.load(std::memory_order_relaxed)));
  status.max_pins = peer.hello.max_pins;
  status.delivered = page.delivered.load(std::memory_order_relaxed);
  status.verified = page.verified.load(std::memory_order_relaxed);
  status.skipped = page.skipped.load(std::memory_order_relaxed);
  status.lapped = page.lapped.load(std::memory_order_relaxed);
  status.corrupted = page.corrupted.load(std::memory_order_relaxed);
  status.waits = entry.waits.load(std::memory_order_relaxed);
  return status;
}

ReaderStatus StreamServer::status_of(const Absent& one) const {
  ReaderStatus status;
  status.pid = static_cast<std::uint32_t>(one.pid);
  status.name = name_of(one.hello);
  status.policy = static_cast<Policy>(one.hello.policy);
  status.cursor = one.page->cursor.load(std::memory_order_relaxed);
  status.max_pins = one.hello.max_pins;
  status.waits = epoch_->ring().entry(one.index).waits.load(std::memory_order_relaxed);
  const std::int64_t away_ms = (monotonic_ns() - one.since_ns) / 1'000'000;
  status.away_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(away_ms, 1));
  return status;
}

std::vector<ReaderStatus> StreamServer::all_readers() const {
  std::vector<ReaderStatus> result;
  for (const auto& [fd, peer] : peers_) {
    if (peer->stage == Peer::Stage::reader && !peer->left) result.push_back(status_of(*peer));
  }
  for (const Absent& one : absent_) result.push_back(status_of(one));
  return result;
}

void StreamServer::report(Peer& peer) {
  drop_expired(monotonic_ns());
  const std::vector<ReaderStatus> readers = all_readers();
  bool sent = true;
  const auto add = [&](const auto& message) {
    const auto bytes = bytes_of(message);
    Outbox outbox(1);
    outbox.front().bytes.assign(bytes.begin(), bytes.end());
    sent = send(peer, std::move(outbox));
  };
  StatusMessage status;
  status.readers = static_cast<std::uint32_t>(readers.size());
  status.demoted = demoted();
  status.refused = refused();
  status.epochs = epochs();
  add(status);
  for (const ReaderStatus& reader : readers) {
    ReaderStatusMessage message;
    message.pid = reader.pid;
    message.policy = static_cast<std::uint32_t>(reader.policy);
    message.demoted = reader.demoted ? 1 : 0;
    message.pinned = reader.pinned;
    message.max_pins = reader.max_pins;
    message.away_ms = reader.away_ms;
    message.cursor = reader.cursor;
    message.delivered = reader.delivered;
    message.verified = reader.verified;
    message.skipped = reader.skipped;
    message.lapped = reader.lapped;
    message.corrupted = reader.corrupted;
    message.waits = reader.waits;
    reader.name.copy(message.name.data(), message.name.size() - 1);
    add(message);
  }
  watch_for_room(peer.socket.get(), sent);
}

std::vector<ReaderStatus> StreamServer::readers() const {
  const std::lock_guard lock(mutex_);
  return all_readers();
}

std::string StreamServer::holders() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t head = epoch_->ring().head();
  std::vector<std::string> all;
  for (const auto& [fd, peer] : peers_) {
    if (peer->stage != Peer::Stage::reader) continue;
    const ReaderStatus reader = status_of(*peer);
    std::vector<std::string> what;
    if (reader.pinned != 0) what.push_back(fmt::format("holds {} slots", reader.pinned));
    if (reader.policy == Policy::lossless && !reader.demoted && reader.cursor < head)
      what.push_back(fmt::format("has {} frames still to take", head - reader.cursor));
    if (what.empty()) continue;
    all.push_back(fmt::format("reader \"{}\" ({}, {}) {}", reader.name,
                              pid_text(static_cast<pid_t>(reader.pid)), to_string(reader.policy),
                              fmt::join(what, " and ")));
  }
  for (const Absent& one : absent_) {
    const std::uint64_t cursor = one.page->cursor.load(std::memory_order_relaxed);
    if (cursor < head)
      all.push_back(fmt::format("reader \"{}\" (gone, and waited for) has {} frames still to take",
                                name_of(one.hello), head - cursor));
  }
  return all.empty() ? "no reader holds any" : fmt::format("{}", fmt::join(all, "; "));
}

std::vector<std::string> StreamServer::missing_readers(const std::vector<std::string>& names) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    const bool here = std::any_of(peers_.begin(), peers_.end(), [&](const auto& one) {
      return one.second->stage == Peer::Stage::reader && !one.second->left &&
             name_of(one.second->hello) == name;
    });
    if (!here && !has_ended(name)) missing.push_back(name);
  }
  return missing;
}

std::uint32_t StreamServer::reader_count() const noexcept {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& one) {
    return one.second->stage == Peer::Stage::reader && !one.second->left;
  }));
}

bool StreamServer::owes_frames() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t head = epoch_ ? epoch_->ring().head() : 0;
  return std::any_of(peers_.begin(), peers_.end(),
                     [&](const auto& one) {
                       const Peer& peer = *one.second;
                       return peer.stage == Peer::Stage::reader && !peer.left &&
                              status_of(peer).cursor < head;
                     }) ||
         std::any_of(absent_.begin(), absent_.end(), [&](const Absent& one) {
           return one.page->cursor.load(std::memory_order_relaxed) < head;
         });
}

}  // namespace reel
