// Events of a recording: what makes them, the files of the class `event`, the marks in manifests, and who may
// call for one. Made by Recorder; everything is called by its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/segment.hpp"
#include "events/event_desk.hpp"
#include "events/event_gate.hpp"
#include "events/event_server.hpp"
#include "recorder/segment_file.hpp"
#include "recorder/segmenter.hpp"
#include "recorder/settings.hpp"
#include "recorder/time_line.hpp"

namespace record {

class EventRecording final : private SegmentFiles, private EventGate::Output {
 public:
  /// What the recorder does for it.
  struct Recorder {
    std::function<void(const Unit&)> continuous;  // to the segmenter of continuous files
    /// Calls it; what goes wrong with the disk is for later.
    std::function<void(const std::function<void()>&)> write;
    std::function<std::unique_ptr<SegmentFile>(const std::vector<std::size_t>&, std::int64_t,
                                               std::vector<TrackFacts>&)>
        open;
    std::function<void(std::unique_ptr<SegmentFile>)> close;
    std::function<void(std::size_t)> want_key_frame;
    std::function<void(const Unit&)> lose;
    std::function<void(const EventChange&)> tell;
  };
  EventRecording(const RecordSettings& settings, const Segmenter::Settings& cuts, std::size_t inputs,
                 const TimeLine& times, Recorder recorder);

  /// Of a frame that has gone to its encoder; `track` is the same of its stream.
  void look(std::size_t input, const TrackFacts& track, const FrameFacts& frame);
  /// Of a frame that has come out, for files of events.
  void add_facts(std::size_t input, const FrameFacts& facts);
  void push(const Unit& unit);
  void leave(std::size_t input);
  /// Calls from outside, ends of events when no frames come.
  void tick(std::int64_t now_ns);
  /// Of files alone: while the disk is full.
  void tick_files(std::int64_t now_ns);
  /// After an error of a file.
  void drop_files();
  [[nodiscard]] bool has_previous() const noexcept { return segmenter_.has_previous(); }
  /// Nothing more comes, or for a long time: ends events and files.
  void finish();

  /// Of what is between these media times.
  [[nodiscard]] std::vector<EventMark> marks(std::int64_t start_ns, std::int64_t end_ns) const;
  /// At the end: units that were in no file, nor in one of the other class.
  [[nodiscard]] std::vector<Unit> take_held();
  /// Of the file that is closed now and began at `start_ns`, where it is the event's last: the end of what
  /// was wanted of it, though nothing of that may have come. 0: another follows.
  [[nodiscard]] std::int64_t wanted_ns(std::int64_t start_ns) const;
  /// The open file is not the first one of its event.
  [[nodiscard]] bool goes_on() const noexcept { return goes_on_; }
  /// The open file; nullptr: there is none.
  [[nodiscard]] SegmentFile* current() const noexcept { return current_; }

 private:
  // SegmentFiles, for the segmenter.
  [[nodiscard]] std::unique_ptr<UnitFile> open(const std::vector<std::size_t>& tracks,
                                               std::int64_t start_ns) override;
  void close(std::unique_ptr<UnitFile> file) override;
  void want_key_frame(std::size_t track) override { recorder_.want_key_frame(track); }
  void lose(const Unit& unit) override;
  // EventGate::Output.
  void write(SegmentClass kind, const Unit& unit) override;
  void close_event_file(std::int64_t end_ns) override;
  void event(const EventChange& change) override;

  void serve(const RecordSettings& settings);
  void take_calls();
  void update_reference();
  void forget_facts();
  [[nodiscard]] std::int64_t media_now(std::int64_t now_ns) const;

  RecordMode mode_;
  const TimeLine& times_;
  Recorder recorder_;
  std::vector<TrackFacts> facts_;  // those of the event's files
  EventGate gate_;
  Segmenter segmenter_;
  SegmentFile* current_ = nullptr;  // the segmenter's
  bool ends_ = false;               // the file is to be finished, for which there was no room so far
  bool goes_on_ = false;            // an event has had a file
  std::int64_t ends_ns_ = 0;        // the time from which on nothing belongs to it
  std::vector<bool> begun_;         // tracks that have a unit in the event's file
  std::vector<bool> seen_;          // tracks that have had a frame
  std::optional<std::size_t> reference_;
  std::int64_t newest_ns_ = 0;       // media time of the newest frame
  std::int64_t newest_seen_ns_ = 0;  // CLOCK_MONOTONIC when it came
  std::deque<EventMark> marks_;      // the last ones
  EventDesk desk_;
  std::unique_ptr<EventServer> server_;
};

}  // namespace record
