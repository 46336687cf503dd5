// The counters of a launch line's stage: what its reelsrc and reelsink tell of themselves, in the page that
// `reel run` reads. Used by the stage's first thread alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <reel/gst/pointers.hpp>
#include <reel/stage/run.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel::gst {

class Counters {
 public:
  /// Finds the elements of the setup's streams in the pipeline, and writes the ports' names.
  Counters(GstElement* pipeline, const StageSetup& setup, StagePage& page);

  /// What the elements say now, on top of what lives of this stage before this one have counted. Not after
  /// the pipeline is in NULL: they forget.
  void refresh() noexcept;
  /// Whether this life of the stage has published a frame, as of the last refresh().
  [[nodiscard]] bool published() const noexcept;
  /// The reelsrc of an input; nullptr where the line gave it another stream after all.
  [[nodiscard]] GstElement* source(std::size_t input) const noexcept { return sources_[input].get(); }

 private:
  struct Count {
    GstElement* element;
    const char* field;  // of its `stats`
    std::atomic<std::uint64_t>* place;
    std::uint64_t before;
  };
  void add(GstElement* element, const char* field, std::atomic<std::uint64_t>& place);

  std::vector<Ptr<GstElement>> sources_, sinks_;
  std::vector<Count> counts_;  // those of an element stand together
};

}  // namespace reel::gst
