// A directory of recordings with its index: what recorders, retention, playback and the command work with.
// Thread-safe. The index is a cache: where it is missing, damaged or behind, it is made right from the
// manifests; where it cannot be written, it is kept in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catalog/index.hpp"
#include "catalog/query.hpp"
#include "catalog/segment.hpp"
#include "catalog/store.hpp"

namespace record {

/// A file that a recorder left open: it was killed, or the machine was.
struct Abandoned {
  std::string file;       // the whole path of "X.open.mkv"
  SegmentRecord record;   // its manifest as far as it was written, with the file's size
  bool manifest = false;  // false: that is lost, and the record is what its name tells
};

class Catalog {
 public:
  /// Opens both and refreshes. Throws what Store does. What others do later is seen after the next refresh().
  explicit Catalog(const StoreOptions& options);

  [[nodiscard]] const Store& store() const noexcept { return store_; }

  // For recorders. REQUIRES: the recording's lock (store().lock()).

  /// Gives `record` its path and sequence, makes the file, writes the first manifest.
  [[nodiscard]] OpenSegment begin(SegmentRecord& record);
  /// The manifest of an open segment, as it goes.
  void save(const SegmentRecord& record);
  /// See Store::finish.
  void finish(SegmentRecord& record);
  /// An open segment that has nothing in it: removed, with everything of it.
  void discard(const std::string& path, const std::string& reason);

  /// Open files of this recording: to be repaired, then finish()ed as `repaired` or `broken`, or discarded.
  [[nodiscard]] std::vector<Abandoned> abandoned(const std::string& recording);

  // For everybody.

  [[nodiscard]] std::vector<SegmentRecord> find(const Query& query = {}) const;
  [[nodiscard]] std::optional<SegmentRecord> get(const std::string& path) const;
  /// For questions that are put to the index itself. Called once more where it turns out to be damaged.
  void look(const std::function<void(const Index&)>& question) const;
  /// The last one that was begun under this name and of which more is known than that, open ones left out:
  /// where a recorder goes on.
  [[nodiscard]] std::optional<SegmentRecord> newest(const std::string& recording) const;

  /// Never an open one: Error{in_use}. False where there is none.
  bool remove(const std::string& path, const std::string& reason);
  /// Into the class `protected` and out of it again (to what its name says). Error{not_found}; an open one:
  /// Error{in_use}.
  void protect(const std::string& path, bool on);

  struct Changes {
    std::uint64_t seen = 0;     // files
    std::uint64_t read = 0;     // manifests that were new or had changed
    std::uint64_t dropped = 0;  // rows whose file is gone
  };
  /// Brings in what other processes, people and crashes did: looks at the days that have changed.
  Changes refresh();
  /// The same where the last refresh() is half a minute ago: what other recorders do is in the index that all
  /// share, so that only what people did by hand, or somebody who cannot write the index, is seen later.
  void keep_fresh();
  /// What fills in what a manifest that is lost would say: tracks, times.
  using Probe = std::function<void(const std::string& file, SegmentRecord& record)>;
  /// Throws the index away and makes it from the files. With a probe, segments without manifest get one.
  Changes reindex(const Probe& probe = {});

 private:
  /// Runs it on an index that is right; where it turns out to be damaged, once more on a new one.
  void with_index(const std::function<void(Index&)>& action) const;
  template <class Action, class Result = std::invoke_result_t<Action, Index&>>
  Result with_index(Action action) const requires(!std::is_void_v<Result>) {
    std::optional<Result> result;
    with_index(std::function<void(Index&)>([&](Index& index) { result.emplace(action(index)); }));
    return std::move(*result);
  }
  void put(const SegmentRecord& record);
  void forget(const std::string& path);

  // REQUIRES: the mutex.
  Changes open_index(bool damaged) const;  // in memory where the file will not do
  [[nodiscard]] Index open_file(bool damaged) const;
  /// Where the index has been in memory: on the file again. Nullopt: it will not do yet.
  [[nodiscard]] std::optional<Changes> leave_memory() const;
  Changes use_memory(const std::string& why) const;
  Changes look_through(Index& index) const;
  void look_through_day(Index& index, const std::string& day, std::optional<std::int64_t> modified_ns,
                        Changes& changes) const;

  void make_manifests(const Probe& probe) const;
  /// Media times of a segment of which only the name is known: by the wall clock, from one that is known.
  void place(SegmentRecord& record) const;

  Store store_;
  mutable std::mutex mutex_;  // of the index
  mutable std::optional<Index> index_;
  std::atomic<std::int64_t> refreshed_ns_ = 0;  // CLOCK_MONOTONIC
};

}  // namespace record
