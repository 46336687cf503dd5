#include "stream_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <reel/base/error.hpp>
#include <reel/base/futex.hpp>
#include <reel/base/log.hpp>
#include <reel/base/peer_text.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "name_lock.hpp"

namespace reel {
namespace {

constexpr std::size_t kMaxGreetings = 16;    // connections that have not said hello
constexpr std::size_t kMaxQueued = 256;      // messages waiting for a peer that does not read
constexpr std::size_t kMaxRemembered = 256;  // cursors of named readers that left
constexpr int kListenerPauseMs = 100;
constexpr std::uint32_t kQuietEvents = EPOLLIN | EPOLLRDHUP;

}  // namespace

StreamServer::StreamServer(std::string stream, std::string directory, const WriterOptions& options)
    : stream_(std::move(stream)),
      directory_(std::move(directory)),
      options_(options),
      access_(open_to_listed(directory_, stream_, options_)),
      service_(Service::instance()) {}

StreamServer::~StreamServer() {
  const auto held = service_->hold();
  if (listener_) {
    service_->unwatch(listener_.get());
    ::unlink((directory_ + "/" + socket_file(stream_)).c_str());
  }
  for (const auto& [fd, peer] : peers_) service_->unwatch(fd);
}

void StreamServer::open(std::shared_ptr<WriterEpoch> epoch) {
  {
    const std::lock_guard lock(mutex_);
    epoch_ = std::move(epoch);
  }
  epochs_.fetch_add(1, std::memory_order_relaxed);
  listener_ = listen_at(directory_, socket_file(stream_), access_);
  service_->watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { on_listener(); });
}

void StreamServer::wake(std::uint32_t index, WakeKind kind, ReaderPage& page) noexcept {
  if (kind == WakeKind::socket) {
    send_byte(sockets_[index]);
    return;
  }
  page.doorbell.fetch_add(
      1, std::memory_order_release);  // pairs with the acquire in FrameReader::Impl::wait_connected
  futex_wake(page.doorbell, FutexScope::shared);
}

void StreamServer::set_loans(std::uint32_t loans) noexcept {
  const std::lock_guard lock(mutex_);
  options_.loans = loans;
}

void StreamServer::notify() noexcept {
  events_.fetch_add(1, std::memory_order_release);
  futex_wake(events_, FutexScope::process);
}

void StreamServer::move_to(std::shared_ptr<WriterEpoch> next) {
  struct Mover {
    Peer* peer;
    std::unique_ptr<OwnedSegment> page;
    Outbox message;
  };
  std::vector<int> full;
  {
    const std::lock_guard lock(mutex_);
    // All that can fail, before anybody is told: who has been told waits in the new memory.
    std::vector<Mover> movers;
    for (const auto& [fd, peer] : peers_) {
      if (peer->stage != Peer::Stage::reader || peer->left) continue;
      Mover mover{peer.get(), make_page(), {}};
      mover.message = welcome(peer->index, MessageType::moved, *next, mover.page.get());
      movers.push_back(std::move(mover));
    }
    full.reserve(movers.size());
    const std::uint64_t first = next->view().geometry.first_sequence;
    RingWriter& ring = next->ring();
    for (Mover& mover : movers) {
      const std::uint32_t index = mover.peer->index;
      const ScanEntry& old = epoch_->ring().entry(index);
      ScanEntry& entry = ring.entry(index);
      ring.admit(index, *reinterpret_cast<ReaderPage*>(mover.page->data()),
                 old.lossless.load(std::memory_order_relaxed), old.max_pins.load(std::memory_order_relaxed));
      ring.grant(index, first);
      entry.demoted.store(old.demoted.load(std::memory_order_relaxed), std::memory_order_relaxed);
      entry.waits.store(old.waits.load(std::memory_order_relaxed), std::memory_order_relaxed);
      if (!send(*mover.peer, std::move(mover.message))) full.push_back(mover.peer->socket.get());
    }
    move_absent_to(*next);
    epoch_->ring().move(next->view().geometry.epoch, *this);
    epoch_ = std::move(next);
    for (Mover& mover : movers) mover.peer->page = std::move(mover.page);
    for (const auto& [fd, peer] : peers_) {
      if (peer->stage == Peer::Stage::reader && peer->left) peer->stage = Peer::Stage::departed;
    }
  }
  epochs_.fetch_add(1, std::memory_order_relaxed);
  for (const int fd : full) service_->change(fd, kQuietEvents | EPOLLOUT);
}

