// The recorder at work: takes frames from the spool, in a thread of its own, and leaves finished files in the
// directory. Made by the stage `record`; everything public is called by the stage's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <reel/base/error.hpp>

#include "catalog/catalog.hpp"
#include "recorder/backlog.hpp"
#include "recorder/closer.hpp"
#include "recorder/event_recording.hpp"
#include "recorder/gap_book.hpp"
#include "recorder/line.hpp"
#include "recorder/numbers.hpp"
#include "recorder/resume.hpp"
#include "recorder/segmenter.hpp"
#include "recorder/settings.hpp"
#include "recorder/spool.hpp"
#include "recorder/syncer.hpp"
#include "recorder/time_line.hpp"

namespace record {

class Recorder final : private SegmentFiles {
 public:
  /// Of these streams, in the order of the spool's inputs. Closes what was left open under the recording's
  /// name. Throws reel::Error where nothing can be recorded: no directory, an encoder that is missing,
  /// somebody else who records under that name.
  Recorder(const RecordSettings& settings, const std::vector<std::string>& streams, Numbers numbers = {});
  /// Writes all that was put.
  ~Recorder() override;

  [[nodiscard]] Spool& spool() noexcept { return spool_; }
  /// Throws what made recording end: a stream that cannot be recorded at all.
  void check();
  /// Where a stream stood when an earlier run ended.
  [[nodiscard]] const Standing& standing(std::size_t input) const { return resumed_.streams[input]; }
  /// Nothing more is put: waits until all of it is written. The files are finished when this is destroyed.
  void finish();
  /// Of the spool, and in `lost` all that was lost. Thread-safe.
  [[nodiscard]] Spool::Counts counts() const;
  /// Waits until all files that were closed are finished, but those that the disk does not let be.
  void wait_for_files();

 private:
  // SegmentFiles, for the segmenter.
  [[nodiscard]] std::unique_ptr<UnitFile> open(const std::vector<std::size_t>& tracks,
                                               std::int64_t start_ns) override;
  void close(std::unique_ptr<UnitFile> file) override;
  void want_key_frame(std::size_t track) override;
  void lose(const Unit& unit) override;

  /// A file of either class, and what is done with it once it has all that it will have.
  [[nodiscard]] std::unique_ptr<SegmentFile> open_file(SegmentClass kind,
                                                       const std::vector<std::size_t>& tracks,
                                                       std::int64_t start_ns, std::vector<TrackFacts>& facts);
  void close_file(std::unique_ptr<SegmentFile> file);
  void drop_files();
  [[nodiscard]] GapBook& book_of(SegmentClass kind) {
    return kind == SegmentClass::event ? event_gaps_ : gaps_;
  }
  void mark(SegmentRecord& record, bool complete);
  [[nodiscard]] EventRecording::Recorder links();
  [[nodiscard]] bool asleep(std::int64_t now_ns);

  void run() noexcept;
  void work();
  void handle(SpooledFrame frame);
  [[nodiscard]] Line::Settings line_settings(std::size_t input, const std::string& stream);
  void encoder_failed(const reel::Error& error);
  void lose_the_rest();
  void give(std::vector<Unit> units);
  /// Calls `action`, which writes; what goes wrong with the disk is for later.
  template <class Action>
  void write(Action action);
  void wait_for_room();
  [[nodiscard]] bool can_write() const;
  [[nodiscard]] bool no_room_at_all() const;
  void go_on(const char* why);
  void upkeep(std::int64_t now_ns);
  void save(SegmentFile& file);
  void save(SegmentRecord record);
  void drain_lines();
  void end();
  void give_up();
  [[nodiscard]] std::int64_t current_end_ns();
  /// The file that frames go into now: a continuous one where there are such.
  [[nodiscard]] SegmentFile* open_now() const { return current_ != nullptr ? current_ : events_.current(); }
  void tell(std::int64_t now_ns);

  RecordSettings settings_;
  Numbers numbers_;
  Catalog catalog_;
  RecordingLock lock_;
  Resumed resumed_;
  Spool spool_;
  Closer closer_;
  Syncer syncer_;
  TimeLine times_;
  GapBook event_gaps_;  // of files of events
  GapBook gaps_;
  std::vector<TrackFacts> facts_;
  std::vector<Line> lines_;
  Backlog backlog_;
  Segmenter segmenter_;
  SegmentFile* current_ = nullptr;  // the segmenter's
  EventRecording events_;
  bool asleep_ = false;            // the schedule says that nothing is recorded now
  std::int64_t looked_at_ns_ = 0;  // CLOCK_MONOTONIC when the schedule was asked
  bool full_ = false;              // the disk
  bool failing_ = false;           // files cannot be made or written, for another reason
  bool dropped_ = false;           // they could not, and no new one was written since
  bool dropping_ = false;          // files are closed as they are
  std::int64_t encoder_told_ns_ = std::numeric_limits<std::int64_t>::min() / 2;  // CLOCK_MONOTONIC
  bool told_ = false;                                                            // the log was, of either
  std::int64_t saved_ns_ = 0;   // CLOCK_MONOTONIC of the last manifest of an open segment
  std::int64_t closed_ns_ = 0;  // media time at which the last file ended
  bool ending_ = false;
  std::optional<reel::Error> hopeless_;  // too many encoders hang
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace record
