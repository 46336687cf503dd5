#include "stream_watch.hpp"

#include <exception>

#include <reel/channel/observer.hpp>

namespace reel::gst {

std::vector<DeviceFacts> look_at_streams() {
  std::vector<DeviceFacts> found;
  for (const std::string& name : list_streams()) {
    try {
      const StreamStatus status = StreamObserver(name, kPatienceMs).status();
      if (status.caps.empty() || status.ended) continue;
      found.push_back({name, status.caps, status.epoch, status.writer_pid, status.slots, status.live});
    } catch (const std::exception&) {
      // Gone since it was listed, another user's, or not ready yet: the next look may see it.
    }
  }
  return found;
}

}  // namespace reel::gst
