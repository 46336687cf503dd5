#include "counters.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>

namespace reel::gst {
namespace {

void put_name(std::array<char, 64>& place, std::string_view name) noexcept {
  place.fill('\0');
  std::copy_n(name.begin(), std::min(name.size(), place.size() - 1), place.begin());
}

bool says(GstElement* element, const char* property, const std::string& wanted) {
  gchar* text = nullptr;
  g_object_get(element, property, &text, nullptr);
  const Text owned(text);
  return text != nullptr && wanted == text;
}

// The element made by `factory` of which `is_it` is true; nullptr when there is none.
Ptr<GstElement> find(GstElement* pipeline, const char* factory,
                     const std::function<bool(GstElement*)>& is_it) {
  GstIterator* const all = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), factory);
  Ptr<GstElement> found;
  GValue item = G_VALUE_INIT;
  while (!found && gst_iterator_next(all, &item) == GST_ITERATOR_OK) {
    auto* const element = GST_ELEMENT(g_value_get_object(&item));
    if (is_it(element)) found.reset(GST_ELEMENT(gst_object_ref(element)));
    g_value_reset(&item);
  }
  g_value_unset(&item);
  gst_iterator_free(all);
  return found;
}

}  // namespace

Counters::Counters(GstElement* pipeline, const StageSetup& setup, StagePage& page) {
  for (std::size_t i = 0; i < setup.inputs.size(); ++i) {
    const InputSetup& input = setup.inputs[i];
    sources_.push_back(find(pipeline, "reelsrc", [&](GstElement* element) {
      return says(element, "stream", input.stream) && says(element, "reader-name", input.reader.name);
    }));
    InputCounters& counters = page.inputs[i];
    put_name(counters.port, input.port);
    put_name(counters.stream, input.stream);
    add(sources_.back().get(), "delivered", counters.frames);
    add(sources_.back().get(), "verified", counters.verified);
    add(sources_.back().get(), "corrupted", counters.corrupted);
    add(sources_.back().get(), "skipped", counters.skipped);
    add(sources_.back().get(), "lapped", counters.lapped);
    add(sources_.back().get(), "connects", counters.connects);
  }
  for (std::size_t i = 0; i < setup.outputs.size(); ++i) {
    const OutputSetup& output = setup.outputs[i];
    sinks_.push_back(find(pipeline, "reelsink",
                          [&](GstElement* element) { return says(element, "stream", output.stream); }));
    OutputCounters& counters = page.outputs[i];
    put_name(counters.port, output.port);
    put_name(counters.stream, output.stream);
    add(sinks_.back().get(), "published", counters.frames);
    add(sinks_.back().get(), "bytes", counters.bytes);
    add(sinks_.back().get(), "waits", counters.waits);
    add(sinks_.back().get(), "demoted", counters.demoted);
  }
  // SYNC page.input_count, page.output_count: release, pairs with the acquire of whoever reads the names.
  page.input_count.store(static_cast<std::uint32_t>(setup.inputs.size()), std::memory_order_release);
  page.output_count.store(static_cast<std::uint32_t>(setup.outputs.size()), std::memory_order_release);
}

void Counters::add(GstElement* element, const char* field, std::atomic<std::uint64_t>& place) {
  // relaxed, here and below: counters stand each for itself.
  if (element != nullptr) counts_.push_back({element, field, &place, place.load(std::memory_order_relaxed)});
}

bool Counters::published() const noexcept {
  return std::any_of(counts_.begin(), counts_.end(), [](const Count& count) {
    return std::string_view(count.field) == "published" &&
           count.place->load(std::memory_order_relaxed) != count.before;
  });
}

void Counters::refresh() noexcept {
  GstElement* asked = nullptr;
  GstStructure* stats = nullptr;
  for (const Count& count : counts_) {
    if (asked != count.element) {
      if (stats != nullptr) gst_structure_free(stats);
      stats = nullptr;
      asked = count.element;
      g_object_get(asked, "stats", &stats, nullptr);
    }
    guint64 value = 0;
    if (stats != nullptr && gst_structure_get_uint64(stats, count.field, &value) != FALSE)
      count.place->store(count.before + value, std::memory_order_relaxed);
  }
  if (stats != nullptr) gst_structure_free(stats);
}

}  // namespace reel::gst
