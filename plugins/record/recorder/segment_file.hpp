// One segment while it is written: the file, its frames' facts and its manifest. The recorder's thread
// writes; the closer's finishes it. Not both at once.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "facts/frame_facts.hpp"
#include "media/mux.hpp"
#include "recorder/backlog.hpp"
#include "recorder/facts_file.hpp"
#include "recorder/gap_book.hpp"
#include "recorder/lead_file.hpp"
#include "recorder/room.hpp"
#include "recorder/segmenter.hpp"
#include "recorder/sightings.hpp"
#include "recorder/syncer.hpp"

namespace record {

/// The disk has no room: it may be tried again.
struct DiskFull : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "the disk is full"; }
};

/// What a track is beside its units, and the facts of its frames that have not reached a file.
struct TrackFacts {
  std::string stream;
  bool video = false;
  std::string format;  // caps text of what was published
  std::deque<FrameFacts> waiting;
};
/// Of frames that are in no file.
void forget_up_to(TrackFacts& facts, std::uint64_t frame);

class SegmentFile final : public UnitFile {
 public:
  /// `record` is what the catalog gave `open` for; `tracks` those of the recording that are in it, whose
  /// facts are `facts` and what was lost of them `gaps`, which live longer than the last write(), as does
  /// `syncer`, which makes it safe.
  SegmentFile(OpenSegment open, SegmentRecord record, std::vector<std::size_t> tracks,
              std::vector<TrackFacts>& facts, GapBook& gaps, Syncer& syncer);

  /// Throws DiskFull, and then nothing was written; reel::Error once the file cannot be written any more.
  void write(const Unit& unit) override;
  void leave(std::size_t track) override;
  [[nodiscard]] std::uint64_t bytes() const override { return mux_.bytes() + mux_.held_bytes(); }

  /// Of these, those that the file has taken.
  [[nodiscard]] std::uint64_t written_bytes() const { return mux_.bytes(); }

  /// As far as it is known by now.
  [[nodiscard]] SegmentRecord& record() noexcept { return record_; }
  /// For whoever waits for the disk.
  [[nodiscard]] std::weak_ptr<const FileBacklog> backlog() const noexcept { return backlog_; }
  /// Writes the facts that are left of the time of its tracks: of sound that ends within its last unit.
  void write_last_facts();
  /// Nothing more comes: writes index and end, and makes all of it safe on the disk. False where nothing was
  /// ever written. Throws reel::Error where the file is not whole: some of it may be.
  [[nodiscard]] bool finish();

 private:
  [[nodiscard]] std::size_t index_of(std::size_t track) const;
  void keep_in_lead(const Unit& unit);
  void add_to_lead(const Unit& unit);
  template <typename Action>
  void with_lead(Action action);
  void count(Track& track, const Unit& unit);
  template <typename IsOurs>
  void write_facts(std::size_t index, IsOurs&& is_ours);

  std::shared_ptr<SyncedFile> file_;
  SegmentRecord record_;
  std::vector<std::size_t> tracks_;
  std::vector<bool> begun_;
  std::vector<bool> left_;
  std::vector<TrackFacts>& facts_;
  GapBook& gaps_;
  Sightings sightings_;
  Room room_;
  std::shared_ptr<FileBacklog> backlog_ = std::make_shared<FileBacklog>();
  CountedSink sink_;
  Mux mux_;
  FactsFile facts_file_;
  bool any_ = false;
  Syncer& syncer_;
  const std::string path_;
  std::vector<Unit> waiting_;  // what the muxer has been given, as long as it waits for a track
  std::uint64_t waiting_bytes_ = 0;
  std::vector<std::unique_ptr<LeadFile>> leads_;
  bool no_lead_ = false;  // it cannot be
};

}  // namespace record