bool StreamServer::demote(ReaderMask stalled) noexcept {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (std::uint32_t index = 0; index < kScanEntries; ++index) {
    Peer* peer = (stalled >> index & 1) != 0 ? peer_at(index) : nullptr;
    ScanEntry& entry = epoch_->ring().entry(index);
    if (peer == nullptr || !entry.lossless.load(std::memory_order_relaxed) ||
        entry.demoted.exchange(true, std::memory_order_relaxed))
      continue;
    any = true;
    demoted_.fetch_add(1, std::memory_order_relaxed);
    const PlainMessage message{{.type = MessageType::demoted}};
    (void)send_message(peer->socket.get(),
                       bytes_of(message));  // a reader that does not even read its socket learns nothing
    log_warning(fmt::format(
        "stream \"{}\": lossless reader \"{}\" ({}) kept the writer waiting for {} ms "
        "(stall_timeout) and is "
        "treated as `queue` from now on",
        stream_, name_of(peer->hello), pid_text(peer->credentials.pid), options_.stall_timeout_ms));
  }
  return any;
}

void StreamServer::drop_hostile() noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [fd, peer] : peers_) {
    if (peer->stage != Peer::Stage::reader ||
        !epoch_->ring().entry(peer->index).hostile.load(std::memory_order_relaxed))
      continue;
    log_warning(fmt::format(
        "stream \"{}\": reader \"{}\" ({}) pins more than the {} slots it was granted and is cut off",
        stream_, name_of(peer->hello), pid_text(peer->credentials.pid), peer->hello.max_pins));
    ::shutdown(fd, SHUT_RDWR);  // the service thread sees the hang-up and removes it
  }
}

void StreamServer::on_listener() noexcept {
  for (;;) {
    std::optional<UniqueFd> socket = accept_from(listener_.get());
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      cannot_serve(errno == EMFILE ? "this process has all the descriptors open that it may: raise its limit "
                                     "(`ulimit -n`)"
                                   : std::strerror(errno));
      service_->pause(listener_.get(), kListenerPauseMs);  // the connection stays pending: do not spin on it
      return;
    }
    const auto credentials = peer_of(socket->get());
    if (!credentials) continue;
    try {
      serve(std::move(*socket), *credentials);
      cannot_serve_ = false;
    } catch (const std::exception& error) {
      cannot_serve(error.what());
    }
  }
}

void StreamServer::serve(UniqueFd socket, const PeerCredentials& credentials) {
  const int fd = socket.get();
  auto peer = std::make_unique<Peer>();
  peer->socket = std::move(socket);
  peer->credentials = credentials;
  peer->since_ns = monotonic_ns();
  {
    const std::lock_guard lock(mutex_);
    peers_[fd] = std::move(peer);
  }
  try {
    service_->watch(fd, kQuietEvents, [this, fd](std::uint32_t events) { on_peer(fd, events); });
  } catch (...) {
    const std::lock_guard lock(mutex_);
    peers_.erase(fd);
    throw;
  }
  drop_greeting();
}

// Said once until it is over: those who want in try again and again.
void StreamServer::cannot_serve(const std::string& why) noexcept {
  if (std::exchange(cannot_serve_, true)) return;
  log_warning(fmt::format("stream \"{}\": cannot take a reader's connection: {}", stream_, why));
}

