// The frames of a recording, of all its streams together, in the order of media time. Called by the stage
// `playback`; single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/reader.hpp"
#include "play/lane.hpp"
#include "play/recording.hpp"

namespace record {

class Player {
 public:
  struct Settings {
    Recording recording;
    std::vector<std::string> streams;  // those that are played, as they are called in the recording
    bool encoded = false;              // as they lie in the files
  };
  /// Throws reel::Error{bad_config} for a stream that was not recorded, naming those that were.
  explicit Player(Settings settings);

  struct Next {
    std::size_t stream = 0;  // index among Settings::streams
    PlayFrame frame;
  };
  /// The next one, or nullopt at the end. Throws reel::Error.
  [[nodiscard]] std::optional<Next> next();
  /// What stream `index` is published as, as far as is known before its first frame.
  [[nodiscard]] std::shared_ptr<const reel::Format> format(std::size_t index);
  /// What the frames that were played lack; for the log. Empty: nothing.
  [[nodiscard]] std::vector<std::string> complaints() const;

 private:
  // A track of the file that is read now.
  struct FileTrack {
    std::optional<std::size_t> lane;  // nullopt: it is not played
    bool video = false;
    std::shared_ptr<const reel::Format> published_as;
  };
  struct Head {
    std::unique_ptr<Lane> lane;
    std::optional<PlayFrame> frame;
  };
  [[nodiscard]] bool fill(Head& head);
  [[nodiscard]] bool read_on();
  [[nodiscard]] bool open_next();
  void begin_file(const RecordedFile& file);
  void take_facts(const RecordedFile& file);
  void take_tracks(const RecordedFile& file);
  void close_file();
  [[nodiscard]] bool far_ahead() const;
  [[nodiscard]] Head* earliest();

  Settings settings_;
  std::vector<Head> heads_;
  std::size_t next_file_ = 0;
  std::unique_ptr<UnitReader> reader_;
  std::int64_t origin_ns_ = 0;     // media time of the file's time 0
  std::vector<FileTrack> tracks_;  // as the file numbers them
  std::vector<std::string> damage_;
};

}  // namespace record
