#include "pipeline_shift.hpp"

#include <atomic>

#include <reel/gst/pointers.hpp>

namespace reel::gst {

struct PipelineShift::Shared {
  std::atomic<std::int64_t> ns{0};
};

PipelineShift::PipelineShift(GstElement* element) {
  GstObject* top = GST_OBJECT(gst_object_ref(element));
  while (GstObject* parent = gst_object_get_parent(top)) {
    gst_object_unref(top);
    top = parent;
  }
  using Kept = std::weak_ptr<Shared>;
  static const GQuark key = g_quark_from_static_string("reel-pipeline-shift");
  GST_OBJECT_LOCK(top);
  auto* kept = static_cast<Kept*>(g_object_get_qdata(G_OBJECT(top), key));
  if (kept != nullptr) shared_ = kept->lock();
  if (!shared_) {
    shared_ = std::make_shared<Shared>();
    if (kept != nullptr)
      *kept = shared_;
    else
      g_object_set_qdata_full(G_OBJECT(top), key, new Kept(shared_),
                              [](gpointer gone) { delete static_cast<Kept*>(gone); });
  }
  GST_OBJECT_UNLOCK(top);
  gst_object_unref(top);
}

std::int64_t PipelineShift::ns() const noexcept {
  return shared_ ? shared_->ns.load(std::memory_order_relaxed) : 0;
}

void PipelineShift::raise_to(std::int64_t ns) noexcept {
  if (!shared_) return;
  std::int64_t before = shared_->ns.load(std::memory_order_relaxed);
  while (before < ns && !shared_->ns.compare_exchange_weak(before, ns, std::memory_order_relaxed)) {
  }
}

}  // namespace reel::gst