// Connections that never say hello are bounded: the oldest goes.
void StreamServer::drop_greeting() noexcept {
  int oldest = -1;
  {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    std::int64_t since_ns = 0;
    for (const auto& [fd, peer] : peers_) {
      if (peer->stage != Peer::Stage::greeting) continue;
      ++count;
      if (oldest < 0 || peer->since_ns < since_ns) {
        oldest = fd;
        since_ns = peer->since_ns;
      }
    }
    if (count <= kMaxGreetings) return;
  }
  remove(oldest);
}

void StreamServer::on_peer(int fd, std::uint32_t events) noexcept {
  bool keep = true;
  try {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(fd);
    if (found == peers_.end()) return;
    Peer& peer = *found->second;
    if ((events & EPOLLOUT) != 0) watch_for_room(fd, flush(peer));
    ReceivedMessage message;
    // Bounded, so that one chatty peer does not keep the others waiting; epoll comes back for the rest.
    for (int i = 0; i < 64 && keep; ++i) {
      const ReceiveStatus status = receive_message(fd, message);
      if (status == ReceiveStatus::none) break;
      keep = status == ReceiveStatus::received && handle(peer, message);
    }
    if (peer.outgoing.size() > kMaxQueued) keep = false;
  } catch (const std::exception& error) {
    log_warning(fmt::format("stream \"{}\": a reader's connection is given up: {}", stream_, error.what()));
    keep = false;
  }
  if (!keep) remove(fd);
}

bool StreamServer::handle(Peer& peer, ReceivedMessage& message) {
  if (message.intact && message.size == 1 && message.fd_count == 0) {
    if (peer.stage == Peer::Stage::reader) notify();  // it let a slot go
    return peer.stage == Peer::Stage::reader;
  }
  const auto header = header_of(message);
  if (!header) {
    log_warning(fmt::format("stream \"{}\": {} sent {} bytes that are no message of Reel's: disconnected",
                            stream_, process_text(peer.credentials.pid), message.size));
    return false;
  }
  if (header->major != kHandshakeMajor) {
    refuse(peer, ErrorCode::version,
           fmt::format("the reader speaks handshake version {}.{}, the writer {}.{}: rebuild the older one",
                       header->major, header->minor, kHandshakeMajor, kHandshakeMinor));
    return false;
  }
  if (peer.stage == Peer::Stage::greeting) {
    const auto hello = as<HelloMessage>(message, 0);
    if (header->type != MessageType::hello || !hello) {
      refuse(peer, ErrorCode::protocol,
             fmt::format("the first message is of type {} with {} bytes and {} descriptors: expected hello, "
                         "{} bytes, none",
                         static_cast<std::uint32_t>(header->type), message.size, message.fd_count,
                         sizeof(HelloMessage)));
      return false;
    }
    return greet(peer, *hello);
  }
  const bool plain = message.size == sizeof(PlainMessage) && message.fd_count == 0;
  switch (header->type) {
    case MessageType::leave:
      if (plain && peer.stage == Peer::Stage::reader) leave(peer);
      return plain;
    case MessageType::comes_back: peer.comes_back = peer.comes_back || plain; return plain;
    case MessageType::key_frame_request:
      key_frame_wanted_.store(true, std::memory_order_release);
      if (plain && options_.on_key_frame_request) options_.on_key_frame_request();
      return plain;
    case MessageType::status_request:
      if (plain) report(peer);
      return plain;
    default: return true;  // a later minor version's
  }
}

void StreamServer::remove(int fd) noexcept {
  service_->unwatch(fd);
  {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(fd);
    if (found == peers_.end()) return;
    Peer& peer = *found->second;
    if (peer.stage == Peer::Stage::reader || peer.stage == Peer::Stage::departed) tell(peer, false);
    if (peer.stage == Peer::Stage::reader) {
      // From here on nobody looks at its page or its socket.
      if (is_awaited(peer)) {
        keep_place(peer);
      } else {
        leave(peer);
        epoch_->ring().remove(peer.index);
      }
    }
    peers_.erase(found);
  }
  notify();  // what it pinned or had still to read may be what the writer waits for
}

