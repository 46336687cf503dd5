#include "reader_signals.hpp"

#include <utility>

namespace reel::gst {

// Whoever listens may do anything with the element: not in the thread that serves readers. And GStreamer's
// own threads run side by side: not one for each.
void ReaderSignals::tell(const ReaderChange& change) {
  const std::lock_guard lock(mutex_);
  changes_.push_back(change);
  if (std::exchange(emitting_, true)) return;
  gst_element_call_async(element_, emit_all, this, nullptr);
}

bool ReaderSignals::take(ReaderChange& change) {
  const std::lock_guard lock(mutex_);
  emitting_ = !changes_.empty();
  if (!emitting_) return false;
  change = std::move(changes_.front());
  changes_.pop_front();
  return true;
}

void ReaderSignals::emit_all(GstElement* element, gpointer self) {
  ReaderChange change;
  while (static_cast<ReaderSignals*>(self)->take(change)) {
    g_signal_emit_by_name(element, change.joined ? "client-connected" : "client-disconnected",
                          static_cast<guint>(change.pid), change.name.c_str());
    g_object_notify(G_OBJECT(element), "num-clients");
  }
}

}  // namespace reel::gst
