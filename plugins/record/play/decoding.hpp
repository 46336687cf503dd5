// A queue of units through a decoder, which is another one where what is recorded changes its form. Called
// by the lanes that decode; single-thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "play/decoder.hpp"
#include "play/unit_queue.hpp"

namespace record {

class Decoding {
 public:
  explicit Decoding(std::string stream) : stream_(std::move(stream)) {}

  struct Decoded {
    reel::gst::Ptr<GstSample> sample;  // nullptr: the decoder needs more units, or all has come out
    std::shared_ptr<const reel::Format> published_as;
  };
  /// The next one; Decoder::time_of() says when. `finished`: what is in the queue is all. Throws reel::Error.
  [[nodiscard]] Decoded next(UnitQueue& queue, bool finished);
  /// Waits a little for what the decoder has been given: false where nothing comes of it without more units.
  [[nodiscard]] bool settle();

 private:
  [[nodiscard]] bool fits(const QueuedUnit& queued) const;
  void open(const QueuedUnit& queued);
  void tell_of_conversion();

  const std::string stream_;
  std::unique_ptr<Decoder> decoder_;
  std::shared_ptr<const reel::Format> published_as_;
  Decoded ready_;             // by settle()
  bool settled_ = false;      // since the last push
  std::int64_t last_ns_ = 0;  // of the unit that was pushed last
  bool draining_ = false;
  bool told_ = false;
  int stalls_ = 0;
};

}  // namespace record