void StreamServer::leave(Peer& peer) noexcept {
  if (peer.left) return;
  peer.left = true;
  remember(peer, unfinished_cursor(peer));
  ScanEntry& entry = epoch_->ring().entry(peer.index);
  entry.demoted.store(true,
                      std::memory_order_relaxed);  // its pins count until it hangs up, its cursor no more
  notify();
}

// Names are the readers' choice: the oldest go where there are too many.
void StreamServer::remember(const Peer& peer, std::uint64_t cursor) {
  const std::string name = name_of(peer.hello);
  if (name.empty() || options_.resume_ms <= 0) return;
  const std::int64_t now_ns = monotonic_ns();
  std::erase_if(left_, [&](const auto& one) { return one.second.until_ns < now_ns; });
  if (left_.size() >= kMaxRemembered && !left_.contains(name))
    left_.erase(std::min_element(left_.begin(), left_.end(), [](const auto& a, const auto& b) {
      return a.second.until_ns < b.second.until_ns;
    }));
  left_[name] = {cursor, now_ns + std::int64_t{options_.resume_ms} * 1'000'000};
}

// Where a reader that is gone must go on: what it still held when it went was not finished, whether or not
// the writer has taken it back since. What is gone by then is counted as lapped. REQUIRES: its page is in the
// scan set.
std::uint64_t StreamServer::unfinished_cursor(const Peer& peer) const noexcept {
  const ReaderPage& page = page_of(peer);
  const StreamView& view = epoch_->view();
  std::uint64_t cursor = epoch_->ring().believed_cursor(epoch_->ring().entry(peer.index), page);
  for (std::uint32_t slot = 0; slot < view.geometry.slots; ++slot) {
    if ((page.pins[slot / 64].load(std::memory_order_relaxed) >> (slot % 64) & 1) == 0) continue;
    const std::uint64_t state = view.slots[slot].state.load(std::memory_order_relaxed);
    const auto is = static_cast<SlotState>(state & 3);
    if (is == SlotState::ready || is == SlotState::retired) cursor = std::min(cursor, state >> 2);
  }
  return cursor;
}

bool StreamServer::send(Peer& peer, Outbox messages) noexcept {
  peer.outgoing.splice(peer.outgoing.end(), messages);
  return flush(peer);
}

bool StreamServer::flush(Peer& peer) noexcept {
  while (!peer.outgoing.empty()) {
    const Outgoing& message = peer.outgoing.front();
    std::array<int, kMaxMessageDescriptors> fds{};
    for (std::size_t i = 0; i < message.fds.size(); ++i) fds[i] = message.fds[i].get();
    if (send_message(peer.socket.get(), message.bytes, std::span(fds).first(message.fds.size())) ==
        SendStatus::would_block)
      return false;  // one that is gone is noticed by its hang-up
    peer.outgoing.pop_front();
  }
  return true;
}

void StreamServer::watch_for_room(int fd, bool sent) noexcept {
  service_->change(fd, sent ? kQuietEvents : kQuietEvents | EPOLLOUT);
}

void StreamServer::refuse(Peer& peer, ErrorCode code, const std::string& text) noexcept {
  refused_.fetch_add(1, std::memory_order_relaxed);
  RefusedMessage refused;
  refused.code = static_cast<std::uint32_t>(code);
  refused.text_bytes = static_cast<std::uint32_t>(text.copy(refused.text.data(), refused.text.size()));
  (void)send_message(peer.socket.get(), bytes_of(refused));
}

StreamServer::Peer* StreamServer::peer_at(std::uint32_t index) noexcept {
  for (const auto& [fd, peer] : peers_) {
    if (peer->stage == Peer::Stage::reader && peer->index == index) return peer.get();
  }
  return nullptr;
}

ReaderPage& StreamServer::page_of(const Peer& peer) noexcept {
  return *reinterpret_cast<ReaderPage*>(peer.page->data());
}

std::string StreamServer::name_of(const HelloMessage& hello) {
  return {hello.name.data(), ::strnlen(hello.name.data(), hello.name.size())};
}

}  // namespace reel
